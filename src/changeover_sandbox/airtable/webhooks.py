"""Webhooks: what they watch, what they have collected, how long they live (AT-22); they send nothing themselves."""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.ids import iso, new_id

LIFE_MS: Final = 7 * 24 * 3600 * 1000
PER_BASE: Final = 10
PER_CALL: Final = 50
DATA_TYPES: Final = frozenset({"tableData", "tableFields", "tableMetadata"})
CHANGE_TYPES: Final = frozenset({"add", "remove", "update"})


@dataclass(frozen=True, slots=True)
class Payload:
    """One transaction as a webhook tells it; `at` in milliseconds after 1970."""

    at: int
    body: dict[str, object]


@dataclass(slots=True)
class Webhook:
    """A webhook of a base; the payload with cursor n is `payloads[n - 1]`."""

    id: str
    base_id: str
    url: str | None
    specification: dict[str, object]
    secret: str
    expires: int
    notifies: bool = True
    payloads: list[Payload] = field(default_factory=list)
    last_success: int | None = None
    last_result: dict[str, object] | None = None

    def filters(self) -> Mapping[str, object]:
        """The filters of the specification."""
        options = self.specification.get("options")
        filters = options.get("filters") if isinstance(options, Mapping) else None
        return filters if isinstance(filters, Mapping) else {}

    def includes(self) -> Mapping[str, object]:
        """What payloads hold beyond the changes themselves."""
        options = self.specification.get("options")
        includes = options.get("includes") if isinstance(options, Mapping) else None
        return includes if isinstance(includes, Mapping) else {}

    def as_json(self) -> dict[str, object]:
        """The shape of the API's list."""
        return {
            "id": self.id,
            "type": "client",
            "isHookEnabled": True,
            "areNotificationsEnabled": self.notifies and self.url is not None,
            "notificationUrl": self.url,
            "cursorForNextPayload": len(self.payloads) + 1,
            "lastSuccessfulNotificationTime": None if self.last_success is None else iso(self.last_success),
            "lastNotificationResult": self.last_result,
            "expirationTime": iso(self.expires),
            "specification": self.specification,
        }

    def page(self, cursor: int, limit: int, now: int) -> dict[str, object]:
        """Payloads from a cursor on; those older than seven days are gone."""
        if cursor < 1:
            raise errors.invalid_request()
        end = cursor - 1 + limit
        shown = [one.body for one in self.payloads[cursor - 1 : end] if one.at > now - LIFE_MS]
        following = min(end, max(len(self.payloads), cursor - 1)) + 1
        return {
            "cursor": following,
            "mightHaveMore": following <= len(self.payloads),
            "payloads": shown,
            "payloadFormat": "v0",
        }

    def signature(self, body: bytes) -> str:
        """The `X-Airtable-Content-MAC` of a notification."""
        return "hmac-sha256=" + hmac.new(base64.b64decode(self.secret), body, "sha256").hexdigest()


def create(base_id: str, body: object, held: int, now: int) -> Webhook:
    """A new webhook; raises ApiError when it is not understood or the base has ten already."""
    if not isinstance(body, Mapping) or not set(body) <= {"notificationUrl", "specification"}:
        raise errors.invalid_request()
    url, specification = body.get("notificationUrl"), body.get("specification")
    if not isinstance(url, str | None) or not isinstance(specification, Mapping):
        raise errors.invalid_request()
    secret = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    made = Webhook(new_id("ach"), base_id, url, dict(specification), secret, now + LIFE_MS)
    _check(made.filters())
    if held >= PER_BASE:
        raise errors.ApiError(403, "TOO_MANY_WEBHOOKS_BY_OAUTH_CLIENT_IN_BASE", "A base has at most 10 webhooks")
    return made


def _check(filters: Mapping[str, object]) -> None:
    for name, known in (("dataTypes", DATA_TYPES), ("changeTypes", CHANGE_TYPES)):
        given = filters.get(name, [])
        if not isinstance(given, list) or not all(isinstance(one, str) and one in known for one in given):
            raise errors.invalid_request()
    if not filters.get("dataTypes"):
        raise errors.invalid_request()


def refresh(hook: Webhook, now: int) -> str:
    """Seven more days; the answer is the new end of life."""
    hook.expires = now + LIFE_MS
    return iso(hook.expires)
