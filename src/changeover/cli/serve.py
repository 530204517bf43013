"""`changeover serve`: opens both environments' doors and keeps them open; it knows no credential for a way out."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from changeover.cli.say import JsonOption, refuse, refuse_all, show, show_json
from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.settings.inbound import Inbound

_TAKEN_FOR = 5.0  # seconds that a server which was just killed may still hold the address
_LARGEST_PORT = 65_535

BindOption = Annotated[str, typer.Option("--bind", metavar="HOST:PORT", help="Where to listen; port 0 takes any.")]


def serve(bind: BindOption = "127.0.0.1:8000", as_json: JsonOption = False) -> None:
    """Take in what the outside posts, for every environment that has a file of settings."""
    host, port = _address(bind)
    environments = _open_environments(as_json=as_json)
    _migrate(environments, as_json=as_json)
    try:
        listener = _bound(host, port)
    except OSError as error:
        raise refuse(f"{bind} cannot be listened on: {error.strerror}.", as_json=as_json, code=Exit.FAILED) from None
    from changeover.web.server import Server

    names, pid = [str(each.environment) for each in environments], os.getpid()
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"

    def listening() -> None:
        if as_json:
            show_json({"url": url, "environments": names, "pid": pid})
        else:
            show(f"Serving {' and '.join(names)} on {url}")
        sys.stdout.flush()  # this process goes on, and may end without another word

    Server(listener, environments, listening).run()


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _LARGEST_PORT:
        raise typer.BadParameter("--bind needs HOST:PORT, such as 127.0.0.1:8000")
    return host.strip("[]"), int(port)


def _open_environments(*, as_json: bool) -> Sequence[Inbound]:
    """Settings checked, folders made, logs routed; exits 4 with the whole list of problems (S-2)."""
    from changeover.ops import logging
    from changeover.ops.redaction import Redactor
    from changeover.settings import ConfigurationError, LogLevel, folders
    from changeover.settings.inbound import drop_outbound, load_inbound

    try:
        environments = load_inbound(os.environ)
    except ConfigurationError as error:
        raise refuse_all(error.problems, as_json=as_json) from None
    drop_outbound(os.environ)
    try:
        logs = {str(each.environment): folders.create(each) / "logs" for each in environments}
    except OSError as error:
        text = f"The data folder cannot be made under CHANGEOVER_HOME: {error.strerror}."
        code = Exit.FAILED if error.errno in (errno.ENOSPC, errno.EDQUOT) else Exit.CONFIGURATION
        raise refuse(text, as_json=as_json, code=code) from None
    wanted = logging.Logging(
        process="web",
        level=min((each.log_level for each in environments), key=tuple(LogLevel).index),
        zone=environments[-1].zone,
        terminal_level="DEBUG" if sys.stderr.isatty() else "WARNING",
        folders=logs,
    )
    logging.configure(wanted, Redactor(secret for each in environments for secret in each.secret_values))
    return environments


def _migrate(environments: Sequence[Inbound], *, as_json: bool) -> None:
    """Every store is brought to this release's tables before anything can come in (LB-4)."""
    from sqlalchemy.exc import SQLAlchemyError

    from changeover.store import schema
    from changeover.store.database import Database

    for each in environments:
        try:
            database = Database(each.state_url)
            outdated = schema.pending(database)
            database.close()
            if outdated:
                schema.migrate(each.state_url)
        except (OSError, SQLAlchemyError) as error:
            text = f"The state database of {each.environment} cannot be reached or written ({type(error).__name__})."
            raise refuse(text, as_json=as_json, code=Exit.UNREACHABLE) from None


def _bound(host: str, port: int) -> socket.socket:
    """A socket of ours at this address, not listening yet. Raises OSError."""
    deadline = time.monotonic() + _TAKEN_FOR
    while True:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return listener
