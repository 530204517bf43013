"""R-28, R-29, R-33: the two tabs, and that Tab 2 decides for both."""

from __future__ import annotations

import pytest

from changeover.core.stay import Kind

ONE, TWO = "csv_evolve", "csv_evolve_blocks"
AVE = "12 E Example Ave, Mesa, AZ 85203"


def told(observations) -> list[tuple[str, str, bool]]:
    return [(each.uid, str(each.kind), each.canceled) for each in observations]


def test_tab_1_shows_reservations(desk, booking) -> None:
    observation = desk.only(desk.tab1(booking(listing="510020.0")))
    assert (observation.property_id, observation.kind) == ("recOcotillo", Kind.RESERVATION)


def test_a_listing_of_no_home_is_set_aside(desk, booking) -> None:
    file = desk.tab1(booking(), booking("30000002", listing="599999", address=""))
    assert desk.reasons(file) == ["unknown_property"]
    assert [each.uid for each in desk.seen(file)] == ["30000001"]


def test_what_tab_2_gives_to_the_owner_is_no_reservation(desk, booking, entry) -> None:
    results = desk.observe(desk.tab1(booking("1"), booking("2")), desk.tab2(entry("2")))
    first, second = results
    assert told(first.batch.observations) == [("1", "reservation", False)]
    assert first.batch.dropped == {"an owner's by Tab 2": 1}
    assert told(second.batch.observations) == [("2", "owner stay", False)]


def test_a_tab_1_row_that_tab_2_gave_to_the_owner_earlier_is_still_the_owners(desk, booking, entry) -> None:
    desk.shown(TWO, "2", "recOcotillo", Kind.OWNER_STAY)
    assert desk.seen(desk.tab1(booking("2")), source=ONE) == []


def test_a_number_that_tab_2_now_gives_to_a_guest_is_a_reservation_again(desk, booking, entry) -> None:
    desk.shown(TWO, "2", "recOcotillo", Kind.OWNER_STAY)
    seen = desk.seen(desk.tab1(booking("2")), desk.tab2(entry("2", guest="Otis W.")), source=ONE)
    assert told(seen) == [("2", "reservation", False)]


def test_a_stay_of_tab_1_that_turns_out_to_be_the_owners_is_gone_there(desk, booking, entry) -> None:
    desk.shown(ONE, "2", "recOcotillo")
    seen = desk.seen(desk.tab1(booking("1"), booking("2")), desk.tab2(entry("2")), source=ONE)
    assert told(seen) == [("1", "reservation", False), ("2", "notice", True)]


@pytest.mark.parametrize("status", ["Cancelled", "Canceled", " CANCELED "])
def test_v_47_an_owners_stay_is_canceled_in_both_spellings(desk, entry, status) -> None:
    """V-47: `Canceled`, middle initials not understood (R-24, R-29)."""
    desk.addresses["510020"] = frozenset({AVE})
    assert told(desk.seen(desk.tab2(entry(status=status)), source=TWO)) == [("30000007", "owner stay", True)]


def test_v_47_a_middle_initial_does_not_make_the_owner_a_guest(desk, entry) -> None:
    """V-47: `Canceled`, middle initials not understood (R-24, R-29)."""
    desk.addresses["510020"] = frozenset({AVE})
    assert told(desk.seen(desk.tab2(entry(guest="Iris M. Vandermeer")), source=TWO)) == [
        ("30000007", "owner stay", False)
    ]


def test_an_unknown_status_is_told_and_the_stay_stands(desk, entry) -> None:
    desk.addresses["510020"] = frozenset({AVE})
    result = desk.result(desk.tab2(entry(status="Postponed")), source=TWO)
    assert told(result.batch.observations) == [("30000007", "owner stay", False)]
    assert [text for _, text in result.warnings] == [
        "1 rows of tab2.csv have a status we do not know; their stays stand"
    ]


def test_a_guests_row_creates_nothing(desk, entry) -> None:
    result = desk.result(desk.tab2(entry(guest="Iris V."), entry("8", guest="Priya S.", status="Canceled")), source=TWO)
    assert result.batch.observations == ()
    assert result.batch.rejected == ()


def test_a_canceled_guest_cancels_the_stay_that_tab_1_showed(desk, booking, entry) -> None:
    desk.shown(ONE, "5", "recAgave")
    seen = desk.seen(desk.tab2(entry("5", guest="Otis W.", status="Cancelled")), source=ONE)
    assert [(each.uid, each.property_id, each.canceled) for each in seen] == [("5", "recAgave", True)]
    both = desk.seen(desk.tab1(booking("5")), desk.tab2(entry("5", guest="Otis W.", status="Cancelled")), source=ONE)
    assert told(both) == [("5", "notice", True)]


