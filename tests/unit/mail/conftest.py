from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from changeover import rulefiles
from changeover.sources.csv import suppliers
from changeover.sources.csv.suppliers import Supplier
from changeover.sources.mail.mail import Mail
from changeover.sources.mail.read import read
from plugins.mailbag import FORM


@pytest.fixture
def posted(tmp_path: Path) -> Callable[..., Mail]:
    """Reads a body as it was posted."""

    def put(body: bytes, content_type: str = FORM, **more: bool) -> Mail:
        path = tmp_path / "mail"
        path.write_bytes(body)
        return read(path, content_type, **more)

    return put


@pytest.fixture(scope="session")
def shipped() -> tuple[Supplier, ...]:
    """The suppliers as they are shipped."""
    return suppliers.load(rulefiles.find(name, Path("/nowhere")) for name in suppliers.FILES)
