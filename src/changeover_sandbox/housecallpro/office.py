"""What a company keeps of the made-up business, as orders to the stand-in, and the ids of it; it speaks no HTTP."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from changeover_sandbox.deployment import PHOENIX, Credentials
from changeover_sandbox.housecallpro.templates import Service, first_line, template_lines
from changeover_sandbox.world import Customer, EntryType, Listing, LiveStay, World
from changeover_sandbox.world.chance import chance, digest

Json = dict[str, object]
AREA_CODES: Final = (480, 602, 623)
CLEANERS: Final = (("Sol", "Marlow"), ("Ines", "Larkin"), ("Tavi", "Brook"), ("Odile", "Penrose"))
SOON: Final = range(2, 46)
"""In how many days a guest leaves for whom the office has made a job by hand."""


class Gap(StrEnum):
    """What is wrong with a home's entries, so that it is told why there is no job (J-25 … J-28)."""

    NO_ADDRESS = "no address"
    NO_TEMPLATE = "no template"
    STRANGE_ADDRESS = "strange address"
    EMPTY_TEMPLATE = "empty template"


GAPS: Final[Mapping[int, Gap]] = {
    7: Gap.NO_ADDRESS,
    13: Gap.NO_TEMPLATE,
    31: Gap.STRANGE_ADDRESS,
    37: Gap.NO_TEMPLATE,
    43: Gap.EMPTY_TEMPLATE,
    49: Gap.NO_ADDRESS,
}
"""By the place of a home in each `GAPS_EVERY`; a small business has none."""
GAPS_EVERY: Final = 60


@dataclass(frozen=True, slots=True)
class ByHand:
    """What the office did for a stay without the program, and so what reconciliation makes of it.

    `starts`: a job each, local time, `days` after the check-out. `typed`: with a job type. `again`: at the home's
    address written down a second time.
    """

    starts: tuple[time, ...]
    days: int = 0
    typed: bool = True
    again: bool = False


BY_HAND: Final = (
    ByHand((time(10, 15),)),  # linked (J-87)
    ByHand((time(14, 30),)),  # the hour is another one: suggested (J-89)
    ByHand((time(10, 0), time(10, 45))),  # ambiguous (J-88)
    ByHand((time(10, 30),), typed=False),  # linked (J-85)
    ByHand((time(10, 15),), again=True),  # the address is the same only in words: suggested (J-89)
    ByHand((time(10, 0),)),  # linked
    ByHand((time(13, 0),), days=1),  # nobody leaves: an orphan (J-92)
)
"""Each for a guest of another home, in this order as far as there are homes."""


def gap_of(home: Listing) -> Gap | None:
    """What is wrong with the home, if anything is."""
    return GAPS.get(home.number % GAPS_EVERY)


def services(home: Listing) -> tuple[Service, ...]:
    """What the home has templates for."""
    turnover = () if gap_of(home) is Gap.NO_TEMPLATE else (Service.TURNOVER,)
    laundry = (Service.LAUNDRY,) if home.number % 4 == 1 else ()
    inspection = (Service.INSPECTION,) if home.number % 5 == 2 else ()
    return (*turnover, *laundry, *inspection)


def staff(environment: str, keys: Credentials) -> Json:
    """Whom and what the settings name, which every company has: one employee and the four job types."""
    types = (
        (keys.hcp_next_guest_type, "STR Next Guest"),
        (keys.hcp_owner_type, "STR Owner Arriving"),
        (keys.hcp_laundry_type, "Return Laundry"),
        (keys.hcp_inspection_type, "Inspection"),
    )
    return {
        "env": environment,
        "employees": [{"id": keys.hcp_employee, "first_name": "Robin", "last_name": "Everett"}],
        "job_types": [{"id": type_id, "name": name} for type_id, name in types],
    }


def _plain(name: str) -> str:
    """A name as mail addresses have it: no accents, no spaces."""
    letters = unicodedata.normalize("NFD", name.lower().replace(" ", "-"))
    return "".join(letter for letter in letters if letter.isascii())


def _place(address_id: str, home: Listing) -> Json:
    street, city, region = home.postal_address.rsplit(", ", 2)
    state, _, code = region.partition(" ")
    return {"id": address_id, "street": street, "city": city, "state": state, "zip": code, "country": "US"}


