"""Opens what cycles and workers begin with, or says why it cannot be opened (C-22, C-23, F-4); it runs neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from changeover.engine import disk
from changeover.engine.results import Refused
from changeover.engine.rules import BadRules, RuleBook, rule_book
from changeover.settings import Settings, folders
from changeover.store import schema
from changeover.store.database import Database
from changeover.store.runs import RunState


def rules_in_effect(settings: Settings) -> RuleBook:
    """The rule files, parsed. Raises Refused."""
    try:
        return rule_book(settings)
    except BadRules as bad:
        raise Refused(RunState.FAILED, 4, str(bad)) from bad


@contextmanager
def state_database(settings: Settings) -> Iterator[Database]:
    """The state database, its tables brought up to this release; refused on a full disk (C-22, F-4)."""
    try:
        folders.create(settings)
        if not disk.check(settings.folder).room_to_write:
            raise Refused(RunState.BLOCKED, 3, f"the disk of {settings.folder} is full: nothing was started")
        db = Database(settings.state_url)
    except OSError as error:
        text = f"the data folder {settings.folder} cannot be used: {error.strerror}"
        raise Refused(RunState.BLOCKED, 3, text) from error
    try:
        if schema.pending(db):
            schema.migrate(settings.state_url)
        yield db
    except OperationalError as error:
        raise Refused(RunState.FAILED, 75, "the state database cannot be reached or written") from error
    finally:
        db.close()
