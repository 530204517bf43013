"""The control API on a stand-in that adds nothing of its own."""

import pytest
import requests
from aiohttp import web

from changeover_sandbox.control import install_control, is_loopback


@pytest.fixture
def plain(serve):
    """A bare application under control; `resets` counts how often it was emptied."""
    app = web.Application()
    resets: list[int] = []
    install_control(app, reset=lambda: resets.append(1))

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"whole")
        return response

    async def gone(_request: web.Request) -> web.Response:
        raise web.HTTPGone

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("broken")

    app.router.add_get("/stream", stream)
    app.router.add_get("/gone", gone)
    app.router.add_get("/broken", broken)
    return serve(app), resets


def journal(url: str) -> list[tuple[str, int | None]]:
    calls = requests.get(f"{url}/_sandbox/requests", timeout=5).json()["requests"]
    return [(one["path"], one["status"]) for one in calls]


def test_every_outcome_is_journaled(plain) -> None:
    url, _ = plain
    for path in ("/stream", "/gone", "/broken", "/nowhere"):
        requests.get(url + path, timeout=5)
    assert journal(url) == [("/stream", 200), ("/gone", 410), ("/broken", 500), ("/nowhere", 404)]


def test_plain_answers_stand_in_where_a_service_has_none(plain) -> None:
    url, _ = plain
    for order in (
        {"mode": "status", "value": 503, "times": 1},
        {"mode": "rate-limit", "value": "Retry-After: 2", "times": 1},
        {"mode": "rate-limit", "times": 1},
    ):
        requests.post(f"{url}/_sandbox/faults", json=order, timeout=5)
    answers = [requests.get(f"{url}/stream", timeout=5) for _ in range(4)]
    assert [one.status_code for one in answers] == [503, 429, 429, 200]
    assert [one.headers.get("Retry-After") for one in answers] == [None, "2", None, None]


def test_a_reset_empties_the_stand_in_once_and_the_journal(plain) -> None:
    url, resets = plain
    requests.get(f"{url}/stream", timeout=5)
    assert requests.post(f"{url}/_sandbox/reset", timeout=5).json() == {"reset": True}
    assert (resets, journal(url)) == ([1], [])


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        (None, True),
        ("192.0.2.7", False),
        ("fe80::1%eth0", False),
    ],
)
def test_only_this_machine_controls(address: str | None, local: bool) -> None:
    assert is_loopback(address) is local
