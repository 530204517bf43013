from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from changeover.core.plan import Alert, Level
from changeover.core.reconcile import reconcile
from changeover.core.stay import Batch, Kind, Observation, Rules, Sighting, Window, WindowEdge
from changeover.engine import knowledge
from changeover.engine.knowledge import Knowledge
from changeover.store import feeds, mirror, sightings
from changeover.store.database import Database
from changeover.store.mirror import Record
from changeover.store.tables import metadata
from plugins.paper_base import PHOENIX

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
URL = "https://feeds.example/casa.ics"
HOME, OLD, NEW, ROW = "recHOME0000000001", "recFEEDOLD0000001", "recFEEDNEW0000001", "recSTAY0000000001"
NIGHTS = date(2026, 4, 1), date(2026, 4, 5)
SEEN = Sighting(OLD, ROW, ("a1@x",), *NIGHTS, Kind.RESERVATION, "Airbnb", last_seen=NOW)
CELLS: dict[str, mirror.Cell] = {
    "Reservation UID": f"a1@x_{HOME}",
    "ICS URL": URL,
    "Status": "New",
    "Entry Type": "Reservation",
    "Entry Source": "Airbnb",
    "Property ID": [HOME],
    "Check-in Date": "2026-04-01",
    "Check-out Date": "2026-04-05",
    "Service Type": "Turnover",
    "Sync Status": "Not Created",
    "Final Service Time": "2026-04-05T17:15:00.000Z",
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """One house with one stay, seen under a feed's record that people have deleted and entered anew (R-70)."""
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    metadata.create_all(database.engine)
    feed: dict[str, mirror.Cell] = {"ICS URL": URL, "Feed Status": "Active", "Property Name": [HOME]}
    with database.begin() as connection:
        mirror.put(connection, "Properties", [Record(HOME, NOW, {"Property Name": "Casa Uno"})])
        mirror.put(connection, "ICS Feeds", [Record(NEW, NOW, feed)])
        mirror.put(connection, "Reservations", [Record(ROW, NOW, CELLS)])
        feeds.save(connection, [feeds.FeedState(OLD, urls=(URL,))])
        sightings.save(connection, [SEEN])
    yield database
    database.close()


def known(db: Database) -> Knowledge:
    with db.read() as connection:
        return knowledge.load(connection)


def test_what_an_earlier_record_was_seen_to_show_is_the_word_of_the_one_that_speaks_for_its_calendar(
    db: Database,
) -> None:
    found = known(db).known
    assert found.sightings == (replace(SEEN, source=NEW),)
    assert found.entered_anew == {NEW}
    assert found.stays[0].source == NEW


def test_its_own_word_comes_before_the_one_it_took_over(db: Database) -> None:
    own = replace(SEEN, source=NEW, misses=2)
    with db.begin() as connection:
        sightings.save(connection, [own])
    assert known(db).known.sightings == (own,)


def test_a_stay_shown_again_by_the_new_record_is_remembered_as_seen_now(db: Database) -> None:
    """Nothing is stored under its key yet, so nothing can be moved there as a whole."""
    source, later = known(db).known.sources[NEW], NOW + timedelta(hours=4)
    for at in (later, later + timedelta(hours=4)):
        window = Window(WindowEdge.CHECK_OUT, at.date(), at.date() + timedelta(days=365))
        shown = Observation("a1@x", HOME, *NIGHTS, Kind.RESERVATION)
        batch = Batch(replace(source, entry_source="Airbnb"), at, window, fully_read=True, observations=(shown,))
        plan = reconcile(known(db).known, [batch], at, Rules(PHOENIX))
        assert not plan.changes
        with db.begin() as connection:
            sightings.see_again(connection, plan.seen)
            sightings.save(connection, plan.sightings)
        assert known(db).known.sightings[0].last_seen == at


def test_a_row_of_a_source_that_cannot_be_used_is_told_and_a_row_of_people_is_not(db: Database) -> None:
    bad: dict[str, mirror.Cell] = {**CELLS, "Status": "Old?"}
    peoples = {name: cell for name, cell in bad.items() if name != "ICS URL"}
    with db.begin() as connection:
        mirror.put(connection, "Reservations", [Record("recBAD", NOW, bad), Record("recPEOPLES", NOW, peoples)])
    text = "row recBAD cannot be used: no_status"
    assert known(db).alerts == (Alert("unusable_row", "recBAD", Level.WARNING, text),)
