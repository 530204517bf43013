"""What the client can know without a base."""

import pytest
import requests
from pyairtable.formulas import RECORD_ID, Field, to_formula_str
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from changeover.airtable.client import FORMULA_LIMIT, _transport_code, _up_to


def _refused() -> requests.ConnectionError:
    reason = NewConnectionError(HTTPConnection("127.0.0.1"), "refused")
    return requests.ConnectionError(MaxRetryError(HTTPConnectionPool("127.0.0.1"), "/secret", reason))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (requests.ConnectTimeout("https://secret"), "no_connection"),
        (_refused(), "no_connection"),
        (requests.ReadTimeout("https://secret"), "timeout"),
        (requests.ConnectionError(ProtocolError("cut")), "connection_lost"),
        (requests.TooManyRedirects(), "connection_lost"),
    ],
)
def test_only_a_request_that_never_left_is_known_not_to_have_arrived(
    fault: requests.RequestException, code: str
) -> None:
    assert _transport_code(fault) == code


def test_conditions_are_grouped_by_the_length_of_their_formula() -> None:
    conditions = [RECORD_ID().eq(f"rec{number:014}") for number in range(1_000)]
    groups = list(_up_to(FORMULA_LIMIT, conditions))
    assert sum(map(len, groups)) == 1_000
    assert all(len(", ".join(map(to_formula_str, group))) + 4 <= FORMULA_LIMIT for group in groups)


def test_a_condition_longer_than_the_limit_goes_alone() -> None:
    long = Field("Reservation UID").eq("x" * 20_000)
    assert [len(group) for group in _up_to(FORMULA_LIMIT, [long, long])] == [1, 1]
    assert list(_up_to(FORMULA_LIMIT, [])) == []
