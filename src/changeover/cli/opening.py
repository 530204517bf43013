"""Opens an environment for a command: settings checked, foreign variables dropped, logs routed; nothing outside."""

from __future__ import annotations

import errno
import getpass
import os
import sys
from typing import TYPE_CHECKING

from changeover.cli.say import refuse, refuse_all
from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.settings import Settings
    from changeover.store.database import Database


def open_settings(env: str, *, as_json: bool, process: str = "cli", level: str | None = None) -> Settings:
    """The environment's settings; exits 4 with the whole list of problems (S-2). Long work logs to files as well."""
    from changeover.ops import logging
    from changeover.ops.redaction import Redactor
    from changeover.settings import ConfigurationError, drop_foreign, folders, load

    try:
        settings = load(env, os.environ)
    except ConfigurationError as error:
        raise refuse_all(error.problems, as_json=as_json) from None
    drop_foreign(settings, os.environ)
    try:
        folder = folders.create(settings) / "logs"
        if process == "cycle":
            folders.write_identity(settings)
    except OSError as error:
        text = f"The data folder cannot be made under CHANGEOVER_HOME: {error.strerror}."
        # Settings are right when the disk is merely full: that is the floor's refusal (C-22).
        code = Exit.FAILED if error.errno in (errno.ENOSPC, errno.EDQUOT) else Exit.CONFIGURATION
        raise refuse(text, as_json=as_json, code=code) from None
    wanted = logging.Logging(
        process=process,
        env=env,
        folder=folder,
        level=level or settings.log_level,
        zone=settings.zone,
        # A person sees the work go on; a scheduler's mail or journal gets what is wrong, the files have the rest.
        terminal_level="DEBUG" if sys.stderr.isatty() else "WARNING",
    )
    logging.configure(wanted, Redactor(settings.secret_values))
    if settings.dropped:
        logging.get(__name__).warning("settings.foreign_dropped", names=list(settings.dropped))
    return settings


def open_store(settings: Settings) -> Database | None:
    """The state database as it is, for reading; None before the first run has made it."""
    from changeover.store import schema
    from changeover.store.database import Database

    if settings.database_url is None and not (settings.folder / "state.db").exists():
        return None
    database = Database(settings.state_url)
    if schema.is_new(database):
        database.close()
        return None
    return database


def who() -> str:
    """The name of the person at this terminal, for records of who asked."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
