import re
from datetime import UTC, datetime

import pytest

from changeover_sandbox.housecallpro.ids import instant, is_id, iso, iso_or_none, new_id


def test_an_id_has_a_prefix_and_32_hex_digits() -> None:
    one, other = new_id("job"), new_id("job")
    assert re.fullmatch(r"job_[0-9a-f]{32}", one)
    assert one != other
    assert is_id(one, "job")
    assert not is_id(one, "pro")
    assert not is_id("job_1", "job")
    assert not is_id(one.upper(), "job")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04T17:15:00Z",
        "2026-03-04T17:15:00.000Z",
        "2026-03-04T10:15:00-07:00",
        "2026-03-04T22:45:00+05:30",
        "2026-03-04T17:15Z",
    ],
)
def test_one_instant_has_many_spellings(text: str) -> None:
    assert instant(text) == datetime(2026, 3, 4, 17, 15, tzinfo=UTC)
    assert iso(instant(text)) == "2026-03-04T17:15:00Z"


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-04T17:15:00",
        "2026-03-04",
        "now",
        "",
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        1772647331,
        None,
    ],
)
def test_what_names_no_instant_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"offset|time|range|day"):
        instant(value)


def test_what_did_not_happen_has_no_time() -> None:
    assert iso_or_none(None) is None
