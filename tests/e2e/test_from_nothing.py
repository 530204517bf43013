"""The first hour of somebody who has only the documentation: the printed commands, pyairtable and calendar files."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
from pyairtable import Api

from plugins.outsider import PROGRAM

TODAY = datetime.now(ZoneInfo("America/Phoenix")).date()
CASA = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN
BEGIN:VEVENT
UID:1418fb94e984-0123456789abcdef0123456789abcdef@airbnb.com
DTSTART;VALUE=DATE:{guest_in}
DTEND;VALUE=DATE:{guest_out}
SUMMARY:Reserved
DESCRIPTION:Reservation URL: https://www.airbnb.com/hosting/reservations/details/HMABCDEF12
END:VEVENT
BEGIN:VEVENT
UID:7f662ec65913-0123456789abcdef0123456789abcdef@airbnb.com
DTSTART;VALUE=DATE:{block_in}
DTEND;VALUE=DATE:{block_out}
SUMMARY:Airbnb (Not available)
END:VEVENT
END:VCALENDAR
"""


def calendars(said: dict[str, object]) -> dict[str, object]:
    """The calendars' part of what a run said."""
    return next(each for each in said["automations"] if each["name"] == "ICS Calendar")  # type: ignore[attr-defined]


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Said:
    """What a command came to, and what it asked of the base."""

    code: int
    out: str
    calls: Sequence[dict[str, object]]
    writes: Sequence[tuple[str, str]]

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.out)


