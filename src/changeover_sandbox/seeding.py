"""Fills the stand-ins over HTTP: tables of the bases, the environment's mark and a business; it starts no process."""

import importlib.util
import json
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from changeover_sandbox.deployment import Credentials, Order, Serving
from changeover_sandbox.world import Channel, Customer, Feed, Listing, World
from changeover_sandbox.world.chance import digest

AUTOMATIONS = (
    "ICS Calendar",
    "CSV Files",
    "Evolve",
    "Job Reconciliation",
    "Add Service Jobs",
    "Sync Service Jobs",
    "Update Service Lines",
)
TICKED = "ICS Calendar"
"""The one automation that the stand-ins which exist can feed."""
ENTRY_SOURCES = {
    Channel.HOSPITABLE: "Hospitable",
    Channel.LODGIFY: "Lodgify",
    Channel.HOSTTOOLS: "HostTools",
    Channel.IGMS: "iGMS",
    Channel.TRIPADVISOR: "TripAdvisor",
}
"""Platforms known by their host alone: on loopback a person has to say which one it is (R-75)."""
SCHEMA_FILE = "airtable_base.json"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Base:
    """One environment's base in the Airtable stand-in."""

    url: str
    keys: Credentials

    def call(self, method: str, path: str, body: object = None) -> object:
        """A call of the service's own API, or of the control API; the parsed answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.keys.airtable_key}", "Content-Type": "application/json"}
        return call(f"{self.url}{path}", method, data, headers)

    def add(self, table: str, rows: Iterable[dict[str, object]]) -> list[str]:
        """Creates rows at once, outside every limit; their record ids in order."""
        records = [{"fields": row} for row in rows]
        if not records:
            return []
        answer = self.call(
            "POST", "/_sandbox/records", {"base_id": self.keys.base_id, "table": table, "records": records}
        )
        return _strings(answer, "ids")


def call(url: str, method: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> object:
    """One HTTP call; the parsed JSON answer. OSError (HTTPError) for any refusal."""
    request = urllib.request.Request(url, data, headers or {}, method=method)  # noqa: S310 - our own loopback server
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
        parsed: object = json.loads(answer.read())
    return parsed


def fill(order: Order, serving: Serving) -> None:
    """Everything that was ordered, from nothing: called again after a broken attempt it begins anew."""
    airtable = serving.url("airtable")
    call(f"{airtable}/_sandbox/reset", "POST", b"{}")
    _enforce_limits(airtable, enforce=False)
    for environment, keys in order.credentials.items():
        base = Base(airtable, keys)
        create_tables(base, read_schema())
        base.add("Environment", [{"Name": environment}])
    if not order.empty:
        fill_business(order, serving)
    _enforce_limits(airtable, enforce=True)


def fill_business(order: Order, serving: Serving) -> None:
    """The business of the order's seed: its calendars in the feeds stand-in, its houses in both bases."""
    ordered = {"seed": order.seed, "feeds": order.feeds, "date": order.day.isoformat()}
    call(f"{serving.url('feeds')}/_sandbox/world", "POST", json.dumps(ordered).encode())
    world = World(order.seed, order.feeds, order.day)
    for keys in order.credentials.values():
        _fill_base(Base(serving.url("airtable"), keys), world, serving.url("feeds"))


def create_tables(base: Base, tables: Sequence[dict[str, object]]) -> None:
    """Creates the tables in the file's order, link targets first (AT-7)."""
    known: dict[str, str] = {}
    path = f"/v0/meta/bases/{base.keys.base_id}/tables"
    for table in tables:
        answer = base.call("POST", path, _with_table_ids(table, known))
        known[str(table["name"])] = _string(answer, "id")


def read_schema() -> list[dict[str, object]]:
    """The tables of `airtable_base.json`: of the checkout, or of the copy that ships inside the program's package."""
    with _schema_path().open(encoding="utf-8") as file:
        tables: list[dict[str, object]] = json.load(file)["tables"]
    return tables


def _schema_path() -> Path:
    checkout = Path(__file__).resolve().parents[2] / "config" / SCHEMA_FILE
    if checkout.exists():
        return checkout
    spec = importlib.util.find_spec("changeover")
    for place in spec.submodule_search_locations or () if spec else ():
        if (path := Path(place) / "config" / SCHEMA_FILE).exists():
            return path
    message = f"{SCHEMA_FILE} is neither in a checkout nor in the package changeover"
    raise FileNotFoundError(message)


def _with_table_ids(table: dict[str, object], known: dict[str, str]) -> dict[str, object]:
    """The table with every link naming its table by id, as the API wants it."""
    text = json.dumps(table)
    for name, table_id in known.items():
        text = text.replace(json.dumps({"linkedTable": name}), json.dumps({"linkedTableId": table_id}))
    parsed: dict[str, object] = json.loads(text)
    return parsed


def _enforce_limits(airtable: str, *, enforce: bool) -> None:
    call(f"{airtable}/_sandbox/limits", "POST", json.dumps({"enforce": enforce}).encode())


def _fill_base(base: Base, world: World, feeds_url: str) -> None:
    customers = base.add("Customers", map(_customer, world.customers))
    properties = base.add("Properties", (_property(each, customers, world.seed) for each in world.listings))
    base.add("ICS Feeds", (_feed(each, properties, feeds_url) for each in world.feeds))
    base.add("Automation", _automations())


def _customer(customer: Customer) -> dict[str, object]:
    return {
        "Full Name": customer.full_name,
        "First Name": customer.first_name,
        "Last Name": customer.last_name,
        "HCP Customer ID": customer.hcp_id,
    }


def _property(listing: Listing, customers: Sequence[str], seed: int) -> dict[str, object]:
    return {
        "Property Name": listing.name,
        "HCP Customer ID": [customers[listing.customer]],
        "HCP Address ID": f"adr_{digest(seed, 'address', listing.number)}",
        "HCP Address": listing.address,
        "Turnover Job Template ID": f"job_{digest(seed, 'template', listing.number)}",
    }


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
    for name in AUTOMATIONS:
        yield {"Name": name, "Active": True} if name == TICKED else {"Name": name}


def _string(answer: object, key: str) -> str:
    return str(answer[key]) if isinstance(answer, dict) else ""


def _strings(answer: object, key: str) -> list[str]:
    return [str(value) for value in answer[key]] if isinstance(answer, dict) else []
