"""What the web server reads of both environments: names of ways in, never a credential for a way out (S-7)."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from changeover.settings import identity
from changeover.settings.isolation import SHARED_WITH
from changeover.settings.loading import folder, home_problems, validated
from changeover.settings.model import NAMES, SECRETS, DatabaseUrl, LogLevel, Zone
from changeover.settings.reading import FILE, ConfigurationError, EnvironmentName, Given, Place, Problem, read


class Inbound(BaseModel):
    """One environment as the web server knows it. Fields mean what they mean in `Settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    environment: EnvironmentName = Field(exclude=True)
    home: Path = Field(exclude=True)

    api_key: SecretStr
    hcp_company_id: str | None = None
    hcp_webhook_secret: SecretStr | None = None
    servativ_webhook_secret: SecretStr | None = None
    cloudmailin_user: str | None = None
    cloudmailin_password: SecretStr | None = None
    csv_email_enabled: bool = True
    database_url: DatabaseUrl | None = None
    timezone: Zone = "America/Phoenix"
    log_level: LogLevel = LogLevel.INFO

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
    def secret_values(self) -> tuple[str, ...]:
        """Every secret in it, for redaction by value (L-5)."""
        secrets = [getattr(self, name.lower()) for name in INBOUND_SECRETS]
        found = [each for secret in secrets if secret for each in (secret.get_secret_value(), *_parts(secret))]
        if self.database_url is not None and (password := urlsplit(self.state_url).password):
            found.append(password)
        return tuple(dict.fromkeys(found))


_OURS = frozenset({"environment", "home"})
INBOUND: tuple[str, ...] = tuple(name.upper() for name in Inbound.model_fields if name not in _OURS)
INBOUND_SECRETS: tuple[str, ...] = tuple(name for name in INBOUND if name in SECRETS)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One environment's values, and what is wrong with them so far."""

    given: Given
    inbound: Inbound | None
    problems: tuple[Problem, ...]


def load_inbound(process_env: Mapping[str, str]) -> tuple[Inbound, ...]:
    """Every environment that has a file, prod last, proved apart from each other (S-4).

    Raises ConfigurationError with every problem of both found; the names of problems say whose they are.
    """
    config = folder(process_env, "CHANGEOVER_CONFIG", "config")
    home = folder(process_env, "CHANGEOVER_HOME", "var")
    place = Place(config, process_env)
    present = [each for each in EnvironmentName if os.path.lexists(place.file(each))]
    problems = home_problems(home)
    if not present:
        problems.append(Problem("CHANGEOVER_CONFIG", "holds neither dev.env nor prod.env"))
    found = {each: _candidate(each, place, home) for each in present}
    problems += [problem for each in found.values() for problem in each.problems]
    if len(found) == len(EnvironmentName):
        problems += _shared(home, {each: candidate.given for each, candidate in found.items()})
    if problems:
        raise ConfigurationError(tuple(problems))
    return tuple(each.inbound for each in found.values() if each.inbound is not None)


def drop_outbound(process_env: MutableMapping[str, str]) -> None:
    """Takes every setting out of the process that is not for the web server, of both environments."""
    outbound = (f"{name}{form}{env.suffix}" for name in NAMES for form in ("", FILE) for env in EnvironmentName)
    inbound = {f"{name}{form}{env.suffix}" for name in INBOUND for form in ("", FILE) for env in EnvironmentName}
    for name in outbound:
        if name not in inbound:
            process_env.pop(name, None)


def _candidate(environment: EnvironmentName, place: Place, home: Path) -> _Candidate:
    try:
        given = read(environment, place, INBOUND, INBOUND_SECRETS)
    except OSError:
        problem = Problem(place.file(environment).name, "cannot be read by this user")
        return _Candidate(Given({}), None, (problem,))
    problems = [Problem(_of(environment, each.name), each.what) for each in given.problems]
    unreadable = {each.name.removesuffix(FILE) for each in given.problems}
    if not given.values.get("API_KEY") and "API_KEY" not in unreadable:
        what = f"is missing or blank; set it in {place.file(environment).name}"
        problems.append(Problem(_of(environment, "API_KEY"), what))
    inbound, wrong = validated(Inbound, given, {"environment": environment, "home": home}, set())
    problems += [Problem(_of(environment, each.name), each.what) for each in wrong]
    return _Candidate(given, inbound, tuple(problems))


def _of(environment: EnvironmentName, name: str) -> str:
    """A setting's name as a process variable would give it, which says whose it is."""
    return name if name.endswith(".env") else f"{name}{environment.suffix}"


def _shared(home: Path, given: Mapping[EnvironmentName, Given]) -> list[Problem]:
    own, other = (identity.identifying(each, home, found.values) for each, found in given.items())
    return [
        Problem(name, SHARED_WITH)
        for name in own
        if name in other and identity.parts(own[name]) & identity.parts(other[name])
    ]


def _parts(secret: SecretStr) -> frozenset[str]:
    return identity.parts(secret.get_secret_value())
