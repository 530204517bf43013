"""The name of a mailed report in the inbox (CM-22), and when it was received (CM-15); it touches no file."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from changeover.sources.mail.attachments import Report
from changeover.sources.mail.mail import Mail

_LONGEST = 80
_SUFFIX = ".csv"
_OTHER = re.compile(r"[^A-Za-z0-9._-]")
_LATE, _TOO_LATE = timedelta(hours=1), timedelta(days=7)


def inbox_name(report: Report, received: datetime) -> str:
    """`<YYYYMMDD_HHMMSS>_<digest>_<name>.csv`, the same for the same report of the same mail."""
    digest = hashlib.sha256(report.content).hexdigest()[:8]
    return f"{received.astimezone(UTC):%Y%m%d_%H%M%S}_{digest}_{safe_name(report.name)}"


def safe_name(name: str) -> str:
    """The last part of a path in letters that every system takes, `.csv` at its end, at most 80 characters."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/")).rsplit("/", maxsplit=1)[-1]
    plain = _OTHER.sub("_", last)
    stem = plain[: -len(_SUFFIX)] if plain.lower().endswith(_SUFFIX) else plain
    return (stem.lstrip(".")[: _LONGEST - len(_SUFFIX)] or "report") + _SUFFIX


def received(mail: Mail, stored: datetime) -> datetime:
    """When a report counts as received: when it was stored, or for a mail held up on its way by its Date (CM-15).

    A deferred mail must not win over a later report (R-21). A clock that is far off is not believed.
    """
    try:
        date = parsedate_to_datetime(mail.header("date"))
        sent = (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return stored
    return sent if _LATE < stored - sent <= _TOO_LATE else stored
