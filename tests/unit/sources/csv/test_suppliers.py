"""The suppliers' files: what they must say, and what is said of one that does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from changeover import rulefiles
from changeover.sources.csv import suppliers
from changeover.sources.csv.suppliers import BadSupplier, Shape

ITRIP = "suppliers/itrip.toml"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "suppliers").mkdir()
    for name in suppliers.FILES:
        shutil.copy(rulefiles.find(name, tmp_path), tmp_path / name)
    return tmp_path


def load(folder):
    return suppliers.load(rulefiles.find(name, folder) for name in suppliers.FILES)


def change(folder, old: str, new: str) -> None:
    path = folder / ITRIP
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_three_shipped_files_are_good_and_rule_files_of_the_program(folder) -> None:
    assert {each.shape for each in load(folder)} == set(Shape)
    assert set(suppliers.FILES) <= set(rulefiles.NAMES)


def test_a_file_in_the_config_folder_replaces_the_shipped_one(folder) -> None:
    change(folder, '"reservationid", ', '"stayno", ')
    change(folder, 'id = "reservationid"', 'id = "stayno"')
    itrip = next(each for each in load(folder) if each.shape is Shape.ITRIP)
    assert itrip.columns["id"] == "stayno"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('owner = "propertyowner"', "", "columns: owner missing"),
        ('"tenantname", ', "", "signature: lacks the columns guest"),
        ("first = 0", "first = 15", "first comes after last"),
        ('edge = "check-out"', 'edge = "left"', "window.edge"),
        ('key = "csv_itrip"', 'key = "csv itrip"', "key"),
        ("[window]", "[windows]", "windows"),
        ("[window]", "[window", "itrip.toml"),
    ],
)
def test_a_faulty_file_is_named_with_its_fault(folder, old, new, said) -> None:
    change(folder, old, new)
    with pytest.raises(BadSupplier, match=r"itrip\.toml") as caught:
        load(folder)
    assert said in str(caught.value)


def test_two_files_of_one_shape_are_refused(folder) -> None:
    shutil.copy(folder / "suppliers/evolve_tab1.toml", folder / ITRIP)
    with pytest.raises(BadSupplier, match="exactly one file for each of itrip"):
        load(folder)
