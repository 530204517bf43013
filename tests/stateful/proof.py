"""What must hold after every run that nothing disturbed: row by row, in the words of ARCHITECTURE §8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from stateful.model import PHOENIX, Guest, Outcome, Row, Truth
from stateful.stand_ins import Base, Feeds

HUMAN = ("Custom Service Time", "Our Notes", "Custom Service Line Instructions")
KEPT_AFTER_DELETION = ("Custom Service Time", "Custom Service Line Instructions")
EXIT_OK, EXIT_PARTIAL, EXIT_FAILED, EXIT_LOCKED, EXIT_UNREACHABLE = 0, 2, 3, 5, 75
Cells = dict[str, Any]
Rows = dict[str, Cells]


class Proof:
    """The checks; who inherits them keeps the truth and makes the runs."""

    base: Base
    servers: Feeds
    truth: Truth
    houses: list[str]
    apart: set[str]  # houses that other eyes judge
    has_jobs: bool  # a company does their jobs
    statistics: ClassVar[Counter[str]] = Counter()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def today(self) -> date:
        return self.now.astimezone(PHOENIX).date()

    def _is_apart(self, cells: Cells) -> bool:
        return bool(self.apart & set(cells.get("Property ID", ())))

    def check_apart(self, rows: Rows) -> None:
        """The houses that are judged by what must be true whatever was read when."""
        raise NotImplementedError

    def converge(self) -> None:
        raise NotImplementedError

    def on_two_rows(self, live: Iterable[Cells]) -> list[str]:
        """The jobs that several live rows carry (J-5)."""
        jobs = Counter(cells["Service Job ID"] for cells in live if cells.get("Service Job ID"))
        return [job_id for job_id, number in jobs.items() if number > 1]

    def nobodys_business(self, cells: Cells) -> bool:
        """Whether what a row says may hang on rows of houses that other eyes judge."""
        return False

    def check_jobs(self, rows: Rows, result: Any) -> None:
        """What a run that nothing disturbed has made of jobs, where there are any."""

    def check_always(self, rows: Rows) -> None:
        """What holds at every moment, also of a base left in the middle of a run that died (§8.1, §8.4, §8.7)."""
        live = [cells for cells in rows.values() if cells.get("Status") in ("New", "Modified")]
        assert all(cells.get("Reservation UID") and cells.get("Property ID") for cells in live), live
        uids = Counter(cells["Reservation UID"] for cells in live)
        assert uids.total() == len(uids), f"two live rows of one stay: {uids.most_common(2)}"
        assert not self.on_two_rows(live), f"two live rows of one job: {self.on_two_rows(live)}"
        for guest in self.truth.guests:
            row = guest.row
            if row is None or not row.record_id or row.deleted_at is not None:
                continue
            said = {name: rows[row.record_id][name] for name in HUMAN if name in rows[row.record_id]}
            assert said == row.human, ("a person's word was lost", guest, said)
            assert rows[row.record_id].get("Service Job ID", "") == row.job

    def _check_result(self, result: Any, outcomes: list[Outcome]) -> None:
        """Counts and exit code are those of this run (C-20 … C-22), be it the first or the second of two."""
        automation = next(each for each in result.automations if each.name == "ICS Calendar")
        failing = automation.counters["feeds_failing"]
        outcome = next((each for each in reversed(outcomes) if each.bad == failing), None)
        assert outcome is not None, (automation, outcomes)
        assert automation.counters["feeds"] == outcome.good + outcome.bad
        if outcome.bad and not outcome.good:
            assert automation.state == "failed"
            assert result.exit_code in (EXIT_PARTIAL, EXIT_FAILED)
        elif outcome.bad or outcome.held:
            assert result.exit_code == EXIT_PARTIAL, (result, outcome)

    def _find_again(self, rows: Rows, *, whole: bool) -> None:
        """Gives rows of the truth the record ids they got, and finds those made again after a deletion (AT-35)."""
        live = {
            cells.get("Reservation UID"): key
            for key, cells in rows.items()
            if cells.get("Status") in ("New", "Modified")
        }
        any_state = {c.get("Reservation UID"): k for k, c in rows.items() if c.get("Status") != "Old"}
        for guest in self.truth.guests:
            row = guest.row
            if row is None:
                continue
            if row.deleted_at is not None:
                self._made_again(guest, row, rows, live, whole=whole)
            elif not row.record_id:
                row.record_id = any_state.get(row.uid, "")
                row.job = rows.get(row.record_id, {}).get("Service Job ID", "") if self.has_jobs else row.job

    def _made_again(self, guest: Guest, row: Row, rows: Rows, live: dict[Any, str], *, whole: bool) -> None:
        found = live.get(row.uid) or live.get(f"{guest.uid}_{guest.feed.house}")
        asked = guest.feed.status == "Active" and not guest.feed.outage
        expected = asked and whole and guest.shown and guest in self.truth.listed(guest.feed, self.today)
        assert found or not expected, ("not made again", guest)
        if not found:
            return
        cells = rows[found]
        assert cells.get("Service Job ID", "") == row.job or (self.has_jobs and not row.job)
        row.job = cells.get("Service Job ID", "")
        for name in KEPT_AFTER_DELETION:
            assert cells.get(name, "") == row.human.get(name, "")
        row.record_id, row.deleted_at = found, None
        row.human = {name: text for name, text in row.human.items() if name in KEPT_AFTER_DELETION}
        row.uid, row.live, row.house = cells["Reservation UID"], True, cells["Property ID"][0]
        row.nights = (date.fromisoformat(cells["Check-in Date"]), date.fromisoformat(cells["Check-out Date"]))
        row.kind, row.misses, row.told, row.since = cells["Entry Type"], 0, 0, None
        if missing := cells.get("Missing Count", 0):  # it was back before this run, which has missed it already
            row.misses, row.told, row.since = missing, missing, self.now
        row.gone, row.held, row.suspected = False, False, False
        row.service = cells["Service Type"]
        row.url = cells["ICS URL"].rpartition("/")[2].removesuffix(".ics")
        self.statistics["rows made again"] += 1

    def _check_rows(self, rows: Rows) -> None:
        history = Counter(c["Reservation UID"] for c in rows.values() if c.get("Status") == "Old")
        live = {key: cells for key, cells in rows.items() if cells.get("Status") in ("New", "Modified")}
        expected = {g.row.record_id: g for g in self.truth.guests if g.row and g.row.live and not g.row.deleted_at}
        assert live.keys() == expected.keys(), self._difference(live, expected)
        assert not self.on_two_rows(live.values()), self.on_two_rows(live.values())
        for guest in self.truth.guests:
            if guest.row is not None and guest.row.deleted_at is None:
                self._check_row(guest, guest.row, rows)
        known = Counter[str]()
        for guest in self.truth.guests:
            if guest.row is not None:
                known["versions"] += guest.row.versions
        if not any(g.row and g.row.was_deleted for g in self.truth.guests):
            assert sum(history.values()) == known["versions"], (history, known)
        self._check_flags(live)

    def _check_row(self, guest: Guest, row: Row, rows: Rows) -> None:
        cells = rows[row.record_id]
        said = {
            "uid": cells["Reservation UID"],
            "property": cells["Property ID"],
            "nights": (cells["Check-in Date"], cells["Check-out Date"]),
            "kind": cells["Entry Type"],
            "service": cells.get("Service Type"),
            "job": cells.get("Service Job ID", ""),
            "live": cells["Status"] != "Removed",
            "human": {name: cells[name] for name in HUMAN if name in cells},
        }
        true = {
            "uid": row.uid,
            "property": [row.house],
            "nights": (row.nights[0].isoformat(), row.nights[1].isoformat()),
            "kind": row.kind,
            "service": row.service,
            "job": row.job,
            "live": row.live,
            "human": row.human,
        }
        if row.live:
            said["url"], true["url"] = cells["ICS URL"], self.servers.address(row.url)
            if row.nights[0] > self.today:
                said["misses"] = cells.get("Missing Count", 0)
                true["misses"] = row.told
        assert said == true, (guest, {name: (said[name], true[name]) for name in said if said[name] != true[name]})

    def _check_flags(self, live: Rows) -> None:
        """Same-day Turnover where no block could mean an owner (R-84), and no overlap, as nobody overlaps."""
        if any(g.row and g.row.deleted_at for g in self.truth.guests):
            return
        for house in self.houses:
            here = [cells for cells in live.values() if cells["Property ID"] == [house]]
            arrivals = {cells["Check-in Date"] for cells in here if cells["Entry Type"] == "Reservation"}
            blocks = any(cells["Entry Type"] == "Block" for cells in here)
            for cells in here:
                assert "Overlapping Dates" not in cells
                if not blocks and cells["Check-out Date"] >= self.today.isoformat():
                    same_day = cells["Check-out Date"] in arrivals
                    assert cells.get("Same-day Turnover", False) is same_day, cells

    def _difference(self, live: Rows, expected: dict[str, Guest]) -> str:
        extra = {key: live[key] for key in live.keys() - expected.keys()}
        missing = {key: expected[key] for key in expected.keys() - live.keys()}
        return f"too many: {extra}\nmissing: {missing}"
