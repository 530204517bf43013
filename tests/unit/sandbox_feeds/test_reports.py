"""The suppliers' view of the world: the shapes of reservations.md §4, and the same stays as in the calendars."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from changeover_sandbox.world import EntryType, Listing, StayKind, World
from changeover_sandbox.world.reports import evolve_homes, itrip_homes, itrip_report, portal_rows

START = date(2026, 11, 2)
DAY = START + timedelta(days=30)
STATUSES = {"Booked", "Pre-Trip", "Final Payment", "Checkin", "Checkout", "Cancelled"}


@pytest.fixture(scope="module")
def world() -> World:
    """A business a month after its first day, so that much was altered and canceled."""
    made = World(1, 246, START)
    made.advance(DAY)
    return made


@pytest.fixture(scope="module")
def report(world: World) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(itrip_report(world).decode())))


def _us(cell: str) -> date:
    month, day, year = map(int, cell.split("-"))
    return date(year, month, day)


def _day(cell: str) -> date:
    return date.fromisoformat(cell[:10]) if cell[4] == "-" else _us(cell)


def _guests(world: World, listing: Listing) -> Iterator[tuple[date, date]]:
    """What a reader of the calendars would hold as a guest's stay."""
    for live in world.truth(listing.number):
        if live.stay.kind is StayKind.GUEST and live.entry_type is EntryType.RESERVATION:
            yield live.check_in, live.check_out


def test_the_report_has_the_supplier_s_header_and_a_day_s_size(world: World, report: list[dict[str, str]]) -> None:
    head = itrip_report(world).split(b"\n")[0]
    assert head == (
        b'Checkin,Checkout,"Date Booked","Tenant Name","Tenant Phone","Property Name","Property Address",'
        b'"Property Owner",BR/BA,Size,"Next Booking","Next Tenant Name","Next Tenant Phone","Same Day?",'
        b'"Contractor Info","Reservation ID"'
    )
    assert 15 <= len(report) <= 45
    assert len({row["Reservation ID"] for row in report}) == len(report)
    assert all(row["Reservation ID"].isdigit() and len(row["Reservation ID"]) == 7 for row in report)
    assert all(DAY <= _day(row["Checkout"]) <= DAY + timedelta(days=14) for row in report)


def test_the_report_shows_the_guests_of_the_calendars(world: World, report: list[dict[str, str]]) -> None:
    for listing in itrip_homes(world)[:-1]:
        shown = {
            (_day(row["Checkin"]), _day(row["Checkout"])) for row in report if row["Property Name"] == listing.name
        }
        due = {stay for stay in _guests(world, listing) if stay[1] <= DAY + timedelta(days=14)}
        assert due <= shown


def test_the_report_says_who_comes_next_and_whether_on_the_same_day(report: list[dict[str, str]]) -> None:
    for row in report:
        assert bool(row["Next Booking"]) == bool(row["Next Tenant Name"]) == bool(row["Next Tenant Phone"])
        assert (row["Same Day?"] == "Yes") == (row["Next Booking"][:10] == row["Checkout"][:10])
        owner_next = row["Next Tenant Name"] == row["Property Owner"]
        assert ("Owner Stay (Next Checkin)" in row["Contractor Info"].splitlines()) == owner_next
        assert row["Contractor Info"].startswith("Work Order #")
    assert {row["Same Day?"] for row in report} == {"Yes", "No"}


def test_owners_and_maintenance_stand_in_reports_as_tenants() -> None:
    tenants = set()
    for seed in range(6):
        world = World(seed, 80, START)
        for row in csv.DictReader(io.StringIO(itrip_report(world).decode())):
            tenants.add("owner" if row["Tenant Name"] == row["Property Owner"] else row["Tenant Name"])
    assert {"owner", "Maintenance"} < tenants


def test_due_days_are_said_in_words() -> None:
    ordinals = set()
    for seed in range(6):
        text = itrip_report(World(seed, 80, START)).decode()
        ordinals |= {line.split("Due: ")[1].split(" ")[1] for line in text.splitlines() if "Due: " in line}
    assert {"2nd", "3rd", "4th", "11th", "12th", "13th"} <= ordinals


def test_the_portal_shows_guests_in_both_tables_and_owners_and_cancellations_in_the_second(world: World) -> None:
    portal = portal_rows(world)
    numbers = {row["Booking #"]: row for row in portal.tab1}
    second = {row["Reservation"]: row for row in portal.tab2}
    assert all(len(number) == 8 and number.isdigit() for number in (*numbers, *second))
    owners = [row for row in portal.tab2 if row["Guest Name"] == row["Property Owner"]]
    assert owners
    assert not {row["Reservation"] for row in owners} & set(numbers)
    canceled = {number for number, row in second.items() if row["Status"] == "Cancelled"}
    assert canceled
    assert not canceled & set(numbers)
    assert {row["Status"] for row in portal.tab2} == STATUSES
    assert {row["Status"] for row in owners} <= {"Booked", "Cancelled"}
    for number, row in numbers.items():
        if number in second:
            assert _day(second[number]["Check-In "]) == _us(row["Check-In"])
            assert second[number]["Property Address"] == row["Address"]
            assert row["Guest Name"].startswith(second[number]["Guest Name"].rstrip("."))


def test_both_ways_of_writing_a_day_stand_in_the_second_table(world: World) -> None:
    assert {row["Check-In "][4] == "-" for row in portal_rows(world).tab2} == {True, False}
    assert all(
        DAY - timedelta(days=60) <= _day(row["Check-In "]) <= DAY + timedelta(days=180)
        for row in portal_rows(world).tab2
    )


def test_the_first_table_shows_the_guests_of_the_calendars_by_listing_number(world: World) -> None:
    rows = portal_rows(world).tab1
    for listing in evolve_homes(world)[:-1]:
        number = listing.name.rpartition("#")[2]
        shown = {(_us(row["Check-In"]), _us(row["Check-Out"])) for row in rows if row["Listing #"] == number}
        assert set(_guests(world, listing)) <= shown


def test_each_supplier_has_one_home_that_no_calendar_shows_and_no_two_share_a_home(world: World) -> None:
    itrip, evolve = itrip_homes(world), evolve_homes(world)
    assert [home.name for home in (*itrip, *evolve) if not home.feeds] == [itrip[-1].name, evolve[-1].name]
    assert not {home.number for home in itrip} & {home.number for home in evolve}
    assert all(home.name.rpartition("#")[2].isdigit() for home in evolve)


def test_a_business_without_calendars_has_no_homes_of_suppliers_either() -> None:
    world = World(1, 0, START)
    assert (itrip_homes(world), evolve_homes(world), world.without_calendar) == ((), (), ())
    assert itrip_report(world).count(b"\n") == 1
    assert portal_rows(world).tab1 == ()
