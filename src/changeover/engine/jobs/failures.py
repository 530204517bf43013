"""What errors of both services mean for a run: its word, a text for people, and whether going on is of any use."""

from __future__ import annotations

from typing import Final

from changeover.airtable import errors as airtable_errors
from changeover.airtable.errors import AirtableError
from changeover.engine.base import failure_of as base_failure
from changeover.engine.outcome import Failure
from changeover.housecallpro import errors
from changeover.housecallpro.errors import HcpError

KEY_REFUSED: Final = "hcp_credential_refused"
DOWN: Final = "hcp_down"
_IN_A_ROW: Final = 5  # rows that were lost, though each was tried five times: a step does not go on so


def failure_of(error: HcpError | AirtableError) -> Failure:
    """An error as a run's failure (C-26, C-50)."""
    if isinstance(error, AirtableError):
        return base_failure(error)
    if isinstance(error, errors.Auth):
        return Failure(KEY_REFUSED, "Housecall Pro does not accept HCP_API_KEY", configuration=True)
    if isinstance(error, errors.Misrouted):
        return Failure("hcp_error", error.text, configuration=True)
    if isinstance(error, errors.RateLimited):
        return Failure("rate_limited", error.text, unreachable=True)
    if isinstance(error, errors.Server | errors.Transport | errors.BadPayload):
        return Failure(DOWN, error.text, unreachable=True)
    return Failure("hcp_error", error.text)


class Breaker:
    """Says when a step should not go on with its next row: nothing would go better there."""

    def __init__(self) -> None:
        self.first: Failure | None = None
        self.errors = 0
        self._in_a_row = 0

    def fine(self) -> None:
        self._in_a_row = 0

    def broke(self, error: HcpError | AirtableError) -> bool:
        """Counts a row that failed; True when the step is to end."""
        self.errors += 1
        self.first = self.first or failure_of(error)
        lost = isinstance(error, errors.Transport | errors.Server | airtable_errors.Unavailable)
        self._in_a_row = self._in_a_row + 1 if lost else 0
        return isinstance(error, _HOPELESS) or self._in_a_row >= _IN_A_ROW


_HOPELESS: Final = (
    errors.Fatal,
    errors.RateLimited,
    errors.LeftAlone,
    errors.Halted,
    airtable_errors.BillingBlocked,
    airtable_errors.Unauthorized,
    airtable_errors.Forbidden,
    airtable_errors.SchemaDrift,
    airtable_errors.RateLimited,
    airtable_errors.LeftAlone,
    airtable_errors.Halted,
)
