"""A folder of env files and a data folder, made up for each test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

DEV = {"AIRTABLE_API_KEY": "patDEVmadeup01", "AIRTABLE_BASE_ID": "appDEVDEVDEVDEVD1"}
PROD = {"AIRTABLE_API_KEY": "patPRODmadeup1", "AIRTABLE_BASE_ID": "appPRODPRODPROD01"}


@pytest.fixture
def process(tmp_path: Path) -> dict[str, str]:
    """The variables of a process that names the folders of this test."""
    (tmp_path / "config").mkdir()
    return {"CHANGEOVER_CONFIG": str(tmp_path / "config"), "CHANGEOVER_HOME": str(tmp_path / "var")}


@pytest.fixture
def write(process: dict[str, str]) -> Callable[..., Path]:
    """Writes the file of an environment: sound settings, and what is given on top; None takes a name out."""

    def put(env: str, more: Mapping[str, str | None] | None = None) -> Path:
        values = {**(DEV if env == "dev" else PROD), **(more or {})}
        path = Path(process["CHANGEOVER_CONFIG"]) / f"{env}.env"
        path.write_text("".join(f"{name}={value}\n" for name, value in values.items() if value is not None))
        return path

    return put
