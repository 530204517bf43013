from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from changeover import rulefiles
from changeover.core.stay import Kind, Observation, Rules
from changeover.sources.csv import suppliers
from changeover.sources.csv.inbox import InboxFile
from changeover.sources.csv.memory import Memory, Shown
from changeover.sources.csv.observe import FileResult, SupplierResult, observe
from changeover.sources.csv.properties import Home, Override, PropertyDirectory
from changeover.sources.csv.suppliers import Supplier

NOW = datetime.fromisoformat("2026-03-10T08:00:00-07:00")
PHOENIX = ZoneInfo("America/Phoenix")
ITRIP = ("Reservation ID", "Property Name", "Checkin", "Checkout", "Tenant Name", "Property Owner")
TAB1 = ("Guest Name", "Booking #", "Listing #", "Check-In", "Check-Out", "Address")
TAB2 = ("Reservation", "Property Address", "Property Owner", "Status", "Check-In ", "Check-Out", "Guest Name")


@pytest.fixture(scope="session")
def forms() -> tuple[Supplier, ...]:
    return suppliers.load(rulefiles.find(name, Path("/nowhere")) for name in suppliers.FILES)


def text(header: Sequence[str], *rows: Sequence[str], delimiter: str = ",") -> str:
    quoted = (delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (header, *rows))
    return "\n".join(quoted) + "\n"


@dataclass
class Desk:
    """Reads reports against a few homes. Every file is received at `NOW` unless told otherwise."""

    forms: tuple[Supplier, ...]
    homes: list[Home] = field(
        default_factory=lambda: [
            Home("recSaguaro", "Saguaro Loft #40000001"),
            Home("recQuail", "Quail Run Casita #40000005"),
            Home("recOcotillo", "Ocotillo House #510020", "Iris Vandermeer"),
            Home("recAgave", "Agave Retreat #510021", "Iris Vandermeer"),
            Home("recIronwood", "Ironwood Villa #510034", "Gideon Hartwell"),
        ]
    )
    overrides: list[Override] = field(default_factory=list)
    imported: dict[str, datetime] = field(default_factory=dict)
    addresses: dict[str, frozenset[str]] = field(default_factory=dict)
    stays: list[Shown] = field(default_factory=list)
    now: datetime = NOW

    def file(self, body: str | bytes, name: str = "report.csv", hours_ago: float = 0) -> InboxFile:
        raw = body.encode() if isinstance(body, str) else body
        at = self.now - timedelta(hours=hours_ago)
        return InboxFile(name, at, raw, hashlib.sha256(raw).hexdigest())

    def itrip(self, *rows: Sequence[str], header: Sequence[str] = ITRIP, **more: object) -> InboxFile:
        return self.file(text(header, *rows), **more)

    def tab1(self, *rows: Sequence[str], **more: object) -> InboxFile:
        return self.file(text(TAB1, *rows), **({"name": "tab1.csv"} | more))

    def tab2(self, *rows: Sequence[str], **more: object) -> InboxFile:
        return self.file(text(TAB2, *rows), **({"name": "tab2.csv"} | more))

    def shown(self, source: str, uid: str, home: str, kind: Kind = Kind.RESERVATION, hours_ago: float = 24) -> None:
        nights = (self.now + timedelta(days=5)).date(), (self.now + timedelta(days=9)).date()
        self.stays.append(Shown(source, uid, home, *nights, kind, self.now - timedelta(hours=hours_ago)))

    def observe(self, *files: InboxFile) -> list[SupplierResult]:
        memory = Memory(self.imported, self.addresses, tuple(self.stays))
        directory = PropertyDirectory(self.homes, self.overrides)
        return observe(files, directory, memory, now=self.now, rules=Rules(PHOENIX), suppliers=self.forms)

    def result(self, *files: InboxFile, source: str = "") -> SupplierResult:
        """The result of one source, of the only one where none is named."""
        found = [each for each in self.observe(*files) if not source or (each.supplier and each.supplier.key == source)]
        (one,) = found
        return one

    def seen(self, *files: InboxFile, source: str = "") -> list[Observation]:
        result = self.result(*files, source=source)
        assert result.batch is not None
        return list(result.batch.observations)

    def only(self, *files: InboxFile, source: str = "") -> Observation:
        (observation,) = self.seen(*files, source=source)
        return observation

    def reasons(self, *files: InboxFile, source: str = "") -> list[str]:
        return [row.why for row in rows_of(self.result(*files, source=source).files)]


def rows_of(files: Iterable[FileResult]):
    return [row for each in files for row in each.set_aside]


@pytest.fixture
def desk(forms: tuple[Supplier, ...]) -> Desk:
    return Desk(forms)


@pytest.fixture
def row() -> Callable[..., list[str]]:
    """A good iTrip row of the six columns every report has."""

    def make(uid: str = "8000001", **more: str) -> list[str]:
        values = {
            "home": "Saguaro Loft #40000001",
            "check_in": "2026-03-12",
            "check_out": "2026-03-15",
            "tenant": "Nadia Quillfeather",
            "owner": "Marlow Fenwick",
        } | more
        return [uid, values["home"], values["check_in"], values["check_out"], values["tenant"], values["owner"]]

    return make


@pytest.fixture
def booking() -> Callable[..., list[str]]:
    """A good row of Tab 1."""

    def make(uid: str = "30000001", **more: str) -> list[str]:
        values = {"listing": "510020", "check_in": "03-12-2026", "check_out": "03-15-2026"} | more
        address = more.get("address", "12 E Example Ave, Mesa, AZ 85203")
        return ["Lucian Pembroke", uid, values["listing"], values["check_in"], values["check_out"], address]

    return make


@pytest.fixture
def entry() -> Callable[..., list[str]]:
    """A row of Tab 2, the owner's own stay unless told otherwise."""

    def make(uid: str = "30000007", **more: str) -> list[str]:
        values = {
            "address": "12 E Example Ave, Mesa, AZ 85203",
            "owner": "Iris Vandermeer",
            "status": "Booked",
            "check_in": "2026-04-02",
            "check_out": "04-06-2026",
            "guest": "Iris Vandermeer",
        } | more
        return [uid, *(values[name] for name in ("address", "owner", "status", "check_in", "check_out", "guest"))]

    return make


@pytest.fixture
def table() -> Callable[..., str]:
    return text
