"""What the suppliers of some homes report on the world's day: iTrip's file and the portal's rows; it sends neither."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from changeover_sandbox.world.model import Customer, Listing, Stay, StayKind
from changeover_sandbox.world.world import World

ITRIP_HOMES, EVOLVE_HOMES = 19, 5
"""Homes with a calendar that a supplier manages too, at most; each has one more without a calendar."""
ITRIP_DAYS = 14
"""The report shows check-outs from its day to so many days later, both included (R-2)."""
PORTAL_PAST, PORTAL_AHEAD = timedelta(days=60), timedelta(days=180)
"""Check-ins of Tab 2, from and to the day (R-2)."""
_FIRST_ID = {"itrip": 8_000_000, "order": 700_000, "evolve": 30_000_000}
_STAYS_PER_HOME = 1000
_ITRIP_HEADER = (
    'Checkin,Checkout,"Date Booked","Tenant Name","Tenant Phone","Property Name","Property Address","Property Owner",'
    'BR/BA,Size,"Next Booking","Next Tenant Name","Next Tenant Phone","Same Day?","Contractor Info","Reservation ID"\n'
)
_MAINTENANCE = "Maintenance"

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Portal:
    """Every row of the portal's two tables; the portal itself filters the first one."""

    tab1: tuple[Row, ...]
    tab2: tuple[Row, ...]


def itrip_homes(world: World) -> tuple[Listing, ...]:
    """The homes iTrip manages: some with calendars, so that its rows are mirrors, and the first without."""
    shared = (listing for listing in world.listings if listing.number % 3 == 1)
    return (*islice(shared, ITRIP_HOMES), *world.without_calendar[:1])


def evolve_homes(world: World) -> tuple[Listing, ...]:
    """The homes Evolve manages, each with its listing number in the name; the last one has no calendar."""
    shared = (listing for listing in world.listings if listing.number % 9 == 0)
    return (*islice(shared, EVOLVE_HOMES), *world.without_calendar[1:])


def itrip_report(world: World) -> bytes:
    """The Checkouts Report of the world's day, as it is attached to the mail of that morning."""
    text = io.StringIO(_ITRIP_HEADER)
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\n")
    for listing in itrip_homes(world):
        book = _book(world, listing, (StayKind.GUEST, StayKind.OWNER, StayKind.MAINTENANCE))
        for stay in book:
            if timedelta(0) <= stay.check_out - world.moment.day <= timedelta(days=ITRIP_DAYS):
                writer.writerow(_itrip_row(world, listing, stay, book))
    return text.getvalue().encode()


def portal_rows(world: World) -> Portal:
    """The portal's tables on the world's day: guests in both, owners and canceled stays in the second."""
    tab1: list[Row] = []
    tab2: list[Row] = []
    day = world.moment.day
    for listing in evolve_homes(world):
        for stay in _all(world, listing, (StayKind.GUEST, StayKind.OWNER)):
            if stay.kind is StayKind.GUEST and not stay.now.canceled and stay.check_out >= day:
                tab1.append(_tab1_row(listing, stay))
            if day - PORTAL_PAST <= stay.check_in <= day + PORTAL_AHEAD:
                tab2.append(_tab2_row(world, listing, stay))
    return Portal(tuple(tab1), tuple(tab2))


# -- stays of a home ---------------------------------------------------------------------------------------------------


def _all(world: World, listing: Listing, kinds: Sequence[StayKind]) -> list[Stay]:
    """Agreed stays of these kinds in order of check-in, canceled ones too."""
    stays = (stay for stay in world.stays(listing.number) if stay.kind in kinds and not stay.now.tentative)
    return sorted(stays, key=lambda stay: (stay.check_in, stay.check_out, stay.key))


def _book(world: World, listing: Listing, kinds: Sequence[StayKind]) -> list[Stay]:
    return [stay for stay in _all(world, listing, kinds) if not stay.now.canceled]


def _number(stay: Stay, supplier: str) -> str:
    home, _, place = stay.key.partition("-")
    return str(_FIRST_ID[supplier] + int(home) * _STAYS_PER_HOME + int(place))


