"""Log lines: JSON in the environment's files, text on a terminal, all redacted (L-1…L-5); it never stops any work."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from importlib.metadata import version
from pathlib import Path
from traceback import format_exception
from typing import TextIO, TypeAlias
from zoneinfo import ZoneInfo

import structlog

from changeover.ops.logfiles import DayFiles
from changeover.ops.redaction import Redactor

Event: TypeAlias = dict[str, object]

LOCAL_FORMAT = "%Y-%m-%d %H:%M:%S %Z"
PHOENIX = ZoneInfo("America/Phoenix")
_NOISY = ("urllib3", "asyncio", "aiohttp.access", "sqlalchemy", "alembic")
_ORDER = ("ts", "local", "level", "event", "env", "process", "host", "pid", "version", "run_id")
_LEFT_OF_TEXT = frozenset({"ts", "local", "level", "event", "env", "process", "host", "pid", "version"})


@dataclass(frozen=True, slots=True)
class Logging:
    """What a process logs: where to, from which level, in whose name. `folder` None means terminal only."""

    process: str
    env: str | None = None
    folder: Path | None = None
    level: str = "INFO"
    zone: tzinfo = PHOENIX
    terminal: TextIO | None = None
    terminal_level: str = "DEBUG"  # a terminal may be told less than the files, never more
    folders: Mapping[str, Path] = field(default_factory=dict)  # of a process that serves several environments, by name


class MSTFormatter(logging.Formatter):
    """A formatter whose times say their zone: `2026-03-04 08:00:00 MST` (L-1)."""

    def __init__(self, fmt: str | None = "%(asctime)s %(levelname)s %(message)s", zone: tzinfo = PHOENIX) -> None:
        super().__init__(fmt, LOCAL_FORMAT)
        self._zone = zone

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        return datetime.fromtimestamp(record.created, self._zone).strftime(datefmt or LOCAL_FORMAT)


class EventFormatter(MSTFormatter):
    """Makes a record an event with the fields of L-2, redacts it, and only then renders it.

    Nothing is appended after the redaction: what `logging` would add of an exception is part of the event.
    """

    def __init__(self, wanted: Logging, redactor: Redactor, render: Callable[[Event], str], *, stack: bool) -> None:
        super().__init__(zone=wanted.zone)
        self._redactor = redactor
        self._render = render
        self._stack = stack
        self._fixed: Event = {
            "env": wanted.env,
            "process": wanted.process,
            "host": socket.gethostname(),
            "version": version("changeover"),
        }

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        said, failure = _said(record)
        event: Event = {
            "ts": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "local": self.formatTime(record),
            "level": record.levelname.lower(),
            "pid": os.getpid(),  # now: a server's processes are forks of the one that was configured
            **self._fixed,
            **said,
        }
        if failure is not None:
            event.setdefault("error", {"code": type(failure).__name__, "message": str(failure)})
            if self._stack:
                event["stack"] = "".join(format_exception(failure))
        # Redaction is the last thing that touches a value.
        return self._render(
            {name: self._redactor.field(name, event[name]) for name in (*_ORDER, *event) if event.get(name) is not None}
        )


def configure(wanted: Logging, redactor: Redactor) -> None:
    """Routes structlog and the standard library's loggers into the same redacted handlers; may be called again."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _LineHandler):
            root.removeHandler(handler)
    for new in _handlers(wanted, redactor):
        root.addHandler(new)
    root.setLevel(wanted.level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for events with fields: `log.info("feed.fetched", ms=12)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def about(**fields: object) -> AbstractContextManager[None]:
    """Fields that every line inside the block carries: `run_id`, `automation`, `request_id` (L-4)."""
    return structlog.contextvars.bound_contextvars(**fields)


class _LineHandler(logging.Handler):
    """Passes formatted lines on and swallows what goes wrong: logging never stops any work (L-3)."""

    def __init__(self, write: Callable[[str, datetime], None], formatter: logging.Formatter) -> None:
        super().__init__()
        self._write = write
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record), datetime.fromtimestamp(record.created, UTC))
        except Exception:  # noqa: BLE001 - a value that cannot be shown, a closed terminal: the line is lost, not the work
            return


def _handlers(wanted: Logging, redactor: Redactor) -> list[_LineHandler]:
    stream = wanted.terminal or sys.stderr

    def to_terminal(line: str, _at: datetime) -> None:
        stream.write(line + "\n")
        stream.flush()

    handlers = [_LineHandler(to_terminal, EventFormatter(wanted, redactor, _as_text, stack=False))]
    handlers[0].setLevel(wanted.terminal_level)
    if wanted.folder is not None:
        files = DayFiles(wanted.folder, wanted.process, wanted.zone)
        handlers.append(_LineHandler(files.write, EventFormatter(wanted, redactor, _as_json, stack=True)))
    return handlers + [_of_one(env, replace(wanted, folder=each), redactor) for env, each in wanted.folders.items()]


def _of_one(env: str, wanted: Logging, redactor: Redactor) -> _LineHandler:
    """Writes the lines about one environment, and no others, to its folder (L-3)."""
    (_, handler) = _handlers(replace(wanted, folders={}), redactor)
    handler.addFilter(lambda record: isinstance(record.msg, Mapping) and record.msg.get("env") == env)
    return handler


def _said(record: logging.LogRecord) -> tuple[Event, BaseException | None]:
    """What was logged, and the exception it was logged with. A library's words become the field `message`, so that
    events stay countable."""
    if isinstance(record.msg, Mapping):
        said = {str(name): value for name, value in record.msg.items()}
        return said, _exception(said.pop("exc_info", None))
    words = {"event": f"library.{record.name}", "message": record.getMessage()}
    said = {**structlog.contextvars.get_contextvars(), **words}
    return said, _exception(record.exc_info)


def _exception(given: object) -> BaseException | None:
    """The exception behind logging's three ways of naming one: itself, a triple, or "the current one"."""
    if given is True:
        return sys.exc_info()[1]
    found = given[1] if isinstance(given, tuple) else given
    return found if isinstance(found, BaseException) else None


def _as_json(event: Event) -> str:
    return json.dumps(event, ensure_ascii=False)


def _as_text(event: Event) -> str:
    fields = " ".join(f"{name}={_plain(value)}" for name, value in event.items() if name not in _LEFT_OF_TEXT)
    return f"{event['local']} {str(event['level']).upper():<7} {event['event']} {fields}".rstrip()


def _plain(value: object) -> str:
    text = ",".join(f"{name}:{each}" for name, each in value.items()) if isinstance(value, dict) else str(value)
    return text.replace("\n", " ")
