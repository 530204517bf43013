"""Which part of a name is ours, and who has named a job's first line, where work was cut off in between (§12, J-55)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from changeover.core.job_order import Line, called_otherwise, complete
from changeover.core.service_line_merge import base_in

PLAIN, TUB = "Turnover STR Next Guest Unknown", "Check hot tub - Turnover STR Next Guest Unknown"
WANTED = (Line(PLAIN, unit_price=14500), Line("Linen", unit_price=2500))
THERE = tuple(replace(line, id=f"rli_{place}", order_index=place) for place, line in enumerate(WANTED))


@pytest.mark.parametrize(
    ("theirs", "base", "sent", "ours"),
    [
        (PLAIN, PLAIN, "", PLAIN),
        (f"Sam: {TUB}", PLAIN, TUB, TUB),  # applied, and the row never heard of it
        (f"Sam: {TUB}", TUB, PLAIN, TUB),  # never applied
        ("Ask Sam", PLAIN, TUB, PLAIN),
        (TUB, "", TUB, ""),  # emptied by a person
    ],
)
def test_our_part_of_a_name_is_the_longer_one_of_those_that_stand_in_it(
    theirs: str, base: str, sent: str, ours: str
) -> None:
    """J-97, J-98, J-103."""
    assert base_in(theirs, base, sent) == ours


def test_lines_that_are_ours_but_for_the_first_name_were_named_by_somebody() -> None:
    """J-55."""
    renamed = (replace(THERE[0], name="Ask Sam"), THERE[1])
    others = (THERE[0], replace(THERE[1], unit_price=1))

    assert [called_otherwise(each, WANTED) for each in (THERE, renamed, others, ())] == ["", "Ask Sam", None, None]
    assert [complete(each, WANTED) for each in (THERE, renamed, others)] == [True, False, False]
    assert called_otherwise((), ()) == ""
