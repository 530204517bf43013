"""The files of a sandbox folder: what was ordered, which process serves it, and the settings; it starts nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from changeover_sandbox.process import Process
from changeover_sandbox.world.chance import ALPHANUMERIC, code, digest, uuid

PHOENIX = timezone(timedelta(hours=-7))
"""Where the business is: no summer time there."""
ENVIRONMENTS = ("dev", "prod")
_FIRST = {"dev": "bcdfghjkmn", "prod": "PQRSTVWXYZ"}
_FIRST_HEX = {"dev": "01234567", "prod": "89abcdef"}
"""First characters of an environment's keys and ids: they differ from the other's within six characters."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """None when the file is not there."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None

    def write(self, path: Path) -> None:
        """The whole file or none of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.touch(mode=0o600)
        part.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        part.replace(path)


class Credentials(_Kept):
    """What one environment is let in with, and the ids that its settings name."""

    base_id: str
    airtable_key: str
    api_key: str
    mail_user: str
    mail_password: str
    portal_user: str
    portal_password: str
    hcp_key: str
    hcp_company: str
    hcp_webhook_secret: str
    forwarder_secret: str
    hcp_employee: str
    hcp_next_guest_type: str
    hcp_owner_type: str
    hcp_laundry_type: str
    hcp_inspection_type: str


class Order(_Kept):
    """What `up` was asked for; `filled` once the bases hold all of it."""

    seed: int
    feeds: int
    day: date
    empty: bool
    credentials: dict[str, Credentials] = Field(repr=False)
    filled: bool = False

    @classmethod
    def new(cls, *, seed: int, feeds: int, day: date, empty: bool) -> "Order":
        return cls(
            seed=seed,
            feeds=0 if empty else feeds,
            day=day,
            empty=empty,
            credentials={environment: _credentials(seed, environment) for environment in ENVIRONMENTS},
        )


class Serving(_Kept):
    """The process that serves the stand-ins, and where."""

    pid: int
    started: int
    ports: dict[str, int]

    @property
    def process(self) -> Process:
        return Process(self.pid, self.started)

    def url(self, stand_in: str) -> str:
        return f"http://127.0.0.1:{self.ports[stand_in]}"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a sandbox keeps what: `sandbox/` is its own, `config/` and `var/` are the program's."""

    root: Path

    @property
    def own(self) -> Path:
        return self.root / "sandbox"

    @property
    def order(self) -> Path:
        return self.own / "order.json"

    @property
    def serving(self) -> Path:
        return self.own / "serving.json"

    @property
    def log(self) -> Path:
        return self.own / "server.log"

    @property
    def lock(self) -> Path:
        return self.own / "lock"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def home(self) -> Path:
        return self.root / "var"


def _credentials(seed: int, environment: str) -> Credentials:
    def secret(what: str, length: int) -> str:
        first = code(1, seed, environment, what, "first", alphabet=_FIRST[environment])
        return first + code(length - 1, seed, environment, what, alphabet=ALPHANUMERIC)

    def hexadecimal(what: str) -> str:
        first = code(1, seed, environment, what, "first", alphabet=_FIRST_HEX[environment])
        return first + digest(seed, environment, what)[1:]

    return Credentials(
        base_id=f"app{secret('base', 14)}",
        airtable_key=f"pat{secret('key', 14)}.{digest(seed, environment, 'a')}{digest(seed, environment, 'b')}",
        api_key=secret("api", 40),
        mail_user=secret("mail user", 16),
        mail_password=secret("mail password", 32),
        portal_user=f"{secret('portal user', 8)}@portal.example.test",
        portal_password=secret("portal password", 24),
        hcp_key=secret("hcp key", 32),
        hcp_company=hexadecimal("hcp company")[0] + uuid(seed, environment, "hcp company")[1:],
        hcp_webhook_secret=secret("hcp webhook", 40),
        forwarder_secret=secret("forwarder", 40),
        hcp_employee=f"pro_{hexadecimal('hcp employee')}",
        hcp_next_guest_type=f"jbt_{hexadecimal('hcp next guest')}",
        hcp_owner_type=f"jbt_{hexadecimal('hcp owner')}",
        hcp_laundry_type=f"jbt_{hexadecimal('hcp laundry')}",
        hcp_inspection_type=f"jbt_{hexadecimal('hcp inspection')}",
    )


def write_settings(path: Path, settings: Mapping[str, str]) -> None:
    """Sets these names in a settings file and leaves every other line as it is; nobody else may read the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.partition("=")[0].strip() not in settings]
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in (*(f"{name}={value}" for name, value in settings.items()), *kept))
    part.replace(path)
