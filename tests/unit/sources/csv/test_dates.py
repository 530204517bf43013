"""R-16: three forms of a date, month first, never guessed."""

from __future__ import annotations

from datetime import date

import pytest

from changeover.sources.csv.dates import read_date


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-08",
        "2026-3-8",
        "2026-03-08 16:00:00",
        "2026-03-08T16:00:00Z",
        "03-08-2026",
        "3-8-2026",
        "3/8/2026",
        "03/08/2026 4:00 PM",
    ],
)
def test_every_known_form_is_march_8(text) -> None:
    assert read_date(text) == date(2026, 3, 8)


@pytest.mark.parametrize(
    "text",
    [
        "13-04-2026",
        "13/04/2026",
        "2026-13-04",
        "2026-02-30",
        "02-29-2026",
        "03-08-26",
        "3/8-2026",
        "20260308",
        "March 8, 2026",
        "46089",
        "2026-03-08 soon",
        "0000-01-01",
        "٠٣-٠٨-٢٠٢٦",
        "",
    ],
)
def test_anything_else_is_no_date_and_day_and_month_are_never_swapped(text) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_date(text)
