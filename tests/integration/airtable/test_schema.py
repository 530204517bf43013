"""Setting a base up, comparing it and proving it, over HTTP."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from changeover.airtable.client import AirtableClient
from changeover.airtable.errors import Forbidden, WrongBase
from changeover.airtable.schema import (
    AUTOMATIONS,
    BaseSpec,
    FindingKind,
    check,
    forget_verification,
    init,
    load_facts,
    marker,
    verify,
)
from changeover.store import mirror
from changeover.store.database import Database
from changeover.store.mirror import Cursor


def writes(calls: list[dict[str, Any]]) -> list[str]:
    return [call["path"] for call in calls if call["method"] != "GET"]


def test_init_makes_every_table_its_first_rows_and_a_list_of_what_is_left(
    empty_base: Any, client: AirtableClient, spec: BaseSpec
) -> None:
    report = init(client, spec, "dev")
    tables = [each["name"] for each in client.meta_tables()]
    assert tables == [table.name for table in spec.tables]
    assert report.created[: len(tables)] == tuple(tables)
    automation = empty_base.rows("Automation").values()
    assert {each["Name"] for each in automation} == set(AUTOMATIONS)
    assert not any("Active" in each for each in automation)
    assert list(empty_base.rows("Environment").values()) == [{"Name": "dev"}]
    assert [line.split()[0] for line in report.lines()].count("manual") == len(report.manual) == 3
    assert {each.kind for each in check(client, spec)} == {FindingKind.MANUAL}


def test_a_second_init_writes_nothing(base: Any, client: AirtableClient, spec: BaseSpec) -> None:
    since = base.mark()
    report = init(client, spec, "dev")
    assert writes(base.calls(since)) == []
    assert report.created == report.options == report.missing_options == ()


def test_init_adds_what_is_missing_and_touches_nothing_else(
    empty_base: Any, client: AirtableClient, spec: BaseSpec
) -> None:
    client.create_table({"name": "Environment", "fields": [{"name": "Name", "type": "singleLineText"}]})
    client.create_table(
        {
            "name": "Automation",
            "fields": [{"name": "Name", "type": "singleLineText"}, {"name": "Mine", "type": "singleLineText"}],
        }
    )
    empty_base.add("Automation", {"Name": "ICS Calendar", "Mine": "kept"})
    report = init(client, spec, "prod")
    assert "Automation · Active" in report.created
    assert list(empty_base.rows("Automation").values()) == [{"Name": "ICS Calendar", "Mine": "kept"}]
    assert list(empty_base.rows("Environment").values()) == [{"Name": "prod"}]


def test_missing_options_are_listed_and_added_only_when_asked(
    empty_base: Any, client: AirtableClient, spec: BaseSpec
) -> None:
    init(client, _without_options(spec), "dev")
    report = init(client, spec, "dev")
    assert any(each.startswith("Reservations · Status: options to add: Removed") for each in report.missing_options)
    report = init(client, spec, "dev", add_options=True)
    assert "Reservations · Status: Removed" in report.options
    assert report.missing_options == ()
    assert empty_base.rows() == {}
    assert not [each for each in check(client, spec) if each.kind is FindingKind.OPTION]
    assert [line for line in report.lines() if line.startswith("option    Reservations · Status: Removed")]


def _without_options(spec: BaseSpec) -> BaseSpec:
    """The schema file as an older release had it: two options of Status and one of Job Status less."""

    def older(field: Any) -> Any:
        if field.name not in {"Status", "Job Status"}:
            return field
        left = field.choices[: 3 if field.name == "Status" else 4]
        body = {**field.body, "options": {"choices": [{"name": name} for name in left]}}
        return replace(field, choices=left, body=body)

    return BaseSpec(tuple(replace(each, fields=tuple(map(older, each.fields))) for each in spec.tables))


def test_a_base_of_the_other_environment_is_refused_before_any_write(
    base: Any, client: AirtableClient, spec: BaseSpec, db: Database, now: datetime
) -> None:
    """Z-24: prod once accepted the base of dev."""
    since = base.mark()
    with pytest.raises(WrongBase):
        verify(client, db, spec, "prod", now=now, version="1")
    with pytest.raises(WrongBase):
        init(client, spec, "prod")
    assert writes(base.calls(since)) == []


def test_two_markers_are_as_bad_as_a_wrong_one(base: Any, client: AirtableClient) -> None:
    base.add("Environment", {"Name": "dev"})
    with pytest.raises(WrongBase):
        marker(client, "dev")


def test_a_base_without_marker_is_warned_about(
    base: Any, client: AirtableClient, spec: BaseSpec, db: Database, now: datetime
) -> None:
    base.delete(*base.rows("Environment"), table="Environment")
    verification = verify(client, db, spec, "dev", now=now, version="1")
    assert ("Environment", False) in [(each.table, each.error) for each in verification.findings]
    assert verification.blocked == {}


def test_an_empty_base_is_verified_in_one_call_and_stops_every_automation(
    empty_base: Any, client: AirtableClient, spec: BaseSpec, db: Database, now: datetime
) -> None:
    verification = verify(client, db, spec, "dev", now=now, version="1")
    assert set(verification.blocked) == set(AUTOMATIONS)
    assert {each.rule for each in verification.alerts} == {"schema_drift"}
    assert len(empty_base.calls()) == 1


def test_a_verification_takes_two_calls_and_is_remembered_for_a_day(
    base: Any, client: AirtableClient, spec: BaseSpec, db: Database, now: datetime
) -> None:
    def calls(at: datetime, version: str = "1", env: str = "dev", **more: bool) -> int:
        since = base.mark()
        verification = verify(client, db, spec, env, now=at, version=version, **more)
        assert verification.facts.has("Reservations", "Status")
        assert verification.remembered == (not base.calls(since))
        return len(base.calls(since))

    assert calls(now) == 2
    assert calls(now + timedelta(hours=23)) == 0
    assert calls(now, version="2") == 2
    assert calls(now) == 2
    assert calls(now, fresh=True) == 2
    assert calls(now + timedelta(hours=24)) == 2
    assert calls(now) == 2  # a memory of the future is none


def test_drift_is_not_remembered_and_names_table_and_field(
    base: Any, client: AirtableClient, spec: BaseSpec, db: Database, now: datetime, connect: Any
) -> None:
    _rename(base, client, "Same-day Turnover", "Same day")
    verification = verify(client, db, spec, "dev", now=now, version="1")
    assert [(each.rule, each.subject) for each in verification.alerts] == [
        ("schema_drift", "Reservations·Same-day Turnover")
    ]
    assert "ICS Calendar" in verification.blocked
    _rename(base, client, "Same day", "Same-day Turnover")
    assert verify(client, db, spec, "dev", now=now, version="1").blocked == {}


def _rename(base: Any, client: AirtableClient, old: str, new: str) -> None:
    table = next(each for each in client.meta_tables() if each["name"] == "Reservations")
    field = next(each for each in table["fields"] if each["name"] == old)  # type: ignore[union-attr, index]
    url = f"{base.url}/v0/meta/bases/{base.base_id}/tables/{table['id']}/fields/{field['id']}"  # type: ignore[index]
    answer = requests.patch(url, json={"name": new}, headers={"Authorization": f"Bearer {base.key}"}, timeout=10)
    assert answer.ok, answer.text


def test_a_forgotten_verification_keeps_the_types_and_makes_the_next_refresh_full(
    base: Any, client: AirtableClient, spec: BaseSpec, db: Database, now: datetime
) -> None:
    with db.begin() as conn:
        forget_verification(conn)
    facts = verify(client, db, spec, "dev", now=now, version="1").facts
    with db.begin() as conn:
        mirror.save_cursor(conn, "Reservations", Cursor(now, now))
        forget_verification(conn, drift=False)
        assert mirror.cursor(conn, "Reservations") is not None
        forget_verification(conn)
        assert mirror.cursor(conn, "Reservations") is None
        assert load_facts(conn) == facts
    assert not verify(client, db, spec, "dev", now=now, version="1").remembered


def test_a_key_of_the_other_base_proves_nothing(
    base: Any, connect: Any, spec: BaseSpec, db: Database, now: datetime
) -> None:
    with pytest.raises(Forbidden):
        verify(connect(key="patPRD0000000001.secretsecretsecret"), db, spec, "dev", now=now, version="1")
