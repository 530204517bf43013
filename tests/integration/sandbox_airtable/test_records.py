"""Records through pyairtable, as any program of a stranger would use them (airtable.md §2.2)."""

import pytest
import requests
from pyairtable import Api
from pyairtable.formulas import EQ, Field, match


def test_a_record_is_created_read_changed_and_deleted(sandbox) -> None:
    stays = sandbox.table("Stays")
    made = stays.create({"UID": "a", "Count": 0, "Ready": False})
    assert made["fields"] == {"UID": "a", "Count": 0}
    assert (made["id"][:3], len(made["id"])) == ("rec", 17)
    assert made["createdTime"].endswith("Z")
    assert stays.get(made["id"]) == made
    assert stays.update(made["id"], {"Count": 2})["fields"] == {"UID": "a", "Count": 2}
    assert stays.delete(made["id"]) == {"id": made["id"], "deleted": True}
    assert stays.all() == []


def test_batches_keep_the_order_of_the_request(sandbox) -> None:
    stays = sandbox.table("Stays")
    made = stays.batch_create([{"UID": f"u{number}"} for number in range(25)])
    assert [one["fields"]["UID"] for one in made] == [f"u{number}" for number in range(25)]
    changes = [{"id": one["id"], "fields": {"Count": place}} for place, one in enumerate(reversed(made))]
    assert [one["fields"]["Count"] for one in stays.batch_update(changes)] == list(range(25))
    deleted = stays.batch_delete([one["id"] for one in made[:12]])
    assert [one["id"] for one in deleted] == [one["id"] for one in made[:12]]
    assert len(stays.all()) == 13


def test_put_clears_what_is_not_sent_and_patch_does_not(sandbox) -> None:
    stays = sandbox.table("Stays")
    made = stays.create({"UID": "a", "Info": "x", "Status": "New"})
    assert stays.update(made["id"], {"Info": None})["fields"] == {"UID": "a", "Status": "New"}
    assert stays.update(made["id"], {"UID": "b"}, replace=True)["fields"] == {"UID": "b"}
    replaced = stays.batch_update([{"id": made["id"], "fields": {"Info": "y"}}], replace=True)
    assert replaced[0]["fields"] == {"Info": "y"}


def test_records_answer_by_field_id_when_asked(sandbox) -> None:
    stays = sandbox.table("Stays")
    uid = stays.schema().field("UID").id
    made = stays.create({uid: "a"}, use_field_ids=True)
    assert made["fields"] == {uid: "a"}
    assert stays.all(use_field_ids=True)[0]["fields"] == {uid: "a"}
    assert stays.get(made["id"], use_field_ids=True)["fields"] == {uid: "a"}
    by_id = Api(sandbox.key, endpoint_url=sandbox.url, use_field_ids=True).table(sandbox.base_id, stays.schema().id)
    assert by_id.first(fields=[uid])["fields"] == {uid: "a"}


def test_an_upsert_updates_what_matches_and_creates_the_rest(sandbox) -> None:
    stays = sandbox.table("Stays")
    known = stays.create({"UID": "a", "Count": 1, "Info": "kept"})
    other = stays.create({"UID": "z"})
    rows = [
        {"fields": {"UID": "a", "Count": 2}},
        {"fields": {"UID": "b", "Count": 3}},
        {"id": other["id"], "fields": {"UID": "y"}},
    ]
    done = stays.batch_upsert(rows, key_fields=["UID"])
    assert done["updatedRecords"] == [known["id"], other["id"]]
    assert done["createdRecords"] == [done["records"][1]["id"]]
    assert done["records"][0]["fields"] == {"UID": "a", "Count": 2, "Info": "kept"}
    replaced = stays.batch_upsert([{"fields": {"UID": "a"}}], key_fields=["UID"], replace=True)
    assert replaced["records"][0]["fields"] == {"UID": "a"}


