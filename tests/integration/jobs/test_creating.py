"""A person presses Create Job: one job, priced, named and marked, whatever was there before (J-44 … J-58)."""

from __future__ import annotations

from changeover.engine.jobs.operations import Action, perform
from plugins.job_house import House, text


def test_a_stay_gets_one_job_with_the_templates_lines_and_a_row_that_says_so(house: House) -> None:
    stay = house.stay()

    answer = perform(house.desk, Action.CREATE, stay)

    assert answer.success, answer
    (job,) = house.jobs()
    row = house.row(stay)
    assert (row["Service Job ID"], row["Job Status"], row["Sync Status"]) == (job["id"], "Scheduled", "Synced")
    assert row["Service Appointment ID"] == job["schedule"]["appointments"][0]["id"] == answer.appointment_id
    assert job["schedule"]["scheduled_start"] == text(house.start()) == answer.scheduled_time
    assert [note["content"] for note in job["notes"]] == [f"Changeover ref {stay}"]
    lines = house.service.lines(job)
    assert [(line["name"], line["unit_price"], line["kind"]) for line in lines] == [
        ("Turnover STR Next Guest Unknown", 14500, "labor"),
        ("Linen", 2500, "materials"),
    ]
    assert row["Service Line Description"] == row["HCP Service Line Current"] == answer.service_name
    assert row["Service Sync Details"].startswith("✅ Job created for ")
    assert "Schedule Sync Details" not in row
