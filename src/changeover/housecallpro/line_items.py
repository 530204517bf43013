"""Line items of jobs: read, set as a whole, renamed (HC-67 … HC-74); what they should be called is not decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from changeover.core.job_order import Line, in_order
from changeover.housecallpro.client import HousecallPro, Object, checked_id
from changeover.housecallpro.errors import Json
from changeover.housecallpro.models import LineModel, parsed, parsed_all, quantity_number


def read(client: HousecallPro, job_id: str) -> tuple[Line, ...]:
    """A job's lines by order (HC-18, HC-69). Raises NotFound or Gone with the job."""
    return _lines(client.get(f"/jobs/{checked_id(job_id)}/line_items"))


def replace_all(client: HousecallPro, job_id: str, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Makes these the job's lines, and deletes all others (J-51, HC-72); the full set as it is then.

    Sent twice without ids, the set is the same. Raises Validation, with `name` among its fields for a refused name.
    """
    items: list[Json] = [_body(line) for line in lines]
    body: Object = {"line_items": items, "append_line_items": False}
    return _lines(client.put(f"/jobs/{checked_id(job_id)}/line_items/bulk_update", body))


def rename(client: HousecallPro, job_id: str, line: Line, name: str) -> Line:
    """Gives one item another name; everything else of it is sent as it was read (J-101, HC-71)."""
    path = f"/jobs/{checked_id(job_id)}/line_items/{quote(line.id, safe='')}"
    body = {key: value for key, value in _body(replace(line, name=name)).items() if key != "id"}
    return parsed(LineModel, client.put(path, body)).line()


def delete(client: HousecallPro, job_id: str, line_id: str) -> None:
    client.delete(f"/jobs/{checked_id(job_id)}/line_items/{quote(line_id, safe='')}")


def _lines(answer: Object) -> tuple[Line, ...]:
    return in_order(each.line() for each in parsed_all(LineModel, answer.get("data")))


def _body(line: Line) -> dict[str, Json]:
    """All that is writable (HC-70); ids only of what exists."""
    body: dict[str, Json] = {
        "name": line.name,
        "description": line.description,
        "unit_price": line.unit_price,
        "unit_cost": line.unit_cost,
        "quantity": quantity_number(line.quantity),
        "kind": line.kind,
        "taxable": line.taxable,
    }
    optional = {"id": line.id, "service_item_id": line.service_item_id, "service_item_type": line.service_item_type}
    return {**body, **{name: value for name, value in optional.items() if value}}