def test_another_guest_row_says_that_the_stay_of_tab_1_is_seen(desk, booking, entry) -> None:
    desk.shown(ONE, "5", "recAgave")
    result = desk.result(desk.tab2(entry("5", guest="Otis W.")), source=ONE)
    assert told(result.batch.observations) == [("5", "notice", False)]
    assert not result.batch.complete
    assert result.files == ()


def test_a_guest_row_that_cannot_be_used_still_says_that_the_stay_is_seen(desk, entry) -> None:
    desk.shown(ONE, "5", "recAgave")
    files = [desk.tab2(entry("5", guest="Otis W.", check_in="13-04-2026"))]
    assert told(desk.seen(*files, source=ONE)) == [("5", "notice", False)]
    assert desk.reasons(*files, source=TWO) == ["bad_date"]


def test_tab_2_learns_addresses_from_tab_1_whichever_file_comes_first(desk, booking, entry) -> None:
    desk.homes = [each for each in desk.homes if each.record_id != "recIronwood"]
    rows = desk.tab2(entry(), name="a.csv"), desk.tab1(booking(check_in="bad"), name="b.csv")
    (stay,) = desk.seen(*rows, source=TWO)
    assert stay.property_id == "recOcotillo"
    learned = desk.result(*rows, source=ONE)
    assert learned.addresses == {("510020", AVE)}


def test_a_row_of_another_width_teaches_no_address(desk, booking) -> None:
    assert desk.result(desk.tab1(booking()[:-1])).addresses == frozenset()


def test_an_owners_row_without_one_certain_home_is_set_aside(desk, entry) -> None:
    assert desk.reasons(desk.tab2(entry()), source=TWO) == [
        "ambiguous_property — near: Agave Retreat #510021; Ocotillo House #510020"
    ]
    assert desk.reasons(desk.tab2(entry(owner="Nobody", guest="Nobody", address="")), source=TWO) == [
        "unknown_property"
    ]


def test_rows_beyond_the_window_are_cut_before_anyone_asks_for_their_home(desk, entry) -> None:
    old = entry("1", check_in="2025-01-02", check_out="2025-01-06")
    far = entry("2", check_in="2027-01-02", check_out="2027-01-06")
    result = desk.result(desk.tab2(old, far), source=TWO)
    assert (result.batch.observations, result.batch.rejected) == ((), ())
    assert result.batch.dropped == {"outside the window": 2}


def test_a_known_stay_that_moves_beyond_the_window_is_followed(desk, entry) -> None:
    desk.addresses["510020"] = frozenset({AVE})
    desk.shown(TWO, "1", "recOcotillo", Kind.OWNER_STAY)
    (stay,) = desk.seen(desk.tab2(entry("1", check_in="2027-01-02", check_out="2027-01-06")), source=TWO)
    assert stay.check_in.year == 2027


def test_an_unfiltered_tab_1_proves_nothing_by_what_it_lacks(desk, booking) -> None:
    result = desk.result(desk.tab1(booking("1"), booking("2", check_out="12-24-2026")))
    assert not result.batch.complete
    assert len(result.warnings) == 1
    assert len(result.batch.observations) == 2


def test_a_number_is_the_owners_even_where_its_own_row_cannot_be_used(desk, booking, entry) -> None:
    files = desk.tab1(booking("1"), booking("2")), desk.tab2(entry("2", check_in="13-04-2026"))
    assert told(desk.seen(*files, source=ONE)) == [("1", "reservation", False)]
    assert desk.reasons(*files, source=TWO) == ["bad_date"]
    desk.shown(ONE, "2", "recOcotillo")
    assert told(desk.seen(*files, source=ONE)) == [("1", "reservation", False), ("2", "notice", False)]


def test_an_owners_stay_that_still_runs_is_not_cut_however_long_ago_it_began(desk, entry) -> None:
    desk.addresses["510020"] = frozenset({AVE})
    running = entry("1", check_in="2025-12-01", check_out="2026-03-11")
    over = entry("2", check_in="2025-12-01", check_out="2026-03-10")
    assert [each.uid for each in desk.seen(desk.tab2(running, over), source=TWO)] == ["1"]
