"""The four steps of a cycle against both services: what they do once, they do not do again (J-59 … J-110)."""

from __future__ import annotations

from changeover.store.runs import RunState
from plugins.job_house import House


def test_a_cycle_makes_the_jobs_that_are_due_and_a_second_one_changes_nothing(house: House) -> None:
    stay = house.stay()
    house.stay(days=9, Ready_for_Job=None)

    first = house.cycle()

    assert [each.text for each in first] == [
        "0/2 unlinked stays linked",
        "1 jobs created",
        "1/1 jobs verified",
        "0/0 lines updated",
    ]
    (job,) = house.jobs()
    assert house.row(stay)["Service Job ID"] == job["id"]
    mark = house.mark()
    again = house.cycle()
    assert [each.text for each in again] == [
        "0/1 unlinked stays linked",
        "0 jobs created",
        "1/1 jobs verified",
        "0/0 lines updated",
    ]
    base, hcp = house.calls(mark)
    assert [each for each in (*base, *hcp) if not each.startswith("GET")] == []
    assert hcp == ["GET /jobs", "GET /jobs"]
    assert all(each.state is RunState.SUCCEEDED for each in (*first, *again))
