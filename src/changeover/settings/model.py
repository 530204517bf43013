"""The settings of one environment, checked and typed; it reads nothing and shows no secret."""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from changeover.settings.identity import IDENTIFYING
from changeover.settings.reading import EnvironmentName


class AutoCreateJobs(StrEnum):
    """Which check-outs get a job by themselves."""

    READY = "ready"
    ALL = "all"
    OFF = "off"


class OnRemoved(StrEnum):
    """What happens to the job of a stay that was removed."""

    NOTIFY = "notify"
    UNSCHEDULE = "unschedule"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def is_loopback(url: str) -> bool:
    """True for a URL whose host is this machine. Names other than localhost are not looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _address(value: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(value))):
        raise ValueError("must be an https:// address (plain http only to this machine)")
    if parts.username or parts.password:
        raise ValueError("must not carry a user name or password")
    return value.rstrip("/")


def _secret_address(value: SecretStr) -> SecretStr:
    return SecretStr(_address(value.get_secret_value()))


def _airtable_key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"pat[^\s]{5,}", value.get_secret_value()):
        raise ValueError("must be a personal access token, which starts with pat")
    return value


def _base_id(value: str) -> str:
    if not re.fullmatch(r"app[A-Za-z0-9]{14}", value):
        raise ValueError("must be app and 14 letters or digits")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone of the IANA data base") from None
    return value


def _database(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    if not re.match(r"sqlite:////[^/]|postgresql\+psycopg://[^/]*/[^/?]", url):
        raise ValueError("must be sqlite:////absolute/path or postgresql+psycopg://…/name")
    return value


Address = Annotated[str, AfterValidator(_address)]
Zone = Annotated[str, AfterValidator(_zone)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
PUBLIC_AIRTABLE = "https://api.airtable.com"
PUBLIC_HCP = "https://api.housecallpro.com"


class Settings(BaseModel):
    """One environment's settings (`NAME` in the file is the field in capitals). Secrets print as `**********` (S-1)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    environment: EnvironmentName = Field(exclude=True)
    home: Path = Field(exclude=True)
    config: Path = Field(exclude=True)
    unknown: tuple[str, ...] = Field(default=(), exclude=True)
    dropped: tuple[str, ...] = Field(default=(), exclude=True)
    isolation_unproven: bool = Field(default=False, exclude=True)

    airtable_api_key: Annotated[SecretStr, AfterValidator(_airtable_key)] = Field(
        description="Personal access token for the environment's own base, with the scopes data.records:read, "
        "data.records:write and schema.bases:read (airtable init also needs schema.bases:write)."
    )
    airtable_base_id: Annotated[str, AfterValidator(_base_id)] = Field(
        description="Id of the environment's own base: app and 14 letters or digits."
    )
    airtable_endpoint_url: Address = Field(PUBLIC_AIRTABLE, description="Where the Airtable Web API answers.")
    airtable_monthly_limit: int = Field(
        100_000, ge=0, description="Calls a month of the workspace's plan; 0 means no limit."
    )

    hcp_api_key: SecretStr | None = Field(None, description="API key of the Housecall Pro company.")
    hcp_base_url: Address = Field(PUBLIC_HCP, description="Where the Housecall Pro API answers.")
    hcp_company_id: str | None = Field(None, description="Company the key must belong to; checked when set.")
    hcp_webhook_secret: SecretStr | None = Field(
        None, description="Signing secret of Housecall Pro's webhooks; two comma-separated values during a rotation."
    )
    servativ_webhook_secret: SecretStr | None = Field(
        None, description="Shared secret of a forwarder that passes webhooks on; two comma-separated values allowed."
    )
    hcp_employee_id: str | None = Field(None, description="Employee who is assigned to new jobs.")
    hcp_str_next_guest_job_type_id: str | None = Field(None, description="Job type of a turnover before a guest.")
    hcp_str_owner_job_type_id: str | None = Field(None, description="Job type of a turnover before the owner.")
    hcp_return_laundry_job_type_id: str | None = Field(None, description="Job type of a laundry return.")
    hcp_inspection_job_type_id: str | None = Field(None, description="Job type of an inspection.")
    hcp_hourly_limit: int = Field(1000, ge=1, description="Requests an hour Housecall Pro may be sent.")

    cloudmailin_user: str | None = Field(None, description="User name the mail service signs in with.")
    cloudmailin_password: SecretStr | None = Field(
        None, description="Password the mail service signs in with; two comma-separated values during a rotation."
    )
    csv_email_enabled: bool = Field(True, description="Whether this environment takes reports by mail.")
    evolve_portal_url: Address | None = Field(None, description="Address of the Evolve partner portal.")
    evolve_username: str | None = Field(None, description="Portal user name.")
    evolve_password: SecretStr | None = Field(None, description="Portal password.")
    api_key: SecretStr | None = Field(
        None, description="Key that callers of this environment's API must show. `changeover serve` wants one."
    )

    database_url: DatabaseUrl | None = Field(
        None,
        description="State database: sqlite:////absolute/path or postgresql+psycopg://user:password@host/name. "
        "Default: the file state.db in the environment's data folder.",
    )
    max_concurrent_feeds: int = Field(20, ge=1, le=200, description="Feeds fetched at the same time.")
    feed_timeout_seconds: float = Field(15.0, gt=0, le=300, description="Seconds one fetch of a feed may take.")
    feed_attempts: int = Field(3, ge=1, le=10, description="Tries per feed and run.")
    allow_private_feeds: bool = Field(
        False, description="Whether feeds may be on this machine or in a private network, on any port."
    )
    batch_size: int = Field(100, ge=1, le=10_000, description="Items per unit of work and commit.")
    worker_threads: int = Field(4, ge=1, le=64, description="Threads for work inside one process.")
    lookback_days: int = Field(
        60, ge=0, le=3650, description="Days past a check-out that its row is still looked after."
    )
    lookahead_days: int = Field(180, ge=1, le=3650, description="Days ahead that jobs are looked after.")
    missing_threshold: int = Field(
        3, ge=1, le=100, description="Runs in which a stay must be missing from its source before it counts as gone."
    )
    missing_grace_hours: float = Field(
        12.0, ge=0, le=720, description="Hours a stay must have been missing before it counts as gone."
    )
    timezone: Zone = Field("America/Phoenix", description="Time zone of the business, for days and displayed times.")
    auto_create_jobs: AutoCreateJobs = Field(
        AutoCreateJobs.READY, description="Which check-outs get a job by themselves: ready, all or off."
    )
    on_removed: OnRemoved = Field(
        OnRemoved.NOTIFY, description="What happens to the job of a removed stay: notify or unschedule."
    )
    service_line_limit: int = Field(200, ge=20, le=2000, description="Longest line the cleaners get, in characters.")
    notify_urls: SecretStr | None = Field(None, description="Where alerts go: Apprise addresses, comma-separated.")
    heartbeat_url: Annotated[SecretStr, AfterValidator(_secret_address)] | None = Field(
        None, description="Address called at the start and end of each run, so that silence is noticed from outside."
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="Least level that is logged: DEBUG, INFO, WARNING or ERROR.")

    @property
    def folder(self) -> Path:
        """The environment's data folder (F-1)."""
        return self.home / self.environment

    @property
    def state_url(self) -> str:
        """URL of the state database. It may hold a password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.folder / 'state.db'}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def takes_hooks(self) -> bool:
        """Whether webhooks of Housecall Pro have a way in."""
        return any(each and each.get_secret_value() for each in (self.hcp_webhook_secret, self.servativ_webhook_secret))

    @property
    def secret_values(self) -> tuple[str, ...]:
        """Every configured secret, for redaction by value (L-5); a secret of several values gives each."""
        found: list[str] = []
        for name in SECRETS:
            value = getattr(self, name.lower())
            if value is not None:
                whole = value.get_secret_value()
                found += [whole, *re.split(r"[,\s]+", whole)]
        if self.database_url is not None and (password := urlsplit(self.state_url).password):
            found.append(password)
        return tuple(dict.fromkeys(found))

    @property
    def identifying_values(self) -> dict[str, str]:
        """The values that no other environment may share, by setting name (S-4)."""
        found = {name: getattr(self, name.lower()) for name in IDENTIFYING}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in found.items()
            if value is not None
        }

    @property
    def outside_urls(self) -> tuple[str, ...]:
        """Every configured address outside the program, those with a default only while their service is in use."""
        addresses = [self.airtable_endpoint_url]
        if self.hcp_api_key is not None:
            addresses.append(self.hcp_base_url)
        if self.evolve_portal_url is not None:
            addresses.append(self.evolve_portal_url)
        addresses += [each.get_secret_value() for each in (self.notify_urls, self.heartbeat_url) if each is not None]
        return tuple(addresses)


_OURS = frozenset({"environment", "home", "config", "unknown", "dropped", "isolation_unproven"})
NAMES: tuple[str, ...] = tuple(name.upper() for name in Settings.model_fields if name not in _OURS)
SECRETS: tuple[str, ...] = tuple(
    name for name in NAMES if "SecretStr" in str(Settings.model_fields[name.lower()].annotation)
)
