"""Made-up rows and stays, and a state database in a file, for the tests of the base's side."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from changeover.airtable.schema import BaseSpec, SchemaFacts, load
from changeover.core.stay import EntryType, Status, Stay
from changeover.store.database import Database
from changeover.store.mirror import Cell, Record
from changeover.store.tables import metadata

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
FILE = Path(__file__).parents[3] / "config" / "airtable_base.json"


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def spec() -> BaseSpec:
    return load(FILE)


@pytest.fixture(scope="session")
def schema(spec: BaseSpec) -> SchemaFacts:
    return SchemaFacts({table.name: {field.name: field.type for field in table.fields} for table in spec.tables})


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def row() -> Callable[..., Record]:
    """A live Reservations record; keyword arguments replace cells by a short name or stand as given."""

    def make(record_id: str = "recSTAY0000000001", **more: Cell) -> Record:
        fields: dict[str, Cell] = {
            "Reservation UID": "u_1_recCASA0000000001",
            "ICS URL": "https://feeds.example/ics/secret-token.ics",
            "Status": "New",
            "Entry Type": "Reservation",
            "Entry Source": "Airbnb",
            "Property ID": ["recCASA0000000001"],
            "Check-in Date": "2026-03-10",
            "Check-out Date": "2026-03-14",
            "Service Type": "Turnover",
        }
        fields |= {name.replace("_", " "): cell for name, cell in more.items()}
        return Record(
            record_id, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), {k: v for k, v in fields.items() if v is not None}
        )

    return make


@pytest.fixture
def stay() -> Stay:
    return Stay(
        record_id="recSTAY0000000001",
        uid="u_1_recCASA0000000001",
        source="recFEED0000000001",
        url="https://feeds.example/ics/secret-token.ics",
        property_id="recCASA0000000001",
        check_in=date(2026, 3, 10),
        check_out=date(2026, 3, 14),
        entry_type=EntryType.RESERVATION,
        status=Status.NEW,
        entry_source="Airbnb",
        created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        service_type="Turnover",
    )
