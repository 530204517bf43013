"""Whatever breaks, in whatever order: every stay has one row, every version one history row, the mirror is the base."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changeover.airtable.deliver import send_next
from changeover.core.plan import Change, Verb
from changeover.core.stay import Status

FAULTS = [
    ("drop-after-commit", None),
    ("drop-before", None),
    ("truncate", None),
    ("html", None),
    ("rate-limit", None),
    ("status", 500),
    ("status", 503),
    ("status", 401),
]
KILLS = ["before a write", "after a write", "in a transaction"]
EVENTS = st.one_of(st.just("nothing"), st.sampled_from(KILLS), st.sampled_from(FAULTS))


class Killed(BaseException):
    """The process ends here."""


class Hand:
    """Ends the process at a chosen place of the next step."""

    def __init__(self, client: Any) -> None:
        self.where = ""
        client.create, client.update = self._around(client.create), self._around(client.update)

    def _around(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def written(*arguments: Any) -> Any:
            if self.where == "before a write":
                raise Killed
            answer = write(*arguments)
            if self.where == "after a write":
                raise Killed
            return answer

        return written

    def lease(self, _: Any) -> None:
        if self.where == "in a transaction":
            self.where = ""
            raise Killed


@pytest.fixture
def hand(world: Any) -> Hand:
    return Hand(world.client)


@pytest.fixture
def numbers() -> Iterator[int]:
    return count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=12), new=st.integers(0, 14), changed=st.integers(0, 13))
def test_nothing_is_lost_or_done_twice(
    world: Any, hand: Hand, numbers: Iterator[int], events: list[Any], new: int, changed: int
) -> None:
    run_id = f"run-{next(numbers)}"
    rows = [world.row(next(numbers), Service_Job_ID="job_1") for _ in range(changed)]
    world.refresh()
    stays = [world.known(each) for each in rows]
    later = [replace(each, check_out=each.check_out + timedelta(days=1), status=Status.MODIFIED) for each in stays]
    world.plan(
        *(Change(Verb.NEW, None, world.stay(next(numbers))) for _ in range(new)),
        *(Change(Verb.MODIFY, before, after) for before, after in zip(stays, later, strict=True)),
        run_id=run_id,
    )
    context = world.delivery(check_lease=hand.lease)
    for event in events:
        hand.where = event if isinstance(event, str) else ""
        if not isinstance(event, str):
            world.base.fault(event[0], "", 1, value=event[1])
        try:
            send_next(context, run_id)
        except Killed:
            continue
    hand.where = ""
    world.base.heal()
    assert world.deliver(run_id, context).left == 0
    found = world.base.rows()
    seen = Counter((each["Reservation UID"], each["Status"]) for each in found.values())
    assert set(seen.values()) <= {1}
    assert [found[each]["Status"] for each in rows] == ["Modified"] * changed
    assert Counter(each["Status"] for each in found.values())["New"] >= new
    assert world.agrees()
