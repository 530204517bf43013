"""The mirror against a base that people edit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from changeover.airtable import mirror as base_mirror
from changeover.airtable.errors import AirtableError, Forbidden, SchemaDrift, Unavailable
from changeover.airtable.mirror import Feed, Horizon, Property
from changeover.airtable.schema import BaseSpec, verify
from changeover.store import mirror
from changeover.store.gate import Purpose


def reads(calls: list[dict[str, Any]]) -> list[str]:
    return [call["path"].rsplit("/", 1)[-1] for call in calls]


def tables(refresh: base_mirror.Refresh) -> dict[str, tuple[bool, int]]:
    return {each.table: (each.full, each.read) for each in refresh.tables}


def test_a_first_refresh_reads_everything_and_the_next_one_makes_three_calls(world: Any) -> None:
    world.row(1)
    world.refresh()
    assert world.agrees()
    since = world.base.mark()
    refresh = world.refresh()
    assert (
        reads(world.base.calls(since)) == ["Automation", "ICS%20Feeds", "Reservations"]
        or len(world.base.calls(since)) == 3
    )
    assert tables(refresh)["Reservations"][0] is False
    assert not refresh.partial


def test_edits_new_rows_and_rows_of_others_come_in_by_modification_time(world: Any) -> None:
    one = world.row(1)
    world.refresh()
    two = world.row(2)
    world.base.edit(one, Service_Type="Deep Clean")
    world.refresh()
    assert world.agrees()
    assert world.mirrored()[one].fields["Service Type"] == "Deep Clean"
    assert two in world.mirrored()


def test_an_old_row_that_nobody_touched_is_not_read_again(world: Any) -> None:
    world.base.add(
        "Reservations",
        {"Reservation UID": "u", "Check-out Date": datetime.now(UTC).date().isoformat()},
        created="2026-01-01T00:00:00.000Z",
    )
    world.refresh(force_full=True)
    assert tables(world.refresh())["Reservations"] == (False, 0)


def test_a_deletion_shows_in_a_full_refresh_only_and_leaves_a_tombstone(world: Any) -> None:
    one, two = world.row(1), world.row(2, Service_Job_ID="job_7")
    world.refresh()
    world.base.delete(two)
    world.refresh()
    assert two in world.mirrored()
    refresh = world.refresh(force_full=True)
    assert set(world.mirrored()) == {one}
    assert refresh.tables[2].buried == (two,)
    with world.db.read() as conn:
        (stone,) = base_mirror.tombstones(conn)
    assert stone.fields["Service Job ID"] == "job_7"


def test_more_than_twenty_missing_rows_are_a_suspicion_and_no_deletion(world: Any) -> None:
    ids = [world.row(number) for number in range(21)]
    world.refresh()
    world.base.delete(*ids)
    refresh = world.refresh(force_full=True)
    assert [(each.rule, each.subject) for each in refresh.alerts] == [("suspect_deletions", "Reservations")]
    assert refresh.partial
    assert set(world.mirrored()) == set(ids)


def test_a_row_that_was_only_overlooked_while_paging_stays(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = world.row(1)
    world.refresh()
    real = world.client.read

    def overlook(table: str, purpose: Purpose, **more: Any) -> Any:
        reading = real(table, purpose, **more)
        return type(reading)(() if table == "Reservations" else reading.records, reading.at)

    monkeypatch.setattr(world.client, "read", overlook)
    refresh = world.refresh(force_full=True)
    assert one in world.mirrored()
    assert refresh.tables[2].buried == ()


def test_past_stays_leave_the_mirror_and_not_the_base(world: Any) -> None:
    today = datetime.now(UTC)
    old = world.row(1)
    world.refresh()
    world.base.edit(old, **{"Check-out_Date": (today - timedelta(days=100)).date().isoformat()})
    world.refresh()
    assert old in world.mirrored()
    refresh = world.refresh(force_full=True)
    assert old not in world.mirrored()
    assert refresh.tables[2].buried == ()
    assert old in world.base.rows()


def test_a_row_without_dates_is_mirrored(world: Any) -> None:
    (odd,) = world.base.add("Reservations", {"Reservation UID": "u"})
    world.refresh(force_full=True)
    assert odd in world.mirrored()


@pytest.mark.parametrize(
    ("last_full", "moment", "due"),
    [
        ("2026-03-04T09:00:00+00:00", "2026-03-04T09:59:00+00:00", False),  # 02:00 and 02:59 in Phoenix
        ("2026-03-04T09:00:00+00:00", "2026-03-04T10:01:00+00:00", True),
        ("2026-03-04T10:01:00+00:00", "2026-03-05T09:00:00+00:00", False),
    ],
)
def test_a_full_refresh_is_due_in_the_first_cycle_after_three_oclock(
    world: Any, last_full: str, moment: str, due: bool
) -> None:
    now = datetime.fromisoformat(moment)
    with world.db.begin() as conn:
        cursor = mirror.Cursor(now - timedelta(minutes=15), datetime.fromisoformat(last_full))
        mirror.save_cursor(conn, "Reservations", cursor)
    assert tables(world.refresh(now=now, tables=["Reservations"]))["Reservations"][0] is due


def test_a_cursor_older_than_a_day_is_not_trusted(world: Any) -> None:
    now = datetime.now(UTC)
    with world.db.begin() as conn:
        mirror.save_cursor(conn, "Reservations", mirror.Cursor(now - timedelta(hours=25), now))
    assert tables(world.refresh(tables=["Reservations"]))["Reservations"][0] is True


def test_the_cursor_stays_where_it_was_when_a_page_fails(world: Any) -> None:
    with world.db.read() as conn:
        before = mirror.cursor(conn, "Reservations")
    world.row(1)
    world.base.fault("status", "GET", None, path="Reservations", value=500)
    with pytest.raises(Unavailable):
        world.refresh()
    with world.db.read() as conn:
        assert mirror.cursor(conn, "Reservations") == before
        assert mirror.load(conn, "Reservations") == ()
    world.base.heal()
    world.refresh()
    assert world.agrees()


def test_the_cursor_is_the_bases_clock_less_two_minutes_or_ours_less_five(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cursor(now: datetime) -> timedelta:
        world.refresh(now=now)
        with world.db.read() as conn:
            found = mirror.cursor(conn, "Reservations")
        assert found is not None
        return now - found.cursor

    assert timedelta(seconds=118) < cursor(datetime.now(UTC)) < timedelta(seconds=125)
    real = world.client.read
    monkeypatch.setattr(world.client, "read", lambda *a, **k: type(r := real(*a, **k))(r.records, None))
    assert cursor(datetime.now(UTC)) == timedelta(seconds=300)


def test_inverse_links_are_never_asked_for_and_do_not_count_as_changes(world: Any) -> None:
    world.refresh(tables=["Properties", "Customers"], force_full=True)
    world.row(1)
    since = world.base.mark()
    refresh = world.refresh(tables=["Properties", "Customers"])
    assert {table: full for table, (full, _) in tables(refresh).items()} == {"Properties": False, "Customers": False}
    query = " ".join(call["query"] for call in world.base.calls(since))
    assert "fields[]=Property Name" in query
    assert "fields[]=Reservations" not in query
    assert set(world.mirrored("Properties")[world.casa].fields) == {"Property Name"}


def test_a_feed_that_names_an_unknown_property_brings_the_properties_in(world: Any) -> None:
    (quill,) = world.base.add("Properties", {"Property Name": "Quill"})
    since = world.base.mark()
    world.refresh()
    assert len(world.base.calls(since)) == 3
    world.base.add("ICS Feeds", {"ICS URL": "https://feeds.example/q", "Property Name": [quill]})
    world.refresh()
    with world.db.read() as conn:
        assert {each.name for each in base_mirror.properties(conn)} == {"Casa Agave", "Quill"}


def test_more_than_a_page_of_feeds_is_read_by_what_changed(world: Any) -> None:
    world.base.add("ICS Feeds", *({"ICS URL": f"https://feeds.example/{n}"} for n in range(101)))
    assert tables(world.refresh())["ICS Feeds"] == (True, 101)
    world.base.add("ICS Feeds", {"ICS URL": "https://feeds.example/more"})
    assert tables(world.refresh())["ICS Feeds"][0] is False
    assert len(world.mirrored("ICS Feeds")) == 102


def test_a_deleted_feed_is_known_in_the_next_cycle(world: Any) -> None:
    (feed,) = world.base.add("ICS Feeds", {"ICS URL": "https://feeds.example/1", "Feed Status": "Active"})
    world.refresh()
    world.base.delete(feed, table="ICS Feeds")
    assert world.refresh().tables[1].buried == (feed,)
    assert world.mirrored("ICS Feeds") == {}


def test_rows_come_out_typed(world: Any) -> None:
    (customer,) = world.base.add("Customers", {"Full Name": "Pat Doe"})
    world.base.edit(world.casa, "Properties", HCP_Customer_ID=[customer], HCP_Address_ID="adr_1")
    (feed,) = world.base.add(
        "ICS Feeds",
        {
            "ICS URL": " https://feeds.example/1 ",
            "Feed Status": "Active",
            "Property Name": [world.casa],
            "Closed Means": "Block",
        },
    )
    world.refresh(force_full=True)
    one = world.row(1)
    world.refresh()
    with world.db.read() as conn:
        (home,) = base_mirror.properties(conn)
        (row,) = base_mirror.feeds(conn)
        (reservation,) = base_mirror.reservations(conn)
    assert home == Property(world.casa, "Casa Agave", customer, "adr_1", "", "", "", "")
    created = row.created
    assert row == Feed(feed, "https://feeds.example/1", "Active", (world.casa,), "", "Block", created)
    assert reservation.id == one


def test_rows_are_read_again_before_anything_is_refused_because_of_them(world: Any) -> None:
    (quill,) = world.base.add("Properties", {"Property Name": "Quill"})
    found = base_mirror.reread(
        world.client, world.db, world.schema, "Properties", [quill, "recNOBODY00000000"], Purpose.CLICK
    )
    assert found == {quill}
    assert quill in world.mirrored("Properties")


def test_a_column_nobody_knew_drops_the_verification_so_that_history_will_carry_it(world: Any) -> None:
    table = next(each for each in world.client.meta_tables() if each["name"] == "Reservations")
    world.client.create_field(table["id"], {"name": "Their Own", "type": "singleLineText"})
    world.row(1, Their_Own="x")
    assert world.refresh().schema_is_stale


def test_optional_tables_and_fields_that_are_not_there_are_not_asked_for(world: Any) -> None:
    types = {name: dict(fields) for name, fields in world.schema.types.items()}
    del types["Property Guest Overrides"], types["ICS Cron"]
    del types["ICS Feeds"]["Closed Means"]
    world.schema = type(world.schema)(types)
    world.base.add("ICS Feeds", {"ICS URL": "https://feeds.example/1", "Closed Means": "Block"})
    refresh = world.refresh(tables=["Property Guest Overrides", "ICS Feeds"])
    assert set(tables(refresh)) == {"ICS Feeds"}
    assert [dict(each.fields) for each in world.mirrored("ICS Feeds").values()] == [
        {"ICS URL": "https://feeds.example/1"}
    ]


def test_the_horizon_is_the_businesss_day_and_ninety_days(now: datetime) -> None:
    horizon = Horizon()
    evening = datetime(2026, 3, 5, 2, 0, tzinfo=UTC)  # still March 4 in Phoenix
    assert horizon.first_day(evening).isoformat() == "2025-12-04"


def test_rows_that_may_not_be_read_are_no_deletions_when_nothing_may_be_read(world: Any) -> None:
    ids = [world.row(number) for number in range(3)]
    world.refresh()
    world.base.delete(ids[0])
    world.base.fault("status", "GET", None, path="Reservations/rec", value=403)
    with pytest.raises(Forbidden):
        world.refresh(force_full=True)
    assert set(world.mirrored()) == set(ids)
    world.base.heal()
    world.base.fault("status", "GET", 1, path="Reservations/rec", value=403)
    world.refresh(force_full=True)
    assert set(world.mirrored()) == set(ids[1:])


@pytest.mark.parametrize(("mode", "value"), [("rate-limit", "billing"), ("status", 403)])
def test_a_block_makes_the_next_refresh_full_and_a_refusal_the_next_verification_new(
    world: Any, spec: BaseSpec, mode: str, value: object
) -> None:
    world.base.fault(mode, "GET", 1, path="Automation", value=value)
    with pytest.raises(AirtableError):
        world.refresh()
    world.client.gate.unblock()
    full = tables(world.refresh())["Reservations"][0]
    remembered = verify(world.client, world.db, spec, "dev", now=datetime.now(UTC), version="1").remembered
    assert (full, remembered) == ((True, True) if mode == "rate-limit" else (False, False))


def test_a_field_renamed_behind_our_back_is_drift_and_never_an_empty_table(world: Any) -> None:
    automation = next(each for each in world.client.meta_tables() if each["name"] == "Automation")
    (field, *_) = automation["fields"]
    url = f"{world.base.url}/v0/meta/bases/{world.base.base_id}/tables/{automation['id']}/fields/{field['id']}"
    headers = {"Authorization": f"Bearer {world.base.key}"}
    assert requests.patch(url, json={"name": "Title"}, headers=headers, timeout=10).ok
    with pytest.raises(SchemaDrift):
        world.refresh()
    assert len(world.mirrored("Automation")) == 7
