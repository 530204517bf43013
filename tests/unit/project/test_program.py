"""One program is told from another by its files, though both have one number."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from changeover import program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "core" / "__pycache__").mkdir(parents=True)
    (tmp_path / "core" / "stay.py").write_text("a = 1\n")
    (tmp_path / "cli.py").write_text("b = 2\n")
    return tmp_path


def test_whatever_is_edited_added_renamed_or_taken_away_makes_another_program(folder: Path) -> None:
    before = program.fingerprint_of(folder, "1.0")
    seen = {before, program.fingerprint_of(folder, "1.1")}
    file = folder / "core" / "stay.py"
    file.write_text("a = 10\n")
    seen.add(program.fingerprint_of(folder, "1.0"))
    os.utime(file, ns=(1, 1))
    seen.add(program.fingerprint_of(folder, "1.0"))
    file.rename(folder / "core" / "night.py")
    seen.add(program.fingerprint_of(folder, "1.0"))
    (folder / "core" / "night.py").unlink()
    seen.add(program.fingerprint_of(folder, "1.0"))
    assert len(seen) == 6
    assert all(len(each) == 16 for each in seen)


def test_what_python_or_people_leave_beside_it_makes_none(folder: Path) -> None:
    before = program.fingerprint_of(folder, "1.0")
    (folder / "core" / "__pycache__" / "stay.cpython-311.py").write_text("")
    (folder / "notes.txt").write_text("x")
    assert program.fingerprint_of(folder, "1.0") == before


def test_a_process_looks_at_its_own_files_once() -> None:
    assert program.fingerprint() == program.fingerprint()
    assert program.fingerprint.cache_info().misses == 1
