"""Whether work on jobs that failed is tried again by itself, and when (C-64); it tries nothing."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from changeover.airtable import errors as airtable_errors
from changeover.airtable.errors import AirtableError
from changeover.housecallpro import errors as hcp_errors
from changeover.housecallpro.errors import HcpError

PAUSED: Final = timedelta(minutes=5)
"""How long a service that refuses us as a whole is not asked again."""

LEFT_ALONE: Final = (hcp_errors.LeftAlone, airtable_errors.LeftAlone)
"""Nobody was asked: the service has not answered for a while, and `after` seconds from now somebody may try (C-65)."""

HALTED: Final = (hcp_errors.Halted, airtable_errors.Halted)
REFUSED: Final = (
    hcp_errors.Fatal,
    airtable_errors.Unauthorized,
    airtable_errors.Forbidden,
    airtable_errors.SchemaDrift,
    airtable_errors.WrongBase,
    airtable_errors.BillingBlocked,
)
"""A service refuses us as a whole: nothing goes better before a person has changed something."""


class Again(StrEnum):
    """Never by itself; later, one of so many tries; or once the service takes us again, which counts as no try."""

    NEVER = "never"
    LATER = "later"
    ONCE_TAKEN = "once taken"


def again(error: HcpError | AirtableError) -> Again:
    """What becomes of work that ended with this, or with what caused it. Under a stop it is not gone on with (J-15)."""
    if isinstance(error, HALTED):
        return Again.NEVER
    if isinstance(error, REFUSED):
        return Again.ONCE_TAKEN
    if isinstance(error, hcp_errors.Retriable | airtable_errors.Retriable):
        return Again.LATER
    cause = error.__cause__
    return again(cause) if isinstance(cause, HcpError) else Again.NEVER
