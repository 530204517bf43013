"""What makes an environment itself, in a comparable form; its fingerprints on disk give no value away."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from changeover.settings.reading import EnvironmentName

FILE_NAME = "identity.json"
IDENTIFYING = (
    "AIRTABLE_BASE_ID",
    "AIRTABLE_API_KEY",
    "HCP_API_KEY",
    "HCP_WEBHOOK_SECRET",
    "SERVATIV_WEBHOOK_SECRET",
    "API_KEY",
    "DATABASE_URL",
)
FOLDER = "CHANGEOVER_HOME"


def identifying(environment: EnvironmentName, home: Path, values: Mapping[str, str]) -> dict[str, str]:
    """The values that the two environments must not share (S-4), database and folder in one canonical form."""
    found = {name: values[name] for name in IDENTIFYING if values.get(name)}
    folder = home / environment
    found["DATABASE_URL"] = _database(values.get("DATABASE_URL") or f"sqlite:///{folder / 'state.db'}")
    found[FOLDER] = os.path.realpath(folder)
    return found


def parts(value: str) -> frozenset[str]:
    """A secret may hold two comma-separated values during a rotation (X-1): sharing either is sharing."""
    return frozenset(part for each in value.split(",") if (part := each.strip()))


def fingerprints(values: Mapping[str, str]) -> dict[str, object]:
    """The content of an identity file: one salt and a scrypt digest per part of each value."""
    salt = secrets.token_bytes(16)
    digests = {name: sorted(_digest(part, salt) for part in parts(value)) for name, value in values.items()}
    return {"salt": salt.hex(), "fingerprints": digests}


def compare(own: Mapping[str, str], other: Path) -> list[str] | None:
    """Names whose fingerprints in the other environment's file fit our values; None when it cannot be read."""
    try:
        content = json.loads(other.read_text(encoding="utf-8"))
        salt = bytes.fromhex(content["salt"])
        known: dict[str, list[str]] = content["fingerprints"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return [
        name for name, value in own.items() if any(_digest(part, salt) in known.get(name, []) for part in parts(value))
    ]


def _digest(text: str, salt: bytes) -> str:
    return hashlib.scrypt(text.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex()


def _database(url: str) -> str:
    """A database by where it is, not by how or as whom it is reached."""
    address = urlsplit(url)
    if address.scheme.startswith("sqlite"):
        return "sqlite:" + os.path.realpath(address.path.removeprefix("/"))
    query = parse_qs(address.query)
    host = address.hostname or query.get("host", ["localhost"])[0]
    port = address.port or query.get("port", ["5432"])[0]
    return f"postgresql:{'localhost' if host in _HERE else host}:{port}{address.path}"


_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
