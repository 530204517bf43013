"""Nothing but the program at work makes jobs in a real account, as no API can delete them there (JX-55, HC-39)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from changeover.doctor import jobs
from changeover.doctor.result import Patient
from changeover.housecallpro.errors import Halted
from changeover.settings import is_loopback, load
from changeover.settings.model import PUBLIC_HCP
from changeover_sandbox import launch
from changeover_sandbox.deployment import ENVIRONMENTS, Folder, Order, Serving
from plugins.job_house import House

ROOT = Path(__file__).resolve().parents[3]
CODE = {".py", ".js", ".mjs", ".toml", ".sh", ""}
ADDRESS = PUBLIC_HCP.partition("//")[2]


def test_the_doctor_asks_and_cannot_write(house: House) -> None:
    """JX-55, D-1: each home's address and template is examined without making a job of them."""
    settings, mark = house.desk.settings, house.mark()
    who = Patient(settings, house.desk.clock(), house.desk.db, house.desk.airtable, None, {})

    said = [*jobs.company(who), *jobs.homes(who)]

    _, hcp = house.calls(mark)
    assert said[-1].text == "1 of 1 can get jobs"
    assert {call.split()[0] for call in hcp} == {"GET"}
    client = jobs._client(who)
    with pytest.raises(Halted):
        client.post("/jobs", {}, lambda _: None)
    assert house.jobs() == []


def test_a_sandbox_speaks_to_this_machine_alone(tmp_path: Path) -> None:
    """JX-55: demonstrations, measurements and assaults run with the settings that it writes."""
    folder = Folder(tmp_path)
    ports = dict.fromkeys(("airtable", "housecallpro", "feeds", "evolve", "cloudmailin"), 4711)
    order = Order.new(seed=1, feeds=0, day=date(2026, 3, 1), empty=True)
    launch._write_settings(folder, order, Serving(pid=1, started=1, ports=ports))
    for env in ENVIRONMENTS:
        process = {"CHANGEOVER_CONFIG": str(folder.config), "CHANGEOVER_HOME": str(folder.home)}
        assert all(is_loopback(url) for url in load(env, process).outside_urls)


def test_no_test_script_or_stand_in_knows_where_the_real_service_is() -> None:
    """JX-55: only the settings' own default does."""
    places = ("tests", "scripts", "src", "deploy", "cron", "config")
    files = (path for place in places for path in (ROOT / place).rglob("*") if path.suffix in CODE and path.is_file())
    naming = {str(path.relative_to(ROOT)) for path in files if ADDRESS in path.read_text("utf-8", errors="replace")}
    assert naming == {"tests/unit/settings/test_loading.py", "src/changeover/settings/model.py"}
