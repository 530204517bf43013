"""Has work enqueued with a row, in one transaction (LB-6), at the pace of mails; it does not look at the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from sqlalchemy import Connection, CursorResult, Dialect, Insert

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

_Process: TypeAlias = Callable[[object], object]
_KNOWN = "changeover_inserts"


def enqueue(connection: Connection, client: DBOSClient, work: EnqueueOptions, *arguments: str | int) -> None:
    """Enqueues a workflow in the caller's transaction, as `client.enqueue_in_transaction` does."""
    quick = cast("Connection", _Repeated(connection)) if connection.dialect.name == "sqlite" else connection
    client.enqueue_in_transaction(quick, work, *arguments)


class _Repeated:
    """A connection, as far as an enqueue needs one, that compiles each of its inserts once.

    On SQLite the engine of durable work builds the same two inserts anew for each workflow, of 35 columns, which takes
    several times as long as executing them; for PostgreSQL it keeps them itself, by the same key. What is compiled
    stays with the connection to the database.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.get_execution_options = connection.get_execution_options
        self.execution_options = connection.execution_options

    def execute(self, insert: Insert, values: Mapping[str, object]) -> CursorResult[tuple[object, ...]]:
        known: dict[tuple[str, tuple[str, ...]], _Compiled] = self._connection.info.setdefault(_KNOWN, {})
        key = (insert.table.fullname, tuple(values))
        compiled = known.get(key)
        if compiled is None:
            compiled = known[key] = _compiled(insert, values, self._connection)
        return self._connection.exec_driver_sql(compiled.sql, compiled.parameters(values))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """An insert as the database takes it: its parameters in order, how their types send them, its own constants."""

    sql: str
    names: tuple[str, ...]
    processors: Mapping[str, _Process]
    constants: Mapping[str, object]

    def parameters(self, values: Mapping[str, object]) -> tuple[object, ...]:
        given = {**self.constants, **values}
        for name, process in self.processors.items():
            given[name] = process(given[name])
        return tuple([given[name] for name in self.names])


def _compiled(insert: Insert, values: Mapping[str, object], connection: Connection) -> _Compiled:
    dialect: Dialect = connection.dialect
    options = connection.get_execution_options()
    built = insert.compile(
        dialect=dialect,
        column_keys=list(values),
        schema_translate_map=options.get("schema_translate_map"),
        render_schema_translate=True,
    )
    names, binds = tuple(built.positiontup or ()), built.binds
    processors = {name: binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
    return _Compiled(
        str(built),
        names,
        {name: process for name, process in processors.items() if process is not None},
        {name: binds[name].value for name in names if name not in values},
    )
