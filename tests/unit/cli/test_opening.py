"""What a command says when its data folder cannot be used."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import typer

from changeover.cli.opening import open_settings
from changeover.exits import Exit
from changeover.settings import folders


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "dev.env").write_text("AIRTABLE_API_KEY=patDEV0000000001.secret\nAIRTABLE_BASE_ID=appDEV00000000001\n")
    monkeypatch.setenv("CHANGEOVER_CONFIG", str(config))
    monkeypatch.setenv("CHANGEOVER_HOME", str(tmp_path / "var"))


@pytest.mark.parametrize(
    ("cause", "code"),
    [(errno.ENOSPC, Exit.FAILED), (errno.EDQUOT, Exit.FAILED), (errno.EACCES, Exit.CONFIGURATION)],
)
def test_a_full_disk_is_no_fault_of_the_settings(
    place: None, monkeypatch: pytest.MonkeyPatch, cause: int, code: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> Path:
        raise OSError(cause, "made up")

    monkeypatch.setattr(folders, "create", fails)
    with pytest.raises(typer.Exit) as ended:
        open_settings("dev", as_json=False, process="cycle")
    assert ended.value.exit_code == code
    assert "CHANGEOVER_HOME: made up" in capsys.readouterr().err
