"""How a status of ours ends for the sender, and what credentials an address carries."""

from dataclasses import dataclass, field

import pytest

from changeover_sandbox.cloudmailin.post import Login, Outcome, _write_and_end, login_of, outcome


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((200, 201, 204, 299), Outcome.DELIVERED),
        ((400, 401, 403, 404, 413, 422, 429, 499), Outcome.BOUNCED),
        ((0, 301, 303, 304, 307, 308, 500, 503, 599, 600), Outcome.DEFERRED),
    ],
)
def test_a_status_is_delivered_bounced_or_deferred(statuses: tuple[int, ...], expected: Outcome) -> None:
    assert {outcome(status) for status in statuses} == {expected}


def test_credentials_in_an_address_are_decoded() -> None:
    assert login_of("https://a%40b:p%2Fw@example.test/x") == Login("a@b", "p/w")
    assert login_of("https://a@example.test/x") == Login("a", "")
    assert login_of("https://example.test/x") is None
    assert Login("a", "b").header == "Basic YTpi"


@dataclass
class _Line:
    """The writing end of a connection that can, or cannot, be closed one way only."""

    halves: bool
    done: list[object] = field(default_factory=list)

    def can_write_eof(self) -> bool:
        return self.halves

    def write(self, body: bytes) -> None:
        self.done.append(body)

    def write_eof(self) -> None:
        self.done.append("eof")

    def close(self) -> None:
        self.done.append("closed")


@pytest.mark.parametrize(("halves", "end"), [(True, "eof"), (False, "closed")])
def test_a_broken_line_stays_open_the_other_way_unless_it_is_encrypted(*, halves: bool, end: str) -> None:
    line = _Line(halves)
    _write_and_end(line, b"half")
    assert line.done == [b"half", end]
