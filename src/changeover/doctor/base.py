"""A client of the base for a single question from the command line, paced with all other processes; never a run's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from changeover.airtable.client import AirtableClient
from changeover.engine.stop import StopSwitch
from changeover.settings import Settings
from changeover.store import schema
from changeover.store.database import Database
from changeover.store.gate import Gate


@contextmanager
def connected(settings: Settings) -> Iterator[tuple[AirtableClient, Database]]:
    """The client and the environment's state database, which is made when there is none yet: the gate is in it."""
    database = Database(settings.state_url)
    try:
        if schema.is_new(database):
            schema.migrate(settings.state_url)
        guard = StopSwitch(settings.folder, database).check_writes
        key = settings.airtable_api_key.get_secret_value()
        gate = Gate(database, settings.airtable_base_id)
        client = AirtableClient(settings.airtable_base_id, key, settings.airtable_endpoint_url, gate, guard=guard)
        yield client, database
    finally:
        database.close()
