"""The portal's tables: columns, what a filter leaves, what an export looks like, when it misbehaves."""

from __future__ import annotations

from datetime import date

import pytest

from changeover.sources.csv import suppliers
from changeover.sources.csv.read import recognise
from changeover_sandbox.evolve.bookings import TAB1, TAB2, Days, UnknownColumnError, complete, day_of, export
from changeover_sandbox.evolve.misbehaviour import Misbehaviour, Mode, Order
from changeover_sandbox.evolve.state import Account, PortalState

ROW = {"Guest Name": "Maren Tolliver", "Booking #": "30000002", "Check-Out": "2026-03-20"}


def test_a_row_gets_every_column_of_its_table():
    assert tuple(complete(1, ROW)) == TAB1
    assert tuple(complete(2, {"Check-In": "2026-03-09"})) == TAB2
    assert complete(2, {"Check-In": "2026-03-09"})["Check-In "] == "2026-03-09"


def test_a_cell_without_column_is_refused_by_name():
    with pytest.raises(UnknownColumnError, match="tab 1 has no column Colour, Shape"):
        complete(1, {"Shape": "", "Colour": ""})


def test_tab_1_shows_dates_month_first_and_tab_2_as_they_were_entered():
    assert complete(1, ROW)["Check-Out"] == "03-20-2026"
    assert complete(1, {"Check-Out": "soon"})["Check-Out"] == "soon"
    assert complete(2, {"Check-Out": "2026-03-20"})["Check-Out"] == "2026-03-20"
    assert complete(2, {"Check-Out": "03-20-2026"})["Check-Out"] == "03-20-2026"


def test_an_export_is_what_the_portal_gives_byte_for_byte():
    assert export(2, [complete(2, {"Reservation": "30000090", "Property Address": "12 E St, Mesa"})]) == (
        b"\xef\xbb\xbfReservation,Property Address,Property Owner,Status,Check-In ,Check-Out,Guest Name\n"
        b'30000090,"12 E St, Mesa",,,,,\n'
    )


@pytest.mark.parametrize("tab", [1, 2])
def test_the_program_knows_an_export_by_its_header(tab, repo_suppliers):
    found = recognise(export(tab, []), repo_suppliers)
    assert found is not None
    assert found.shape == f"evolve_tab{tab}"


@pytest.fixture
def repo_suppliers(request):
    return suppliers.load(request.config.rootpath / "config" / name for name in suppliers.FILES)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-03-20", date(2026, 3, 20)),
        ("03-20-2026", date(2026, 3, 20)),
        ("2026-02-30", None),
        ("13-20-2026", None),
        ("", None),
    ],
)
def test_days_of_either_form_are_read_and_nothing_else(cell, day):
    assert day_of(cell) == day


def test_a_filter_keeps_both_its_ends_and_drops_what_has_no_day():
    days = Days(date(2026, 3, 1), date(2026, 4, 30))
    cells = ("2026-02-28", "2026-03-01", "04-30-2026", "2026-05-01", "")
    assert [days.has({"Check-Out": cell}) for cell in cells] == [False, True, True, False, False]


def test_bookings_outlive_the_process_and_sessions_do_not(tmp_path):
    first = PortalState(tmp_path / "portal", [Account("a", "b")])
    first.replace({1: [ROW]})
    session = first.sign_in("a", "b")
    assert session is not None
    assert first.signed_in(session)
    first.close()
    second = PortalState(tmp_path / "portal", [Account("a", "b")])
    assert [row["Booking #"] for row in second.rows(1)] == ["30000002"]
    assert not second.signed_in(session)
    second.reset()
    assert second.rows(1) == []
    second.close()


def test_rows_with_a_wrong_column_replace_nothing():
    state = PortalState(None, [])
    state.replace({1: [ROW]})
    with pytest.raises(UnknownColumnError):
        state.replace({1: [], 2: [{"Colour": ""}]})
    assert len(state.rows(1)) == 1
    state.close()


def test_an_account_does_not_show_its_password():
    assert "secret" not in repr(Account("a", "secret"))


def test_misbehaviour_is_used_up_and_concerns_its_tab_only():
    found = Misbehaviour([Order(mode=Mode.WRONG_TAB, tab=2, times=2), Order(mode=Mode.SLOW, value=1.5)])
    assert found.take(Mode.WRONG_TAB, 1) is None
    assert [found.take(Mode.WRONG_TAB, 2) is not None for _ in range(3)] == [True, True, False]
    assert (found.seconds(Mode.SLOW), found.seconds(Mode.SLOW), found.seconds(Mode.LATE_FILE)) == (1.5, 1.5, 0.0)
