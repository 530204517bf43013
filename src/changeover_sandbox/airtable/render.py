"""Records on their way out: the JSON of the API, empties dropped, as values or text (AT-14, AT-15)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias
from urllib.parse import quote
from zoneinfo import ZoneInfo

from changeover_sandbox.airtable.computed import Reading, RowView, computed_cell
from changeover_sandbox.airtable.formula import FormulaError, as_text, patterns
from changeover_sandbox.airtable.ids import iso, milliseconds
from changeover_sandbox.airtable.model import Field, Record, Table

FILES_PATH: Final = "/.files"
URL_LIFE: Final = timedelta(hours=2)

Cell: TypeAlias = Callable[[RowView, Field], object]


@dataclass(frozen=True, slots=True)
class Style:
    """How records are wanted: keys by field id or name, cells as values or as text of a zone."""

    by_field_id: bool = False
    zone: ZoneInfo | None = None


PLAIN: Final = Style()


@dataclass(slots=True)
class Renderer:
    """Renders records of one table for one request."""

    reading: Reading
    table: Table
    origin: str
    style: Style = PLAIN
    only: Sequence[Field] | None = None
    _keys: dict[str, str] = field(init=False)
    _special: list[tuple[Field, str, Cell]] = field(init=False)

    def __post_init__(self) -> None:
        """Decide per field, once a request, how its cells are made."""
        wanted = list(self.table.fields.values()) if self.only is None else self.only
        keys = {one.id: one.id if self.style.by_field_id else one.name for one in wanted}
        self._special = [(one, keys[one.id], cell) for one in wanted if (cell := self._maker(one)) is not None]
        special = {one.id for one, _, _ in self._special}
        self._keys = {field_id: key for field_id, key in keys.items() if field_id not in special}

    def _maker(self, one: Field) -> Cell | None:
        """None for the many fields whose stored value is what the API answers."""
        if self.style.zone is not None:
            return self._text
        if one.computed:
            return computed_cell
        return self._files if one.type == "multipleAttachments" else None

    def record(self, record: Record) -> dict[str, object]:
        """`{id, createdTime, fields}` without empty cells."""
        keys = self._keys
        fields = {keys[field_id]: value for field_id, value in record.cells.items() if field_id in keys}
        if self._special:
            view = self.reading.row(self.table, record)
            made = ((key, cell(view, one)) for one, key, cell in self._special)
            fields |= {key: value for key, value in made if not _is_empty(value)}
        return {"id": record.id, "createdTime": iso(record.created), "fields": fields}

    def records(self, records: Iterable[Record]) -> list[dict[str, object]]:
        """Several of them."""
        return [self.record(record) for record in records]

    def _files(self, view: RowView, one: Field) -> object:
        held = view.record.cells.get(one.id)
        expires = milliseconds(view.reading.now + URL_LIFE)
        return [file_json(item, self.origin, expires) for item in held] if isinstance(held, list) else None

    def _text(self, view: RowView, one: Field) -> object:
        if one.computed and one.type in {"createdBy", "lastModifiedBy"}:
            return view.reading.owner["name"]
        try:
            return cell_text(view, one, self.style.zone)
        except FormulaError:
            return "#ERROR!"


def _is_empty(value: object) -> bool:
    return value is None or value is False or value in ("", [])


def file_json(item: Mapping[str, object], origin: str, expires: int) -> dict[str, object]:
    """An attachment; once fetched it is served from here, under a URL that dies after two hours."""
    shown = {"id": item["id"], "url": item["source"], "filename": item["filename"]}
    if "size" in item:
        name = quote(str(item["filename"]), safe="")
        shown |= {"url": f"{origin}{FILES_PATH}/{expires}/{item['id']}/{name}"}
        shown |= {"size": item["size"], "type": item["type"]}
    return shown


_DATE_FORMATS: Final = {
    "iso": "YYYY-MM-DD",
    "us": "M/D/YYYY",
    "local": "M/D/YYYY",
    "european": "D/M/YYYY",
    "friendly": "MMMM D, YYYY",
}


def cell_text(view: RowView, one: Field, zone: ZoneInfo | None) -> str:
    """The cell as the interface shows it (`cellFormat=string`); raises FormulaError where it shows an error."""
    value = view.cell(one.id)
    if isinstance(value, bool):
        return "checked" if value else ""
    if isinstance(value, date):
        pattern = _DATE_FORMATS.get(_format_name(one, "dateFormat"), "YYYY-MM-DD")
        if not isinstance(value, datetime):
            return patterns.write(datetime(value.year, value.month, value.day, tzinfo=zone), pattern)
        clock = "HH:mm" if _format_name(one, "timeFormat") == "24hour" else "h:mma"
        return patterns.write(value.astimezone(zone), f"{pattern} {clock}")
    return _number_text(value, one) if isinstance(value, int | float) else as_text(value)


def _number_text(value: float, one: Field) -> str:
    precision = one.options.get("precision")
    places = precision if isinstance(precision, int) else 0
    match one.type:
        case "currency":
            return f"{'-' if value < 0 else ''}{one.option('symbol')}{abs(value):,.{places}f}"
        case "percent":
            return f"{value * 100:.{places}f}%"
        case "duration":
            return _duration_text(value, one.option("durationFormat"))
    return as_text(value) if precision is None else f"{value:.{places}f}"


def _duration_text(seconds: float, pattern: str) -> str:
    """Seconds as hours, minutes and, where the format has them, seconds with so many decimals."""
    places = len(pattern.partition(".")[2])
    if ":ss" not in pattern:
        minutes = round(abs(seconds) / 60)
        clock = f"{minutes // 60}:{minutes % 60:02d}"
    else:
        ticks = round(abs(seconds) * 10**places)
        whole, fraction = divmod(ticks, 10**places)
        clock = f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}" + (
            f".{fraction:0{places}d}" if places else ""
        )
    return f"-{clock}" if seconds < 0 else clock


def _format_name(one: Field, option: str) -> str:
    wanted = one.options.get(option)
    return str(wanted.get("name")) if isinstance(wanted, dict) else ""
