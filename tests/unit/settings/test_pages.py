"""What people read about settings is made from the model."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from changeover.settings import NAMES, load, pages

SOURCES = Path(pages.__file__).parents[1]


def test_the_example_names_every_setting_once(write, process):
    found = [
        line.lstrip("#").split("=")[0]
        for line in pages.env_example().splitlines()
        if "=" in line and " " not in line.split("=")[0].lstrip("#")
    ]
    assert sorted(found) == sorted(NAMES)


def test_the_example_filled_in_is_a_sound_file(write, process):
    path = write("dev")
    path.write_text(
        pages.env_example()
        .replace("AIRTABLE_API_KEY=\n", "AIRTABLE_API_KEY=patDEVmadeup01\n")
        .replace("AIRTABLE_BASE_ID=\n", "AIRTABLE_BASE_ID=appDEVDEVDEVDEVD1\n")
        .replace("\n#AIRTABLE_", "\nAIRTABLE_")
        .replace("\n#MISSING_", "\nMISSING_")
        .replace("\n#LOG_", "\nLOG_")
    )
    settings = load("dev", process)
    assert settings.unknown == ()
    assert settings.missing_grace_hours == 12


def test_a_name_is_called_reserved_exactly_when_nothing_uses_it_yet():
    code = "\n".join(path.read_text() for path in SOURCES.rglob("*.py") if path.parent.name != "settings")
    unused = {name for name in NAMES if f".{name.lower()}" not in code}
    assert unused == set(pages.RESERVED)


@pytest.mark.parametrize(("arguments", "expected"), [([], pages.env_example), (["page"], pages.page)])
def test_the_module_prints_them(arguments, expected, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["changeover.settings", *arguments])
    runpy.run_module("changeover.settings", run_name="__main__")
    assert capsys.readouterr().out == expected()
