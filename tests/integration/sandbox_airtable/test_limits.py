"""Limits per second and per month (AT-13, airtable.md §6.4)."""

import pytest
import requests


@pytest.fixture
def limited(sandbox):
    """The stand-in with the service's own limits, its clock stopped between turns."""
    sandbox.control("POST", "/limits", {"enforce": True})
    sandbox.clock.stopped_at = sandbox.clock()
    return sandbox


def statuses(sandbox, count: int, path: str = "/Stays") -> list[int]:
    return [sandbox.call("GET", path).status_code for _ in range(count)]


def test_the_sixth_request_in_a_second_is_refused_in_the_services_words(limited) -> None:
    assert statuses(limited, 5) == [200] * 5
    answer = limited.call("GET", "/Stays")
    message = "Rate limit exceeded. Please try again later"
    assert answer.status_code == 429
    assert answer.json() == {"errors": [{"error": "RATE_LIMIT_REACHED", "message": message}]}


def test_the_second_slides(limited) -> None:
    assert statuses(limited, 3) == [200] * 3
    limited.clock.ahead += 0.6
    assert statuses(limited, 2) == [200] * 2
    limited.clock.ahead += 0.5
    assert statuses(limited, 3) == [200] * 3
    assert statuses(limited, 1) == [429]


def test_a_refusal_closes_the_base_for_thirty_seconds_and_further_refusals_do_not_prolong_it(limited) -> None:
    statuses(limited, 6)
    limited.clock.ahead += 29
    assert statuses(limited, 2) == [429, 429]
    limited.clock.ahead += 1.1
    assert statuses(limited, 1) == [200]


def test_a_refused_write_is_not_applied(limited) -> None:
    statuses(limited, 5)
    assert limited.call("POST", "/Stays", {"fields": {"UID": "a"}}).status_code == 429
    limited.clock.ahead += 31
    assert limited.table("Stays").all() == []


def test_each_base_has_its_own_second(limited) -> None:
    statuses(limited, 6)
    prod = {"Authorization": "Bearer prdKey.secret"}
    url = f"{limited.url}/v0/meta/bases/appProdBase000001/tables"
    assert requests.get(url, headers=prod, timeout=5).status_code == 200


def test_a_stranger_does_not_use_up_the_second_of_a_base(limited) -> None:
    for _ in range(9):
        limited.call("GET", "/Stays", headers={"Authorization": "Bearer prdKey.secret"})
    assert statuses(limited, 1) == [200]


def test_a_token_has_fifty_requests_a_second_over_all_bases(limited) -> None:
    answers = [limited_whoami(limited) for _ in range(51)]
    assert answers == [200] * 50 + [429]


def limited_whoami(sandbox) -> int:
    headers = {"Authorization": f"Bearer {sandbox.key}"}
    return requests.get(f"{sandbox.url}/v0/meta/whoami", headers=headers, timeout=5).status_code


def test_past_the_monthly_cap_data_is_refused_and_meta_answers(limited) -> None:
    limited.control("POST", "/limits", {"requests_per_second": 1000, "monthly": 3})
    assert statuses(limited, 4) == [200, 200, 200, 429]
    assert limited.call("GET", "/Stays").json()["errors"][0]["error"] == "PUBLIC_API_BILLING_LIMIT_EXCEEDED"
    assert limited_whoami(limited) == 200
    assert limited.base.schema(force=True).tables[0].name == "Homes"
    assert limited.control("GET", "/limits").json()["used"] == 3


def test_the_meter_starts_anew_with_the_month(limited) -> None:
    limited.control("POST", "/limits", {"monthly": 1})
    assert statuses(limited, 2) == [200, 429]
    limited.clock.ahead += 32 * 24 * 3600
    assert statuses(limited, 1) == [200]


def test_no_cap_is_no_cap(limited) -> None:
    limited.control("POST", "/limits", {"monthly": None, "requests_per_second": 1000})
    assert statuses(limited, 8) == [200] * 8


def test_limits_can_be_changed_shown_and_switched_off(limited) -> None:
    changed = limited.control("POST", "/limits", {"requests_per_second": 2, "penalty_seconds": 0}).json()
    assert (changed["enforce"], changed["requests_per_second"], changed["penalty_seconds"]) == (True, 2, 0)
    assert statuses(limited, 4) == [200, 200, 429, 200]
    limited.control("POST", "/limits", {"enforce": False})
    assert statuses(limited, 20) == [200] * 20


@pytest.mark.parametrize("order", [[], {"monthly": "many"}, {"requests_per_second": "fast"}])
def test_limits_that_make_no_sense_are_refused(sandbox, order: object) -> None:
    assert sandbox.control("POST", "/limits", order).status_code == 400


def test_pyairtables_own_retries_do_not_outlast_the_penalty(limited) -> None:
    statuses(limited, 6)
    with pytest.raises(requests.HTTPError, match="429"):
        limited.table("Stays").all()