@dataclass
class Stranger:
    """Types commands, edits the base, and puts calendar files onto a web server."""

    folder: Path
    site: str = ""
    answer: dict[str, dict[str, object]] | None = None

    def types(self, *line: str) -> Said:
        url = str(self.answer["airtable"]["url"]) if self.answer and line[0] != "sandbox" else ""
        since = requests.get(f"{url}/_sandbox/requests?since=999999999", timeout=5).json()["next"] if url else 0
        places = {"CHANGEOVER_CONFIG": str(self.folder / "config"), "CHANGEOVER_HOME": str(self.folder / "var")}
        done = subprocess.run(
            [PROGRAM, *line], env={**os.environ, **places}, capture_output=True, text=True, check=False, timeout=90
        )
        calls = requests.get(f"{url}/_sandbox/requests?since={since}", timeout=5).json()["requests"] if url else []
        writes = [(each["method"], each["path"].split("/")[-1]) for each in calls if each["method"] != "GET"]
        return Said(done.returncode, done.stdout + done.stderr if done.returncode else done.stdout, calls, writes)

    def table(self, name: str, env: str = "dev"):
        assert self.answer is not None
        keys = self.answer["airtable"][env]
        return Api(keys["api_key"], endpoint_url=str(self.answer["airtable"]["url"])).table(keys["base_id"], name)  # type: ignore[index]

    def rows(self, env: str = "dev") -> list[dict[str, object]]:
        found = (each["fields"] for each in self.table("Reservations", env).all())
        return sorted(found, key=lambda row: str(row["Check-in Date"]))

    def puts(self, name: str, text: str, **days: int) -> str:
        dates = {key: f"{TODAY + timedelta(days=number):%Y%m%d}" for key, number in days.items()}
        (self.folder / "site" / name).write_text(text.format(**dates))
        return f"{self.site}/{name}"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "site").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Stranger(folder, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class FirstHour:
    """Everything that was done, in order, and what came of it."""

    stranger: Stranger
    home: str
    url: str
    init: Said
    rehearsal: Said
    rows_after_rehearsal: list[dict[str, object]]
    first: Said
    rows: list[dict[str, object]]
    second: Said
    runs: Said


@pytest.fixture(scope="module")
def hour(stranger: Stranger) -> Iterator[FirstHour]:
    up = stranger.types("sandbox", "up", "--dir", str(stranger.folder), "--empty")
    assert up.code == 0, up.out
    stranger.answer = up.json  # type: ignore[assignment]
    init = stranger.types("airtable", "init", "--env", "dev")
    switches = stranger.table("Automation")
    row = next(each for each in switches.all() if each["fields"]["Name"] == "ICS Calendar")
    switches.update(row["id"], {"Active": True})
    home = stranger.table("Properties").create({"Property Name": "Casa Uno"})["id"]
    url = stranger.puts("casa.ics", CASA, guest_in=3, guest_out=7, block_in=20, block_out=23)
    stranger.table("ICS Feeds").create({"ICS URL": url, "Feed Status": "Active", "Property Name": [home]})
    rehearsal = stranger.types("run", "--env", "dev", "--dry-run")
    after = stranger.rows()
    first = stranger.types("run", "--env", "dev", "--json")
    rows = stranger.rows()
    second = stranger.types("run", "--env", "dev", "--json")
    runs = stranger.types("runs", "list", "--env", "dev", "--automation", "ICS Calendar", "--json")
    yield FirstHour(stranger, home, url, init, rehearsal, after, first, rows, second, runs)
    assert stranger.types("sandbox", "down", "--dir", str(stranger.folder)).code == 0


def test_init_makes_the_switches_and_says_what_to_make_by_hand(hour: FirstHour) -> None:
    assert hour.init.code == 0, hour.init.out
    assert "Automation" in hour.init.out
    assert "make by hand" in hour.init.out
    names = {row["fields"]["Name"] for row in hour.stranger.table("Automation").all()}
    assert len(names) == 7


def test_a_dry_run_prints_the_plan_and_writes_nothing_outside(hour: FirstHour) -> None:
    """Z-8: a dry run executed."""
    assert hour.rehearsal.code == 0
    assert hour.rehearsal.writes == []
    assert hour.rows_after_rehearsal == []
    assert (
        f"Casa Uno {TODAY + timedelta(days=3)} → {TODAY + timedelta(days=7)} Reservation (Airbnb)" in hour.rehearsal.out
    )
    assert "new 2 (1 res, 1 block)" in hour.rehearsal.out


def test_the_first_run_makes_a_row_per_stay_with_every_field_of_its_source(hour: FirstHour) -> None:
    assert hour.first.code == 0, hour.first.out
    guest, block = hour.rows
    check_out = TODAY + timedelta(days=7)
    updated = guest.pop("Last Updated")
    assert updated
    assert guest == {
        "Reservation UID": f"1418fb94e984-0123456789abcdef0123456789abcdef@airbnb.com_{hour.home}",
        "ICS URL": hour.url,
        "Status": "New",
        "Entry Type": "Reservation",
        "Entry Source": "Airbnb",
        "Property ID": [hour.home],
        "Check-in Date": str(TODAY + timedelta(days=3)),
        "Check-out Date": str(check_out),
        "Service Type": "Turnover",
        "Final Service Time": f"{check_out}T17:15:00.000Z",
        "Sync Status": "Not Created",
        "Missing Count": 0,
    }
    assert (block["Entry Type"], block["Service Type"], block.get("Block Type")) == ("Block", "Needs Review", None)


def test_the_row_of_the_feed_says_how_its_download_went(hour: FirstHour) -> None:
    (row,) = (each["fields"] for each in hour.stranger.table("ICS Cron").all())
    assert (row["ICS URL"], row["ICS URL VEVENTS #"], row["ICS URL VEVENTS Reservations"]) == (hour.url, 2, 2)
    assert row["ICS URL Response"] == "Success"
    assert row["First Run"]


def test_the_result_is_one_object_with_the_counts_of_that_run(hour: FirstHour) -> None:
    """Z-3: yesterday's log summary was shown as today's success."""
    answer = hour.first.json
    assert (answer["state"], answer["exit_code"]) == ("succeeded", 0)
    automation = calendars(answer)
    assert automation["counters"]["changes"] == {"new.Block": 1, "new.Reservation": 1}
    assert automation["text"].startswith("✅ 1/1 feeds — new 2 (1 res, 1 block) — modified 0 (0 res, 0 block) — ")
    again = calendars(hour.second.json)
    assert again["counters"]["changes"] == {}
    assert again["text"].startswith("✅ 1/1 feeds — new 0 (0 res, 0 block) — modified 0 (0 res, 0 block) — ")


def test_a_second_run_on_the_same_calendars_costs_three_reads_and_its_report(hour: FirstHour) -> None:
    """AT-39, invariant 2: nothing is written anywhere but the one request of the report."""
    assert hour.second.code == 0
    assert hour.second.writes == [("PATCH", "Automation")]
    assert len(hour.second.calls) <= 4


def test_the_switches_row_shows_the_result_of_the_last_run_and_when_it_began(hour: FirstHour) -> None:
    rows = [each["fields"] for each in hour.stranger.table("Automation").all()]
    (row,) = [each for each in rows if each["Name"] == "ICS Calendar"]
    again = calendars(hour.second.json)
    assert row["Sync Details"] == again["text"]
    assert datetime.fromisoformat(row["Last Ran Time"]).date() >= date(2026, 1, 1)
    assert abs(datetime.fromisoformat(row["Last Ran Time"]) - datetime.fromisoformat(again["started_at"])) < timedelta(
        seconds=1
    )


def test_every_run_is_on_record_with_its_trigger_and_state(hour: FirstHour) -> None:
    """Z-13: one overwritten row was the only history."""
    found = hour.runs.json["runs"]
    assert [(each["automation"], each["trigger"], each["state"]) for each in found] == [  # type: ignore[attr-defined,index]
        ("ICS Calendar", "cli", "succeeded")
    ] * 3
