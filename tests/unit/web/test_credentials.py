"""Who posts mails, judged from one header."""

from __future__ import annotations

import base64

import pytest

from changeover.settings import EnvironmentName
from changeover.settings.inbound import Inbound
from changeover.web.credentials import Caller, Fit, caller, fit


def header(text: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (header("user:word"), (b"user", b"word")),
        (header("user:wo:rd", "basic"), (b"user", b"wo:rd")),
        (header("üser:wörd"), ("üser".encode(), "wörd".encode())),
        (header("user:"), None),
        (header(":word"), None),
        (header("user"), None),
        ("", None),
        ("Basic", None),
        ("Basic !!!!", None),
        ("Basic ü", None),
        (header("user:word", "Bearer"), None),
    ],
)
def test_credentials_are_read_or_missing(authorization, expected):
    found = caller(authorization)
    assert (found and (found.user, found.password)) == expected


def test_credentials_do_not_print():
    assert "word" not in repr(Caller(b"user", b"word"))


def environment(user: str | None, password: str | None) -> Inbound:
    values = {"environment": EnvironmentName.DEV, "home": "/var/lib/x", "api_key": "k"}
    return Inbound.model_validate({**values, "cloudmailin_user": user, "cloudmailin_password": password})


@pytest.mark.parametrize(
    ("user", "password", "shown", "expected"),
    [
        ("mail", "word", ("mail", "word"), Fit.FITS),
        ("mail", "old, new", ("mail", "old"), Fit.FITS),
        ("mail", "old, new", ("mail", "new"), Fit.FITS),
        ("mail", "old, new", ("mail", "old, new"), Fit.WRONG_PASSWORD),
        ("mail", "word", ("mail", "Word"), Fit.WRONG_PASSWORD),
        ("mail", None, ("mail", "word"), Fit.WRONG_PASSWORD),
        ("mail", "word", ("male", "word"), Fit.STRANGER),
        (None, "word", ("mail", "word"), Fit.STRANGER),
        (None, None, ("mail", "word"), Fit.STRANGER),
        ("mäil", "wörd", ("mäil", "wörd"), Fit.FITS),
    ],
)
def test_they_fit_or_not(user, password, shown, expected):
    assert fit(Caller(shown[0].encode(), shown[1].encode()), environment(user, password)) is expected