def _phone(stay: Stay) -> str:
    return f"(480) 555-01{int(stay.key.partition('-')[2]) % 100:02}"


def _owner(world: World, listing: Listing) -> Customer:
    return world.customers[listing.customer]


# -- iTrip -------------------------------------------------------------------------------------------------------------


def _itrip_row(world: World, listing: Listing, stay: Stay, book: Sequence[Stay]) -> tuple[str, ...]:
    owner = _owner(world, listing).full_name
    following = next((each for each in book if each.check_in >= stay.check_out and each is not stay), None)
    booking, tenant, phone = ("", "", "")
    if following is not None:
        booking, tenant, phone = _at(following.check_in, 16), _tenant(following, owner), _phone(following)
    return (
        _at(stay.check_in, 16),
        _at(stay.check_out, 10),
        _at(stay.booked_on, 9),
        _tenant(stay, owner),
        _phone(stay),
        listing.name,
        listing.postal_address,
        owner,
        "2/2",
        "1150",
        booking,
        tenant,
        phone,
        "Yes" if following is not None and following.check_in == stay.check_out else "No",
        "\n".join(_notes(stay, following)),
        _number(stay, "itrip"),
    )


def _tenant(stay: Stay, owner: str) -> str:
    # By the name alone the owner is known: a guest who happens to have it is another person.
    guest = f"{stay.guest} Jr" if stay.guest == owner else stay.guest
    return {StayKind.OWNER: owner, StayKind.MAINTENANCE: _MAINTENANCE}.get(stay.kind, guest)


def _notes(stay: Stay, following: Stay | None) -> Iterator[str]:
    yield f"Work Order #{_number(stay, 'order')} Due: {stay.check_out:%b} {_ordinal(stay.check_out.day)} 10:00 am"
    if following is not None and following.kind is StayKind.OWNER:
        yield "Owner Stay (Next Checkin)"
    yield "Door code:\u00a00000"
    yield "Towels &amp; linens in the hall closet"


def _ordinal(day: int) -> str:
    ending = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _at(day: date, hour: int) -> str:
    return f"{day.isoformat()} {hour:02}:00:00"


# -- Evolve ------------------------------------------------------------------------------------------------------------


def _tab1_row(listing: Listing, stay: Stay) -> Row:
    number = _number(stay, "evolve")
    place = int(number)
    return {
        "Guest Name": stay.guest,
        "Booking #": number,
        "Listing #": listing.name.rpartition("#")[2],
        "Check-In": _us(stay.check_in),
        "Check-Out": _us(stay.check_out),
        "Guest Email": f"guest{number}@example.test",
        "Guest Phone Number": f"+1480555{100 + place % 100:04}",
        "Date Booked": _us(stay.booked_on),
        "# Adults": str(1 + place % 4),
        "# Children": str(place % 3),
        "Pets?": "true" if place % 5 == 0 else "",
        "Address": listing.postal_address,
    }


def _tab2_row(world: World, listing: Listing, stay: Stay) -> Row:
    owner = _owner(world, listing).full_name
    first, _, last = stay.guest.partition(" ")
    number = _number(stay, "evolve")
    return {
        "Reservation": number,
        "Property Address": listing.postal_address,
        "Property Owner": owner,
        "Status": _status(stay, world.moment.day),
        # Both ways of writing a day stand in one file.
        "Check-In ": stay.check_in.isoformat() if int(number) % 2 else _us(stay.check_in),
        "Check-Out": _us(stay.check_out),
        "Guest Name": owner if stay.kind is StayKind.OWNER else f"{first} {last[:1]}.",
    }


def _status(stay: Stay, day: date) -> str:
    if stay.now.canceled:
        return "Cancelled"
    if stay.kind is StayKind.OWNER:
        return "Booked"
    stages: Mapping[str, date] = {
        "Checkout": stay.check_out,
        "Checkin": stay.check_in,
        "Pre-Trip": stay.check_in - timedelta(days=14),
        "Final Payment": stay.check_in - timedelta(days=60),
    }
    return next((stage for stage, since in stages.items() if since <= day), "Booked")


def _us(day: date) -> str:
    return f"{day:%m-%d-%Y}"
