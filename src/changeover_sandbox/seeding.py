"""Fills the stand-ins over HTTP: tables of the bases, the environment's mark and a business; it starts no process."""

import importlib.util
import json
import shutil
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from changeover_sandbox.deployment import Order, Serving
from changeover_sandbox.housecallpro.office import Office, staff
from changeover_sandbox.housecallpro.templates import Service
from changeover_sandbox.world import Channel, Customer, Feed, Listing, World
from changeover_sandbox.world.reports import portal_rows

AUTOMATIONS = (
    "ICS Calendar",
    "CSV Files",
    "Evolve",
    "Job Reconciliation",
    "Add Service Jobs",
    "Sync Service Jobs",
    "Update Service Lines",
)
NEEDS_BROWSER = "Evolve"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ENTRY_SOURCES = {
    Channel.HOSPITABLE: "Hospitable",
    Channel.LODGIFY: "Lodgify",
    Channel.HOSTTOOLS: "HostTools",
    Channel.IGMS: "iGMS",
    Channel.TRIPADVISOR: "TripAdvisor",
}
"""Platforms known by their host alone: on loopback a person has to say which one it is (R-75)."""
TEMPLATES = {
    Service.TURNOVER: "Turnover Job Template ID",
    Service.LAUNDRY: "Return Laundry Job Template ID",
    Service.INSPECTION: "Inspection Job Template ID",
}
SCHEMA_FILE = "airtable_base.json"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Base:
    """One environment's base in the Airtable stand-in, filled through its control API: without limits and journal."""

    url: str
    base_id: str

    def create(self, tables: Sequence[Mapping[str, object]]) -> None:
        """Puts these tables in the place of all others."""
        call(f"{self.url}/_sandbox/schema", {"base_id": self.base_id, "tables": tables})

    def add(self, table: str, rows: Iterable[Mapping[str, object]]) -> list[str]:
        """Creates rows; their record ids in order."""
        order = {"base_id": self.base_id, "table": table, "records": [{"fields": row} for row in rows]}
        answer = call(f"{self.url}/_sandbox/records", order)
        return [str(record_id) for record_id in answer["ids"]] if isinstance(answer, dict) else []


def call(url: str, order: Mapping[str, object], method: str = "POST") -> object:
    """Gives an order to a control API of ours; the parsed JSON answer. OSError (HTTPError) for any refusal."""
    request = urllib.request.Request(url, json.dumps(order).encode(), method=method)  # noqa: S310 - always http
    # A proxy of the environment has no business between two processes of one machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
        parsed: object = json.loads(answer.read())
    return parsed


def fill(order: Order, serving: Serving) -> None:
    """Everything that was ordered, from nothing: called again after a broken attempt it begins anew."""
    airtable, housecallpro = serving.url("airtable"), serving.url("housecallpro")
    call(f"{airtable}/_sandbox/reset", {})
    call(f"{housecallpro}/_sandbox/reset", {})
    for environment, keys in order.credentials.items():
        base = Base(airtable, keys.base_id)
        base.create(read_schema())
        base.add("Environment", [{"Name": environment}])
        call(f"{housecallpro}/_sandbox/business", staff(environment, keys))
    if not order.empty:
        fill_business(order, serving)


def fill_business(order: Order, serving: Serving) -> None:
    """The business of the order's seed: calendars, the portal's bookings, and its houses in bases and companies."""
    ordered = {"seed": order.seed, "feeds": order.feeds, "date": order.day.isoformat()}
    call(f"{serving.url('feeds')}/_sandbox/world", ordered)
    world = World(order.seed, order.feeds, order.day)
    portal = portal_rows(world)
    call(f"{serving.url('evolve')}/_sandbox/bookings", {"tab1": portal.tab1, "tab2": portal.tab2}, "PUT")
    for environment, keys in order.credentials.items():
        office = Office(world, environment, keys)
        call(f"{serving.url('housecallpro')}/_sandbox/business", office.business())
        _fill_base(Base(serving.url("airtable"), keys.base_id), office, serving.url("feeds"))


def read_schema() -> list[dict[str, object]]:
    """The tables of `airtable_base.json`: of the checkout, or of the copy that ships inside the program's package."""
    # The package is looked for and never imported: the stand-ins must not depend on the program.
    spec = importlib.util.find_spec("changeover")
    packages = spec.submodule_search_locations if spec else None
    places = [Path(__file__).resolve().parents[2], *map(Path, packages or ())]
    with first_schema(place / "config" for place in places).open(encoding="utf-8") as file:
        tables: list[dict[str, object]] = json.load(file)["tables"]
    return tables


def first_schema(folders: Iterable[Path]) -> Path:
    """The schema file of the first folder that has one; FileNotFoundError when none has."""
    path = next((path for folder in folders if (path := folder / SCHEMA_FILE).exists()), None)
    if path is None:
        raise FileNotFoundError(SCHEMA_FILE)
    return path


def _fill_base(base: Base, office: Office, feeds_url: str) -> None:
    world = office.world
    customers = base.add("Customers", (_customer(each, office) for each in world.customers))
    homes = (*world.listings, *world.without_calendar)
    properties = base.add("Properties", (_property(each, customers, office) for each in homes))
    base.add("ICS Feeds", (_feed(each, properties, feeds_url) for each in world.feeds))
    base.add("Automation", _automations())


def _customer(customer: Customer, office: Office) -> dict[str, object]:
    return {
        "Full Name": customer.full_name,
        "First Name": customer.first_name,
        "Last Name": customer.last_name,
        "HCP Customer ID": office.customer_id(customer),
    }


def _property(listing: Listing, customers: Sequence[str], office: Office) -> dict[str, object]:
    row: dict[str, object] = {
        "Property Name": listing.name,
        "HCP Customer ID": [customers[listing.customer]],
        "HCP Address ID": office.address_id(listing),
        "HCP Address": listing.postal_address,
        **{column: office.template_id(listing, service) for service, column in TEMPLATES.items()},
    }
    return {column: value for column, value in row.items() if value}


def _feed(feed: Feed, properties: Sequence[str], feeds_url: str) -> dict[str, object]:
    row: dict[str, object] = {
        "ICS URL": f"{feeds_url}/ics/{feed.name}.ics",
        "Feed Status": "Active",
        "Property Name": [properties[feed.listing]],
    }
    if source := ENTRY_SOURCES.get(feed.platform):
        row["Entry Source"] = source
    if feed.closed_means:
        row["Closed Means"] = feed.closed_means
    return row


def _automations() -> Iterator[dict[str, object]]:
    """The portal is read with a browser: where this machine has none, the business is ready to run without."""
    browser = any(map(shutil.which, BROWSERS))
    for name in AUTOMATIONS:
        ticked = browser or name != NEEDS_BROWSER
        yield {"Name": name, "Active": True} if ticked else {"Name": name}
