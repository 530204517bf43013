"""To which account the conformance tests speak and what they may do there; it opens no connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from changeover.settings.model import is_loopback

ACCOUNT: Final = "CHANGEOVER_CONFORMANCE_HCP"
WRITES: Final = "CHANGEOVER_CONFORMANCE_HCP_WRITES"
WEBHOOKS: Final = "CHANGEOVER_CONFORMANCE_HCP_WEBHOOKS"
YES: Final = "yes-leave-jobs"

NEEDED: Final = ("HCP_API_KEY", "HCP_BASE_URL", "CONFORMANCE_CUSTOMER_ID", "CONFORMANCE_ADDRESS_ID")
OPTIONAL: Final = (
    "CONFORMANCE_EMPLOYEE_ID",
    "CONFORMANCE_JOB_TYPE_ID",
    "CONFORMANCE_STARTED_JOB_ID",
    "CONFORMANCE_COMPLETED_JOB_ID",
    "CONFORMANCE_CANCELED_JOB_ID",
    "CONFORMANCE_DELETED_JOB_ID",
    "HCP_WEBHOOK_SECRET",
)


class UnusableAccount(ValueError):
    """The variables or the file do not say to whom to speak; the message says what is wrong, and no value."""


@dataclass(frozen=True, slots=True)
class Access:
    """An account, the one customer in it that tests may touch, and what a person has prepared there.

    `given` are the settings of `OPTIONAL` that have a value. `writes` allows all that is no GET.
    """

    base_url: str
    api_key: str = field(repr=False)
    customer_id: str
    address_id: str
    given: Mapping[str, str] = field(repr=False)
    writes: bool = False
    webhooks: Path | None = None

    @property
    def near(self) -> bool:
        """Whether it is on this machine, and so no real one."""
        return is_loopback(self.base_url)

    def has(self, name: str) -> bool:
        """Whether an optional setting, or the folder of webhooks with the secret to prove them, was given."""
        if name == WEBHOOKS:
            return self.webhooks is not None and "HCP_WEBHOOK_SECRET" in self.given
        return name in self.given


def access_of(environ: Mapping[str, str]) -> Access | None:
    """The account that the variables name; None where they name none. Raises UnusableAccount."""
    named = environ.get(ACCOUNT, "")
    if not named:
        alone = [name for name in (WRITES, WEBHOOKS) if environ.get(name)]
        if alone:
            raise UnusableAccount(f"{' and '.join(alone)} without {ACCOUNT}")
        return None
    if environ.get(WRITES, "") not in ("", YES):
        raise UnusableAccount(f"{WRITES} is {YES} or nothing")
    folder = environ.get(WEBHOOKS, "")
    if folder and not Path(folder).is_dir():
        raise UnusableAccount(f"{WEBHOOKS} names no folder")
    settings = _settings(Path(named))
    return Access(
        base_url=settings["HCP_BASE_URL"].rstrip("/"),
        api_key=settings["HCP_API_KEY"],
        customer_id=settings["CONFORMANCE_CUSTOMER_ID"],
        address_id=settings["CONFORMANCE_ADDRESS_ID"],
        given={name: settings[name] for name in OPTIONAL if settings.get(name)},
        writes=environ.get(WRITES) == YES,
        webhooks=Path(folder) if folder else None,
    )


def _settings(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise UnusableAccount(f"{ACCOUNT} names no file")
    settings = {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}
    missing = [name for name in NEEDED if name not in settings]
    if missing:
        raise UnusableAccount(f"the file of {ACCOUNT} has no {', '.join(missing)}")
    unknown = sorted({name for name in settings if name.startswith("CONFORMANCE_")} - {*NEEDED, *OPTIONAL})
    if unknown:
        raise UnusableAccount(f"the file of {ACCOUNT} has an unknown {', '.join(unknown)}")
    url = settings["HCP_BASE_URL"]
    if not (url.startswith("https://") or is_loopback(url)):
        raise UnusableAccount("HCP_BASE_URL must be https://, except on this machine")
    return settings
