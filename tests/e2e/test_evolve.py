"""The program as a person starts it and a real Chromium: the portal's bookings become rows and nothing is left."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from changeover.exits import Exit
from plugins.outsider import PROGRAM, Business
from plugins.portal import OWNER, tab1, tab2


@pytest.mark.browser
def test_a_run_of_evolve_alone_brings_the_portals_bookings_into_the_base(business: Business) -> None:
    today = datetime.now(UTC).astimezone(business.settings().zone).date()
    office = business.office
    office.add("Automation", **{"Name": "Evolve", "Active": True})
    owner = office.add("Customers", **{"Full Name": OWNER})
    home = office.add("Properties", **{"Property Name": "Ocotillo House #510020", "HCP Customer ID": [owner]})
    bookings = {
        "tab1": [tab1(30000001, today + timedelta(2)), tab1(30000002, today + timedelta(90))],
        "tab2": [tab2(30000001, today + timedelta(2)), tab2(30000009, today + timedelta(9), guest=OWNER)],
    }
    business.sandbox.control("evolve", "PUT", "bookings", bookings)
    done = business.command("run", "--env", "dev", "--only", "Evolve", "--json")
    assert done.returncode == Exit.OK, done.stdout
    (told,) = json.loads(done.stdout)["automations"]
    assert told["text"].startswith("✅ 2/2 tabs — new 2 (1 res, 1 block) — modified 0 (0 res, 0 block) — removed 0")
    assert [(row["Property ID"], row["Entry Source"], row["ICS URL"]) for row in office.live] == [
        ([home], "Evolve", "csv_evolve"),
        ([home], "Evolve", "csv_evolve_blocks"),
    ]
    assert office.automation("Evolve")["Sync Details"] == told["text"]
    assert list((business.data() / "browser").iterdir()) == []
    assert not _processes_of(business.data() / "browser")
    secret = business.settings().evolve_password.get_secret_value()
    written = done.stdout + done.stderr + "".join(path.read_text() for path in (business.data() / "logs").iterdir())
    assert not [word for word in (secret, business.sandbox.url("evolve"), "Pembroke", "@example") if word in written]
    business.sandbox.control("evolve", "POST", "reset")


@pytest.mark.browser
def test_a_signal_in_the_middle_of_a_visit_ends_the_run_and_its_browser(business: Business) -> None:
    """C-33: what was on the way ends, nothing new begins, and no browser is left behind."""
    business.office.add("Automation", **{"Name": "Evolve", "Active": True})
    business.sandbox.control("evolve", "POST", "misbehaviour", {"mode": "never-loading"})
    line = [PROGRAM, "run", "--env", "dev", "--only", "Evolve", "--json"]
    run = subprocess.Popen(line, env=business.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    folder = business.data() / "browser"
    asked = business.sandbox.next_request("evolve")
    while not any("api" in str(each["path"]) for each in business.sandbox.requests("evolve", asked)):
        assert run.poll() is None
        business.pause()
    assert _processes_of(folder)
    run.terminate()
    said, _ = run.communicate(timeout=60)
    business.sandbox.control("evolve", "POST", "reset")
    assert (run.returncode, json.loads(said)["state"]) == (Exit.STOPPED, "stopped")
    assert (list(folder.iterdir()), _processes_of(folder)) == ([], [])


def _processes_of(folder: Path) -> list[str]:
    """Processes of this machine that know the folder as their home."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [each.parent.name] if f"HOME={folder}".encode() in each.read_bytes() else []
        except OSError:
            continue
    return found
