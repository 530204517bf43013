"""Whatever bytes lie in the inbox: nothing raises, and no good row is lost to a bad one beside it."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from changeover import rulefiles
from changeover.core.stay import Rules
from changeover.sources.csv import suppliers
from changeover.sources.csv.inbox import InboxFile
from changeover.sources.csv.memory import Memory
from changeover.sources.csv.observe import SupplierResult, observe
from changeover.sources.csv.properties import Home, PropertyDirectory
from changeover.sources.csv.rows import Reason

FORMS = suppliers.load(rulefiles.find(name, Path("/nowhere")) for name in suppliers.FILES)
NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
HEADER = ("Reservation ID", "Property Name", "Checkin", "Checkout", "Tenant Name", "Property Owner", "Contractor Info")
HOMES = ("Saguaro Loft #40000001", "Ocotillo House #510020")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")
TAB1 = "Guest Name,Booking #,Listing #,Check-In,Check-Out,Address"
TAB2 = "Reservation,Property Address,Property Owner,Status,Check-In ,Check-Out,Guest Name"


def read(*bodies: bytes) -> list[SupplierResult]:
    files = [
        InboxFile(f"{n}.csv", NOW - timedelta(minutes=n), body, hashlib.sha256(body).hexdigest())
        for n, body in enumerate(bodies)
    ]
    directory = PropertyDirectory(Home(f"rec{n}", name, "Iris Vandermeer") for n, name in enumerate(HOMES))
    return observe(files, directory, Memory(), now=NOW, rules=Rules(ZoneInfo("America/Phoenix")), suppliers=FORMS)


def without_nul(text: str) -> bool:
    return "\0" not in text


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30).filter(without_nul)
days = st.dates(date(2026, 1, 1), date(2026, 12, 1))


@st.composite
def good(draw, uid: int) -> list[str]:
    check_in = draw(days)
    check_out = check_in + timedelta(days=draw(st.integers(1, 400)))
    form = draw(st.sampled_from(["%Y-%m-%d", "%m-%d-%Y", "%m/%d/%Y", "%Y-%m-%d 16:00:00"]))
    home = draw(st.sampled_from(HOMES))
    return [str(uid), home, f"{check_in:{form}}", f"{check_out:{form}}", *(draw(texts) for _ in range(3))]


@st.composite
def reports(draw) -> tuple[bytes, set[str], int]:
    """A report with good rows among others of any width and content, its good ids, and how many rows it has."""
    rows: list[list[str]] = []
    ids: set[str] = set()
    for number in range(draw(st.integers(0, 8))):
        if draw(st.booleans()):
            rows.append(draw(good(1000 + number)))
            ids.add(str(1000 + number))
        else:
            rows.append(["bad", *draw(st.lists(texts, max_size=9))])
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=draw(st.sampled_from(",;\t")), quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([HEADER, *rows])
    return buffer.getvalue().encode(draw(st.sampled_from(ENCODINGS))), ids, len(rows)


@given(reports())
@settings(max_examples=150, deadline=None)
def test_no_good_row_is_lost_and_every_other_one_is_set_aside_with_its_line(report) -> None:
    body, ids, rows = report
    (result,) = read(body)
    assert result.batch is not None
    seen = {each.uid for each in result.batch.observations}
    aside = [row for each in result.files for row in each.set_aside]
    assert seen - {"bad"} == ids
    assert all(row.line > 1 and row.reason in Reason for row in aside)
    assert result.batch.read == rows
    assert len(aside) <= rows - len(ids)


@given(reports())
@settings(max_examples=75, deadline=None)
def test_the_file_of_set_aside_rows_says_the_same_when_it_is_read_again(report) -> None:
    (first,) = read(report[0])
    move = first.files[0].move
    if move.rejected_rows is None:
        assert first.files[0].set_aside == ()
        return
    (second,) = read(move.rejected_rows.encode())
    assert [(row.reason, row.uid) for row in second.files[0].set_aside] == [
        (row.reason, row.uid) for row in first.files[0].set_aside
    ]
    assert second.batch is not None
    assert not second.batch.fully_read


@given(st.binary(max_size=300), st.sampled_from([",".join(HEADER), TAB1, TAB2, ""]), st.sampled_from(ENCODINGS))
@settings(max_examples=300, deadline=None)
def test_any_bytes_after_any_header_end_in_rows_or_a_reason(tail, header, encoding) -> None:
    results = read(f"{header}\n".encode(encoding) + tail)
    for result in results:
        for each in result.files:
            assert each.move.folder in ("done", "rejected")
            assert each.cause in ("Success", "unreadable", "unknown_headers")


@given(st.lists(reports(), min_size=2, max_size=3))
@settings(max_examples=50, deadline=None)
def test_of_several_reports_no_id_stands_twice_at_a_home(several) -> None:
    (result,) = read(*(body for body, _, _ in several))
    assert result.batch is not None
    places = [(each.uid, each.property_id) for each in result.batch.observations]
    assert len(places) == len(set(places))
    assert several[0][1] <= {uid for uid, _ in places}
