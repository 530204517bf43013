"""Runs revisions on the connection that `changeover.store.schema` hands over; it opens none itself."""

from __future__ import annotations

from alembic import context

from changeover.store.tables import metadata


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    """The durable engine keeps its tables in the same database; they are not ours to compare."""
    return kind != "table" or name in metadata.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=_ours,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
