"""A plausible business of many calendars over days: after each day the rows say what is true, each stay once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

import pytest

from changeover.exits import Exit
from changeover_sandbox.deployment import Order, Serving
from changeover_sandbox.seeding import fill_business
from plugins.outside import AUTOMATION
from plugins.outsider import TODAY, Business

FEEDS = 50
DAYS = 3
HOURS = (8, 20)
LOOKAHEAD = timedelta(days=180)
Key = tuple[str, date, date, str]


@pytest.fixture
def town(business: Business) -> Iterator[Business]:
    """The sandbox's own business of fifty calendars; its world is left as an empty one afterwards."""
    folder = business.sandbox.root / "sandbox"
    order, serving = Order.read(folder / "order.json"), Serving.read(folder / "serving.json")
    assert order is not None
    assert serving is not None
    dev_only = {"dev": order.credentials["dev"]}
    fill_business(order.model_copy(update={"feeds": FEEDS, "seed": 5, "day": TODAY, "credentials": dev_only}), serving)
    # The calendars are what this is about: their row is there already, with the others' ticks only time is spent.
    seeded = {str(row["Name"]): str(row["id"]) for row in business.office.records("Automation")}
    assert len(seeded) == 7
    business.office.table("Automation").batch_delete(list(seeded.values()))
    business.office.add("Automation", **{"Name": AUTOMATION, "Active": True})
    yield business
    business.sandbox.control("feeds", "POST", "world", {"seed": 0, "feeds": 0, "date": TODAY.isoformat()})


def test_after_each_days_run_the_rows_are_the_truth_and_every_stay_has_one(town: Business) -> None:
    """Invariants 1 and 2; V-16: new uids at each download gave one house 595 rows; V-18: three channels, three jobs."""
    for number in range(DAYS):
        for hour in HOURS:
            today = TODAY + timedelta(days=number)
            town.sandbox.control("feeds", "POST", "day", {"date": today.isoformat(), "hour": hour})
            town.now = datetime.fromisoformat(f"{today}T{hour:02}:00:00-07:00")
            ran = town.run(beat=timedelta(minutes=5))
            assert (ran.code, ran.only.state) == (Exit.OK, "succeeded"), ran.text
            if (number, hour) == (0, HOURS[0]):
                again = town.run()
                assert again.writes == [("PATCH", "Automation")]
        rows = town.office.live
        assert_invariants(rows)
        assert_true(town, rows, today)


def assert_invariants(rows: list[dict[str, object]]) -> None:
    """ARCHITECTURE §8.1."""
    assert all(row["Reservation UID"] and len(row["Property ID"]) == 1 for row in rows)  # type: ignore[arg-type]
    for names in (("Reservation UID",), ("Property ID", "Check-in Date", "Check-out Date")):
        keys = Counter(tuple(str(row[name]) for name in names) for row in rows)
        assert keys.most_common(1)[0][1] == 1


def assert_true(town: Business, rows: list[dict[str, object]], today: date) -> None:
    names = {row["id"]: str(row["Property Name"]) for row in town.office.records("Properties")}
    shown = {_key(names, row): row for row in rows if _end(row) > today}  # on the day itself some calendars are silent
    told = town.sandbox.control("feeds", "GET", "truth")
    true: dict[Key, Mapping[str, object]] = {}
    open_ends: set[tuple[str, str]] = set()
    for listing in told["listings"]:  # type: ignore[attr-defined]
        for stay in listing["stays"]:
            check_in, check_out = date.fromisoformat(stay["check_in"]), date.fromisoformat(stay["check_out"])
            if stay["open_end"]:
                open_ends.add((listing["property"], stay["entry_type"]))
            elif check_out > today and check_in <= today + LOOKAHEAD:
                true[listing["property"], max(check_in, TODAY), check_out, stay["entry_type"]] = stay
    missing = sorted(set(true) - set(shown))
    extra = sorted(key for key in set(shown) - set(true) if (key[0], key[3]) not in open_ends)
    assert (missing, [key for key in extra if not _lingering(shown[key])]) == ([], [])


def _key(names: Mapping[object, str], row: Mapping[str, object]) -> Key:
    (home,) = row["Property ID"]  # type: ignore[misc]
    check_in = max(date.fromisoformat(str(row["Check-in Date"])), TODAY)  # how long before, some calendars do not show
    return names[home], check_in, _end(row), str(row["Entry Type"])


def _end(row: Mapping[str, object]) -> date:
    return date.fromisoformat(str(row["Check-out Date"]))


def _lingering(row: Mapping[str, object]) -> bool:
    """Missed already, but not often or long enough to be gone (R-63)."""
    return bool(row.get("Missing Count"))