def test_an_upsert_that_matches_two_rows_changes_nothing(sandbox) -> None:
    sandbox.seed("Stays", {"UID": "a"}, {"UID": "a"})
    with pytest.raises(requests.HTTPError, match="422"):
        sandbox.table("Stays").batch_upsert(
            [{"fields": {"UID": "new"}}, {"fields": {"UID": "a", "Count": 9}}], key_fields=["UID"]
        )
    assert [one["fields"] for one in sandbox.table("Stays").all()] == [{"UID": "a"}, {"UID": "a"}]


@pytest.mark.parametrize(
    "order",
    [
        {"fieldsToMergeOn": []},
        {"fieldsToMergeOn": ["UID", "Count", "Info", "Status"]},
        {"fieldsToMergeOn": ["Home"]},
        {"fieldsToMergeOn": ["Ready"]},
        {"fieldsToMergeOn": [1]},
        {"fieldsToMergeOn": ["Status"]},
        {},
        "UID",
    ],
)
def test_merge_fields_are_one_to_three_of_the_right_type_and_sent(sandbox, order: object) -> None:
    body = {"records": [{"fields": {"UID": "a"}}], "performUpsert": order}
    answer = sandbox.call("PATCH", "/Stays", body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_REQUEST_UNKNOWN")


def test_an_unknown_merge_field_is_named(sandbox) -> None:
    body = {"records": [{"fields": {"UID": "a"}}], "performUpsert": {"fieldsToMergeOn": ["Zed"]}}
    assert sandbox.call("PATCH", "/Stays", body).json()["error"]["type"] == "UNKNOWN_FIELD_NAME"


def test_a_batch_with_one_bad_record_stores_none_of_it(sandbox) -> None:
    stays = sandbox.table("Stays")
    with pytest.raises(requests.HTTPError):
        stays.batch_create([{"UID": "good"}, {"UID": "bad", "Count": "three"}])
    assert stays.all() == []
    known = stays.create({"UID": "a"})
    body = {"records": [{"id": known["id"], "fields": {"UID": "b"}}, {"id": "rec" + "x" * 14, "fields": {}}]}
    assert sandbox.call("PATCH", "/Stays", body).json()["error"]["type"] == "ROW_DOES_NOT_EXIST"
    assert stays.get(known["id"])["fields"] == {"UID": "a"}
    assert sandbox.call("DELETE", f"/Stays?records[]={known['id']}&records[]=rec{'x' * 14}").status_code == 422
    assert len(stays.all()) == 1


def test_a_failed_typecast_makes_no_option(sandbox) -> None:
    body = {"records": [{"fields": {"Status": "Fresh"}}, {"fields": {"Zed": 1}}], "typecast": True}
    assert sandbox.call("POST", "/Stays", body).status_code == 422
    choices = sandbox.table("Stays").schema().field("Status").options.choices
    assert "Fresh" not in [choice.name for choice in choices]


def test_a_repeated_post_makes_a_second_row(sandbox) -> None:
    for _ in range(2):
        sandbox.call("POST", "/Stays", {"fields": {"UID": "same"}})
    assert len(sandbox.table("Stays").all(formula=match({"UID": "same"}))) == 2


def test_tables_are_addressed_by_name_or_id_and_names_may_hold_anything(sandbox) -> None:
    odd = sandbox.base.create_table("A/B & 100% ?", [{"name": "Name", "type": "singleLineText"}])
    sandbox.table("A/B & 100% ?").create({"Name": "x"})
    assert sandbox.table(odd.id).first(formula=EQ(Field("Name"), "x"))["fields"] == {"Name": "x"}


def test_a_base_opens_only_to_its_own_token(sandbox) -> None:
    stranger = Api("prdKey.secret", endpoint_url=sandbox.url, retry_strategy=None)
    with pytest.raises(requests.HTTPError, match="403"):
        stranger.table(sandbox.base_id, "Stays").all()
    assert [one.id for one in stranger.bases()] == ["appProdBase000001"]
    assert stranger.whoami()["id"] != sandbox.api.whoami()["id"]