@dataclass(frozen=True, slots=True)
class Office:
    """One environment's company; dev and prod have no id in common."""

    world: World
    environment: str
    keys: Credentials

    # -- ids that the base names ---------------------------------------------------------------------------------------

    def customer_id(self, customer: Customer) -> str:
        """`cus_…` of an owner."""
        return self._id("cus", "customer", customer.number)

    def address_id(self, listing: Listing) -> str:
        """What the base says about the home; empty where nobody has entered it, and once another one's."""
        match gap_of(listing):
            case Gap.NO_ADDRESS:
                return ""
            case Gap.STRANGE_ADDRESS:
                return self._id("adr", "address", listing.number, "of yore")
        return self._address_id(listing)

    def template_id(self, listing: Listing, service: Service) -> str:
        """`job_…`; empty where the home has no template for this service."""
        return self._id("job", "template", service, listing.number) if service in services(listing) else ""

    def _address_id(self, listing: Listing, which: str = "") -> str:
        return self._id("adr", "address", listing.number, which)

    def _id(self, prefix: str, *parts: object) -> str:
        return f"{prefix}_{digest(self.world.seed, self.environment, *parts)}"

    # -- orders --------------------------------------------------------------------------------------------------------

    def business(self) -> Json:
        """Everything but the `staff`, as `POST /_sandbox/business` takes it."""
        homes = (*self.world.listings, *self.world.without_calendar)
        handmade = tuple(self._handmade())
        again = {home.number for home, _, deed in handmade if deed.again}
        return {
            "env": self.environment,
            "employees": [self._cleaner(number) for number in range(len(CLEANERS))],
            "customers": [self._customer(each, homes, again) for each in self.world.customers],
            "jobs": [
                *(self._template(home, service) for home in homes for service in services(home)),
                *(job for home, stay, deed in handmade for job in self._jobs(home, stay, deed)),
            ],
        }

    def _cleaner(self, number: int) -> Json:
        first, last = CLEANERS[number]
        active = number < len(CLEANERS) - 1
        return {"id": self._id("pro", "cleaner", number), "first_name": first, "last_name": last, "active": active}

    def _customer(self, customer: Customer, homes: Sequence[Listing], again: set[int]) -> Json:
        own = [home for home in homes if home.customer == customer.number]
        places = [_place(self._address_id(home), home) for home in own]
        places += [_place(self._address_id(home, "again"), home) for home in own if home.number in again]
        return {
            "id": self.customer_id(customer),
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "email": f"{_plain(customer.first_name)}.{_plain(customer.last_name)}@owners.example.test",
            "mobile_number": f"{AREA_CODES[customer.number // 100 % 3]}55501{customer.number % 100:02}",
            "addresses": places,
        }

    def _template(self, home: Listing, service: Service) -> Json:
        draw = chance(self.world.seed, "template", service, home.number)
        lines = [] if gap_of(home) is Gap.EMPTY_TEMPLATE else template_lines(service, draw)
        return {
            "id": self.template_id(home, service),
            **self._whose(home),
            "job_type_id": self._job_type(service),
            "line_items": lines,
        }

    def _whose(self, home: Listing, which: str = "") -> Json:
        owner = self.world.customers[home.customer]
        return {"customer_id": self.customer_id(owner), "address_id": self._address_id(home, which)}

    def _job_type(self, service: Service) -> str:
        return {
            Service.TURNOVER: self.keys.hcp_next_guest_type,
            Service.LAUNDRY: self.keys.hcp_laundry_type,
            Service.INSPECTION: self.keys.hcp_inspection_type,
        }[service]

    # -- by hand -------------------------------------------------------------------------------------------------------

    def _handmade(self) -> Iterator[tuple[Listing, LiveStay, ByHand]]:
        """Which guest of which home the office has done what for."""
        whole = (home for home in self.world.listings if gap_of(home) is None)
        leaving = ((home, stay) for home in whole if (stay := self._leaving_soon(home)) is not None)
        for deed, (home, stay) in zip(BY_HAND, leaving, strict=False):
            yield home, stay, deed

    def _leaving_soon(self, home: Listing) -> LiveStay | None:
        """A guest of the home with whom nobody else leaves, nor the day after."""
        stays = self.world.truth(home.number)
        leave = [stay.check_out for stay in stays]
        return next(
            (
                stay
                for stay in stays
                if stay.entry_type is EntryType.RESERVATION
                and (stay.check_out - self.world.start).days in SOON
                and leave.count(stay.check_out) == 1
                and stay.check_out + timedelta(1) not in leave
            ),
            None,
        )

    def _jobs(self, home: Listing, stay: LiveStay, deed: ByHand) -> Iterator[Json]:
        for number, start in enumerate(deed.starts):
            begin = datetime.combine(stay.check_out + timedelta(deed.days), start, PHOENIX).astimezone(UTC)
            yield {
                "id": self._id("job", "by hand", home.number, number),
                **self._whose(home, "again" if deed.again else ""),
                "schedule": {
                    "scheduled_start": begin.isoformat(),
                    "scheduled_end": (begin + timedelta(hours=2)).isoformat(),
                },
                "assigned_employee_ids": [self._id("pro", "cleaner", home.number % 3)],
                "job_type_id": self._job_type(Service.TURNOVER) if deed.typed else None,
                "line_items": [first_line(Service.TURNOVER, chance(self.world.seed, "by hand", home.number))],
            }
