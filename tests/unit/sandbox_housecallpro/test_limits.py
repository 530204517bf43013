import pytest

from changeover_sandbox.housecallpro.limits import Limits, RateLimitedError, Settings


def admitted(limits: Limits, now: float, key: str = "a") -> bool:
    try:
        limits.admit(key, now)
    except RateLimitedError:
        return False
    return True


def test_a_second_slides() -> None:
    limits = Limits(Settings(requests_per_second=2))
    assert [admitted(limits, at) for at in (0.0, 0.6, 0.9, 1.0, 1.1)] == [True, True, False, True, False]


def test_a_wait_is_told_in_whole_seconds_and_never_as_none() -> None:
    limits = Limits(Settings(hourly=1))
    limits.admit("a", 100.0)
    with pytest.raises(RateLimitedError) as refused:
        limits.admit("a", 3699.9)
    assert refused.value.headers == {"Retry-After": "1"}
    with pytest.raises(RateLimitedError) as refused:
        limits.admit("a", 100.5)
    assert refused.value.headers == {"Retry-After": "3600"}


def test_the_stricter_limit_says_how_long() -> None:
    limits = Limits(Settings(hourly=1, requests_per_second=1))
    limits.admit("a", 0.0)
    with pytest.raises(RateLimitedError) as refused:
        limits.admit("a", 0.5)
    assert refused.value.headers == {"Retry-After": "3600"}


def test_new_settings_open_every_key() -> None:
    limits = Limits(Settings(hourly=1))
    assert [admitted(limits, 0.0), admitted(limits, 1.0)] == [True, False]
    limits.change(Settings(hourly=1))
    assert admitted(limits, 2.0)
