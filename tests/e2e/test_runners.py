"""The runner files as cron starts them: one way for every trigger, and not a word too many about keys and guests."""

from __future__ import annotations

import json

from changeover.exits import Exit
from plugins.outsider import Business

GUEST, PHONE, TOKEN = "Wilhelmina Quist", "+1 602 555 0143", "s3cretfeedtoken"


def test_a_runner_takes_the_options_of_run_but_no_other_environment(business: Business) -> None:
    """Z-22: five processors, the fix in the unused one (C-1): the same plan, the same words, another trigger."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    process = business.start("dev", "--dry-run", "--only", "ICS Calendar", "--json")
    said = json.loads(process.communicate(timeout=60)[0])
    assert process.returncode == Exit.OK
    assert said["automations"][0]["counters"]["changes"] == {"new.Reservation": 1}
    assert business.runs()[0].trigger == "cron"
    assert business.office.records() == []
    here = business.run(dry_run=True)
    assert here.only.counters["changes"] == said["automations"][0]["counters"]["changes"]
    refused = business.start("dev", "--env", "prod")
    assert "--env" in refused.communicate(timeout=60)[1]
    assert refused.returncode == Exit.CONFIGURATION


def test_no_log_alert_or_status_holds_a_key_a_feeds_address_or_a_guest(business: Business) -> None:
    """Z-26: the key was printed in the log (L-5, X-13); P-14, P-29."""
    (calendar,) = business.house("Casa Uno")
    details = f"Guest Name: {GUEST}\\nPhone: {PHONE}"
    calendar.stay("a1@x", 2, 5, f"Reserved - {GUEST}", DESCRIPTION=details)
    feed = business.office_feed(calendar.url)
    business.office.edit("ICS Feeds", feed, **{"ICS URL": f"{calendar.url}?t={TOKEN}"})
    bad = f"http://{TOKEN}:{TOKEN}@127.0.0.1:1/{TOKEN}.ics?t={TOKEN}"
    business.office.feed(bad, business.office.home("Casa Dos"))
    business.set("dev", LOG_LEVEL="DEBUG")
    for _ in range(2):
        process = business.start()
        said = "".join(process.communicate(timeout=60))
        assert process.returncode == Exit.PARTIAL
    logs = "".join(path.read_text() for path in (business.data() / "logs").rglob("*.jsonl"))
    assert "feed.failed" in logs
    shown = [
        *(row.text for row in business.alerts().values()),
        *(str(value) for row in business.office.records("Automation") for value in row.values()),
        *(str(row["ICS URL Response"]) for row in business.office.records("ICS Cron")),
        *(str(run.error_text) + str(run.counters) for run in business.runs()),
        *(str(value) for row in business.office.live for name, value in row.items() if name != "ICS URL"),
    ]
    key = business.sandbox.keys("dev")["api_key"]
    for secret in (key, TOKEN, GUEST, "Wilhelmina", PHONE, "555 0143"):
        for text in (said, logs, *shown):
            assert secret not in text
