"""How long a 429 asks to wait, in every form (housecallpro.md HC-33 … HC-35)."""

from __future__ import annotations

import pytest

from changeover.housecallpro.waits import wait_asked

NOW = 1_772_647_331.0  # 2026-03-04T18:02:11Z


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 1.5 ", 1.5),
        ("0", 1),
        ("600", 120),
        ("86399", 120),
        ("1772647341", 10),
        ("1772647331", 1),
        ("1772647341000", 10),
        ("1772647341500", 10.5),
        ("Wed, 04 Mar 2026 18:02:21 GMT", 10),
        ("Wed, 04 Mar 2026 18:02:21 -0000", 10),
        ("2026-03-04T18:02:21Z", 10),
        ("2026-03-04T11:02:21-07:00", 10),
        ("2026-03-04T18:02:21.5", 10.5),
        ("Wed, 04 Mar 2026 18:00:00 GMT", 1),
        ("86400", None),
        ("999999999", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("Wed, 99 Mar 2026 18:02:21 GMT", None),
    ],
)
@pytest.mark.parametrize("name", ["Retry-After", "RateLimit-Reset", "X-RateLimit-Reset"])
def test_each_header_is_read_in_each_form_and_held_within_two_minutes(name, header, seconds):
    """HC-33, HC-34, HC-35."""
    asked = wait_asked({name: header}, NOW)
    assert asked == (None if seconds is None else pytest.approx(seconds))


def test_the_first_header_that_can_be_read_counts():
    headers = {"Retry-After": "soon", "RateLimit-Reset": "9", "X-RateLimit-Reset": "30"}
    assert wait_asked(headers, NOW) == 9
    assert wait_asked({}, NOW) is None
