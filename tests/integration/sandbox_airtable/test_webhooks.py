"""Webhooks: payloads with a cursor, notifications with a MAC (AT-22)."""

import queue
from collections.abc import Iterator

import pytest
import requests
from aiohttp import web
from pyairtable.models import WebhookNotification

ALL = {"options": {"filters": {"dataTypes": ["tableData"]}}}


@pytest.fixture
def inbox(serve) -> Iterator[tuple[str, "queue.Queue"]]:
    """A receiver of notifications and what it received."""
    received: queue.Queue = queue.Queue()

    async def take(request: web.Request) -> web.Response:
        received.put((request.headers["X-Airtable-Content-MAC"], await request.text()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    return serve(app) + "/", received


def spec(**filters: object) -> dict[str, object]:
    return {"options": {"filters": {"dataTypes": ["tableData"], **filters}}}


def test_a_change_is_notified_with_a_valid_mac_and_told_by_the_payload(sandbox, inbox) -> None:
    url, received = inbox
    hook = sandbox.base.add_webhook(url, ALL)
    made = sandbox.table("Stays").create({"UID": "a", "Status": "New"})
    mac, body = received.get(timeout=5)
    notification = WebhookNotification.from_request(body, mac, hook.mac_secret_base64)
    assert (notification.base.id, notification.webhook.id) == (sandbox.base_id, hook.id)
    with pytest.raises(ValueError, match="validation"):
        WebhookNotification.from_request(body + " ", mac, hook.mac_secret_base64)
    (payload,) = sandbox.base.webhook(hook.id).payloads()
    table = sandbox.table("Stays").schema()
    created = payload.changed_tables_by_id[table.id].created_records_by_id[made["id"]]
    status = created.cell_values_by_field_id[table.field("Status").id]
    assert created.cell_values_by_field_id[table.field("UID").id] == "a"
    assert (status["name"], status["id"][:3]) == ("New", "sel")
    assert payload.action_metadata.source == "publicApi"


def wait_for_result(sandbox, hook_id: str) -> object:
    for _ in range(200):
        result = sandbox.base.webhook(hook_id).last_notification_result
        if result is not None:
            return result
    raise AssertionError("no notification was tried")


def test_the_outcome_of_a_notification_is_told(sandbox, inbox, serve) -> None:
    url, received = inbox
    good = sandbox.base.add_webhook(url, ALL)
    refusing = sandbox.base.add_webhook(serve(web.Application()), ALL)
    nowhere = sandbox.base.add_webhook("http://127.0.0.1:9/", ALL)
    sandbox.table("Stays").create({})
    received.get(timeout=5)
    assert wait_for_result(sandbox, good.id).success is True
    assert wait_for_result(sandbox, refusing.id).error.message == "The receiver answered 404"
    failed = wait_for_result(sandbox, nowhere.id)
    assert (failed.success, failed.will_be_retried, failed.retry_number) == (False, True, 0)


def test_updates_and_deletions_are_told_with_what_was_asked_for(sandbox) -> None:
    includes = {"includePreviousCellValues": True, "includeCellValuesInFieldIds": "all"}
    home = sandbox.seed("Homes", {"Name": "Casa"})[0]
    stay = sandbox.seed("Stays", {"UID": "a", "Count": 1, "Home": [home], "Tags": ["a"]})[0]
    hook = sandbox.base.add_webhook(None, {"options": {**ALL["options"], "includes": includes}})
    stays = sandbox.table("Stays")
    stays.update(stay, {"Count": 2, "Info": "x", "Home": []})
    stays.delete(stay)
    changed, deleted = sandbox.base.webhook(hook.id).payloads()
    table = stays.schema()
    told = changed.changed_tables_by_id[table.id].changed_records_by_id[stay]
    count, info, link = (table.field(name).id for name in ("Count", "Info", "Home"))
    assert told.current.cell_values_by_field_id == {count: 2, info: "x", link: None}
    assert told.previous.cell_values_by_field_id == {count: 1, info: None, link: [{"id": home, "name": "Casa"}]}
    assert told.unchanged.cell_values_by_field_id[table.field("UID").id] == "a"
    assert told.unchanged.cell_values_by_field_id[table.field("Tags").id][0]["name"] == "a"
    assert deleted.changed_tables_by_id[table.id].destroyed_record_ids == [stay]
    assert changed.base_transaction_number < deleted.base_transaction_number


def test_one_payload_holds_all_of_a_request(sandbox) -> None:
    hook = sandbox.base.add_webhook(None, ALL)
    made = sandbox.table("Stays").batch_create([{"UID": str(number)} for number in range(10)])
    (payload,) = sandbox.base.webhook(hook.id).payloads()
    (table,) = payload.changed_tables_by_id.values()
    assert set(table.created_records_by_id) == {one["id"] for one in made}
    sandbox.table("Stays").batch_delete([one["id"] for one in made])
    assert len(list(sandbox.base.webhook(hook.id).payloads())[1].changed_tables_by_id) == 1


def test_only_what_the_filters_name_is_told(sandbox) -> None:
    table = sandbox.table("Stays").schema()
    stay = sandbox.seed("Stays", {"UID": "a"})[0]
    hooks = {
        "homes": spec(recordChangeScope=sandbox.table("Homes").schema().id),
        "removals": spec(changeTypes=["remove"]),
        "count": spec(watchDataInFieldIds=[table.field("Count").id]),
        "people": spec(fromSources=["client"]),
        "api": spec(fromSources=["publicApi"]),
        "schema": {"options": {"filters": {"dataTypes": ["tableFields"]}}},
    }
    ids = {name: sandbox.base.add_webhook(None, one).id for name, one in hooks.items()}
    sandbox.table("Stays").update(stay, {"UID": "b"})
    sandbox.table("Stays").update(stay, {"Count": 2})
    sandbox.table("Stays").delete(stay)
    told = {name: len(list(sandbox.base.webhook(one).payloads())) for name, one in ids.items()}
    assert told == {"homes": 0, "removals": 1, "count": 2, "people": 0, "api": 3, "schema": 0}


def test_chosen_fields_are_told_beside_the_changed_ones(sandbox) -> None:
    table = sandbox.table("Stays").schema()
    uid, count = table.field("UID").id, table.field("Count").id
    includes = {"includeCellValuesInFieldIds": [uid, count]}
    hook = sandbox.base.add_webhook(None, {"options": {**ALL["options"], "includes": includes}})
    stay = sandbox.seed("Stays", {"UID": "a", "Info": "x"})[0]
    sandbox.table("Stays").update(stay, {"Count": 2})
    changed = list(sandbox.base.webhook(hook.id).payloads())[1].changed_tables_by_id[table.id]
    assert changed.changed_records_by_id[stay].unchanged.cell_values_by_field_id == {uid: "a"}


def test_payloads_come_fifty_at_a_time_from_any_cursor(sandbox) -> None:
    hook = sandbox.base.add_webhook(None, ALL)
    for number in range(60):
        sandbox.seed("Stays", {"UID": str(number)})
    listed = sandbox.base.webhook(hook.id)
    assert listed.cursor_for_next_payload == 61
    assert len(list(listed.payloads())) == 60
    assert [one.cursor for one in listed.payloads(cursor=58)] == [58, 59, 60]
    url = f"{sandbox.url}/v0/bases/{sandbox.base_id}/webhooks/{hook.id}/payloads"
    headers = {"Authorization": f"Bearer {sandbox.key}"}
    page = requests.get(f"{url}?limit=99", headers=headers, timeout=5).json()
    assert (page["cursor"], page["mightHaveMore"], len(page["payloads"])) == (51, True, 50)
    last = requests.get(f"{url}?cursor=61", headers=headers, timeout=5).json()
    assert (last["cursor"], last["mightHaveMore"], last["payloads"]) == (61, False, [])
    for query in ("cursor=0", "cursor=x", "limit=0"):
        assert requests.get(f"{url}?{query}", headers=headers, timeout=5).status_code == 422


def test_a_webhook_lives_seven_days_unless_it_is_refreshed(sandbox) -> None:
    week = 7 * 24 * 3600
    kept, dropped = (sandbox.base.add_webhook(None, ALL) for _ in range(2))
    sandbox.seed("Stays", {})
    sandbox.clock.ahead += week - 60
    sandbox.base.webhook(kept.id).extend_expiration()
    sandbox.clock.ahead += 120
    assert [one.id for one in sandbox.base.webhooks()] == [kept.id]
    assert list(sandbox.base.webhook(kept.id).payloads()) == []
    url = f"{sandbox.url}/v0/bases/{sandbox.base_id}/webhooks/{dropped.id}/refresh"
    assert requests.post(url, headers={"Authorization": f"Bearer {sandbox.key}"}, timeout=5).status_code == 404


def test_notifications_can_be_switched_off_and_a_webhook_deleted(sandbox, inbox) -> None:
    url, received = inbox
    hook = sandbox.base.add_webhook(url, ALL)
    sandbox.base.webhook(hook.id).disable_notifications()
    assert sandbox.base.webhook(hook.id).are_notifications_enabled is False
    sandbox.table("Stays").create({"UID": "silent"})
    sandbox.base.webhook(hook.id).enable_notifications()
    sandbox.table("Stays").create({"UID": "loud"})
    received.get(timeout=5)
    assert received.empty()
    sandbox.base.webhook(hook.id).delete()
    assert sandbox.base.webhooks() == []
    assert sandbox.table("Stays").create({})["id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"specification": ALL, "extra": 1},
        {"specification": ALL, "notificationUrl": 7},
        {"specification": {"options": {"filters": {}}}},
        {"specification": {"options": {"filters": {"dataTypes": ["everything"]}}}},
        {"specification": {"options": {"filters": {"dataTypes": ["tableData"], "changeTypes": "add"}}}},
        {"specification": {}},
    ],
)
def test_a_webhook_that_is_not_understood_is_refused(sandbox, body: object) -> None:
    url = f"{sandbox.url}/v0/bases/{sandbox.base_id}/webhooks"
    answer = requests.post(url, json=body, headers={"Authorization": f"Bearer {sandbox.key}"}, timeout=5)
    assert answer.status_code == 422


def test_a_base_has_at_most_ten_webhooks(sandbox) -> None:
    for _ in range(10):
        sandbox.base.add_webhook(None, ALL)
    with pytest.raises(requests.HTTPError, match="403"):
        sandbox.base.add_webhook(None, ALL)
