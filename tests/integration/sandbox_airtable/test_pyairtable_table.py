"""What a program that uses pyairtable's Table may expect, one promise a test."""

import inspect
from datetime import date

import pytest
import requests
from pyairtable import Api, Table
from pyairtable import formulas as f

PICTURE = b"\x89PNG picture"


def uids(records) -> list[str]:
    return [one["fields"].get("UID", "") for one in records]


def refused(status: int, words: str):
    return pytest.raises(requests.HTTPError, match=f"{status}.*{words}")


def test_no_public_method_of_a_table_is_without_a_test_here() -> None:
    public = {name for name, _ in inspect.getmembers(Table, callable) if not name.startswith("_")}
    assert public == {
        *("get", "iterate", "all", "first", "create", "batch_create", "update", "batch_update", "batch_upsert"),
        *("delete", "batch_delete", "comments", "add_comment", "schema", "create_field", "upload_attachment"),
    }


def test_a_record_is_created_read_merged_replaced_and_deleted(sandbox) -> None:
    stays = sandbox.table("Stays")
    made = stays.create({"UID": "a", "Count": 1, "Ready": True})
    assert stays.get(made["id"]) == made
    assert stays.update(made["id"], {"Count": 2})["fields"] == {"UID": "a", "Count": 2, "Ready": True}
    assert stays.update(made["id"], {"UID": "b"}, replace=True)["fields"] == {"UID": "b"}
    assert stays.delete(made["id"]) == {"id": made["id"], "deleted": True}
    with refused(404, "NOT_FOUND"):
        stays.get(made["id"])


def test_batches_of_any_length_go_ten_at_a_time(sandbox) -> None:
    stays = sandbox.table("Stays")
    made = stays.batch_create({"UID": f"u{number}"} for number in range(23))
    assert uids(made) == [f"u{number}" for number in range(23)]
    changed = stays.batch_update({"id": one["id"], "fields": {"Count": 7}} for one in made)
    assert {one["fields"]["Count"] for one in changed} == {7}
    replaced = stays.batch_update([{"id": made[0]["id"], "fields": {"UID": "only"}}], replace=True)
    assert replaced[0]["fields"] == {"UID": "only"}
    assert len(stays.batch_delete(one["id"] for one in made)) == 23
    assert stays.all() == []


def test_field_ids_are_answered_everywhere_when_they_are_asked_for(sandbox) -> None:
    stays = sandbox.table("Stays")
    uid, count = (stays.schema().field(name).id for name in ("UID", "Count"))
    made = stays.create({uid: "a", "Count": 1}, use_field_ids=True)
    assert made["fields"] == {uid: "a", count: 1}
    assert stays.get(made["id"], use_field_ids=True) == made
    assert stays.all(use_field_ids=True, fields=[uid], sort=[f"-{uid}"])[0]["fields"] == {uid: "a"}
    assert stays.update(made["id"], {count: 2}, use_field_ids=True)["fields"][count] == 2
    assert stays.batch_create([{uid: "b"}], use_field_ids=True)[0]["fields"] == {uid: "b"}
    update = [{"id": made["id"], "fields": {"Count": 3}}]
    assert stays.batch_update(update, use_field_ids=True)[0]["fields"][count] == 3
    done = stays.batch_upsert([{"fields": {uid: "b", count: 4}}], [uid], use_field_ids=True)
    assert done["records"][0]["fields"] == {uid: "b", count: 4}
    api = Api(sandbox.key, endpoint_url=sandbox.url, use_field_ids=True)
    assert set(api.table(sandbox.base_id, "Stays").get(made["id"])["fields"]) == {uid, count}


def test_the_parameters_of_a_list_work_together(sandbox) -> None:
    sandbox.seed("Stays", *({"UID": f"u{number}", "Count": number % 3, "Info": "x"} for number in range(12)))
    view = {"base_id": sandbox.base_id, "table": "Stays", "name": "Some", "formula": "{Count}>0"}
    assert sandbox.control("POST", "/views", view).status_code == 201
    stays = sandbox.table("Stays")
    found = stays.all(
        view="Some",
        formula=f.NE(f.Field("UID"), "u2"),
        sort=["-Count", "UID"],
        fields=["UID"],
        max_records=3,
        page_size=2,
    )
    assert [one["fields"] for one in found] == [{"UID": "u11"}, {"UID": "u5"}, {"UID": "u8"}]
    assert stays.first(view="Some")["fields"]["UID"] == "u1"
    with refused(422, "VIEW_NAME_NOT_FOUND"):
        stays.all(view="Nowhere")
    with refused(422, "UNKNOWN_FIELD_NAME"):
        stays.all(fields=["Nothing"])


def test_an_iterator_that_was_left_alone_for_too_long_fails_in_the_middle(sandbox) -> None:
    sandbox.seed("Stays", *({"UID": str(number)} for number in range(3)))
    pages = sandbox.table("Stays").iterate(page_size=1)
    assert len(next(pages)) == 1
    sandbox.clock.ahead += 299
    assert len(next(pages)) == 1
    sandbox.clock.ahead += 301
    with refused(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"):
        next(pages)


def test_comments_are_counted_when_they_are_asked_for(sandbox) -> None:
    talked, silent = sandbox.seed("Stays", {"UID": "a"}, {"UID": "b"})
    stays = sandbox.table("Stays")
    stays.add_comment(talked, "one")
    stays.add_comment(talked, "two").delete()
    assert {one["id"]: one["commentCount"] for one in stays.all(count_comments=True)} == {talked: 1, silent: 0}
    assert "commentCount" not in stays.first()
    long = f.OR(*(f.EQ(f.RECORD_ID(), one) for one in [talked] * 600))
    assert stays.first(formula=long, count_comments=True)["commentCount"] == 1


def test_text_cells_look_as_in_the_interface(sandbox) -> None:
    stays = sandbox.table("Stays")
    stays.create_field("Price", "currency", options={"precision": 2, "symbol": "$"})
    stays.create_field("Share", "percent", options={"precision": 1})
    stays.create_field("Stars", "rating", options={"icon": "star", "max": 5, "color": "yellowBright"})
    formats = ("h:mm", "h:mm:ss", "h:mm:ss.SS")
    for one in formats:
        stays.create_field(one, "duration", options={"durationFormat": one})
    made = stays.create({"Price": -1234.5, "Share": 0.125, "Stars": 4, **dict.fromkeys(formats, 5430.25), "Count": 3})
    options = {"cell_format": "string", "time_zone": "America/Phoenix", "user_locale": "en-us"}
    assert stays.get(made["id"], **options)["fields"] == {
        "Price": "-$1,234.50",
        "Share": "12.5%",
        "Stars": "4",
        "h:mm": "1:31",
        "h:mm:ss": "1:30:30",
        "h:mm:ss.SS": "1:30:30.25",
        "Count": "3",
    }
    stays.update(made["id"], {"h:mm": -60, "Price": None})
    assert stays.all(**options)[0]["fields"]["h:mm"] == "-0:01"
    with refused(422, "INVALID_REQUEST"):
        stays.all(cell_format="string", time_zone="America/Phoenix")


def test_a_record_is_updated_by_its_keys_or_made(sandbox) -> None:
    stays = sandbox.table("Stays")
    known = stays.create({"UID": "a", "Count": 1, "Info": "x"})
    rows = [{"fields": {"UID": "a", "Count": 2}}, *({"fields": {"UID": f"u{number}"}} for number in range(11))]
    done = stays.batch_upsert(rows, key_fields=["UID"])
    assert done["updatedRecords"] == [known["id"]]
    assert len(done["createdRecords"]) == 11
    assert done["records"][0]["fields"] == {"UID": "a", "Count": 2, "Info": "x"}
    by_id = stays.batch_upsert([{"id": known["id"], "fields": {"Count": 3}}], key_fields=["UID"], replace=True)
    assert by_id["records"][0]["fields"] == {"Count": 3}


def test_an_upsert_that_the_service_cannot_do_changes_nothing(sandbox) -> None:
    stays = sandbox.table("Stays")
    stays.batch_create([{"UID": "twin"}, {"UID": "twin"}])
    fresh = {"fields": {"UID": "fresh", "Count": 1, "Ready": True, "Info": "i", "Status": "New"}}
    for rows, keys, words in (
        ([fresh, {"fields": {"UID": "twin"}}], ["UID"], "INVALID_REQUEST|more than one|matches"),
        ([fresh], ["Ready"], "INVALID_REQUEST"),
        ([fresh], ["UID", "Count", "Info", "Status"], "INVALID_REQUEST"),
        ([{"fields": {"UID": "fresh", "Nothing": 1}}], ["UID"], "UNKNOWN_FIELD_NAME"),
        ([{"fields": {"UID": "fresh", "Status": "Unheard"}}], ["UID"], "INVALID_MULTIPLE_CHOICE_OPTIONS"),
        ([fresh, {"id": "rec" + "x" * 14, "fields": {}}], ["UID"], "ROW_DOES_NOT_EXIST"),
    ):
        with refused(422, words):
            stays.batch_upsert(rows, key_fields=keys)
    assert uids(stays.all()) == ["twin", "twin"]


def test_an_upsert_with_typecast_matches_what_the_text_means(sandbox) -> None:
    stays = sandbox.table("Stays")
    known = stays.create({"Count": 5, "Check-in": "2026-03-04"})
    row = {"fields": {"Count": "5", "Check-in": "3/4/2026", "Status": "Fresh"}}
    done = stays.batch_upsert([row], key_fields=["Count", "Check-in"], typecast=True)
    assert done["updatedRecords"] == [known["id"]]
    assert done["records"][0]["fields"] == {"Count": 5, "Check-in": "2026-03-04", "Status": "Fresh"}


def test_typecast_reads_text_as_each_type_means_it(sandbox) -> None:
    home = sandbox.seed("Homes", {"Name": "Casa"})[0]
    stays = sandbox.table("Stays")
    me = sandbox.api.whoami()
    for name, kind, options in (
        ("Price", "currency", {"precision": 2, "symbol": "$"}),
        ("Share", "percent", {"precision": 0}),
        ("Time", "duration", {"durationFormat": "h:mm:ss"}),
        ("Who", "singleCollaborator", None),
        ("All", "multipleCollaborators", None),
        ("Code", "barcode", None),
    ):
        stays.create_field(name, kind, options=options)
    written = {
        "UID": 7,
        "Home": "Casa",
        "Status": "Fresh",
        "Check-in": "3/4/2026",
        "Seen": "3/4/2026 10:15am",
        "Count": "12 nights",
        "Ready": "true",
        "Tags": "a, new",
        "Price": "$1,200.50",
        "Share": "12%",
        "Time": "1:30:15",
        "Who": me["email"],
        "All": [me["id"]],
        "Code": "4711",
    }
    person = {"id": me["id"], "email": me["email"], "name": "Sandbox Owner"}
    assert stays.create(written, typecast=True)["fields"] == {
        **written,
        "UID": "7",
        "Home": [home],
        "Check-in": "2026-03-04",
        "Seen": "2026-03-04T17:15:00.000Z",
        "Count": 12,
        "Ready": True,
        "Tags": ["a", "new"],
        "Price": 1200.5,
        "Share": 0.12,
        "Time": 5415,
        "Who": person,
        "All": [person],
        "Code": {"text": "4711"},
    }
    emptied = {"Count": "none", "Code": "", "Time": "-0:30", "UID": "b"}
    assert stays.create(emptied, typecast=True)["fields"] == {"UID": "b", "Time": -1800}
    for name, value in (("Check-in", "soon"), ("Seen", "soon"), ("Who", "Nobody"), ("Check-in", "13/40/2026")):
        with refused(422, "INVALID_VALUE_FOR_COLUMN"):
            stays.create({name: value}, typecast=True)


def test_comments_are_threaded_paged_edited_and_reacted_to(sandbox) -> None:
    stay = sandbox.seed("Stays", {"UID": "a"})[0]
    stays = sandbox.table("Stays")
    me = sandbox.api.whoami()["id"]
    first = stays.add_comment(stay, f"look at this, @[{me}]")
    answer = stays.add_comment(stay, "done", parent_comment_id=first.id)
    assert first.mentioned[me].display_name == "Sandbox Owner"
    assert (answer.parent_comment_id, answer.author.id) == (first.id, me)
    first.text = "never mind"
    first.save()
    assert (first.mentioned, first.last_updated_time is not None) == ({}, True)
    place = {"base_id": sandbox.base_id, "table": "Stays", "record": stay, "comment": first.id}
    assert sandbox.control("POST", "/reactions", {**place, "emoji": "👍🏽"}).status_code == 201
    assert [one.emoji for one in stays.comments(stay)[1].reactions] == ["👍🏽"]
    assert sandbox.control("POST", "/reactions", {**place, "emoji": ""}).status_code == 400
    answer.delete()
    assert answer.deleted is True
    for number in range(120):
        stays.add_comment(stay, str(number))
    assert [one.text for one in stays.comments(stay)] == [*map(str, reversed(range(120))), "never mind"]
    for query in ("pageSize=0", "pageSize=101", "pageSize=x", "sort=up"):
        assert sandbox.call("GET", f"/Stays/{stay}/comments?{query}").status_code == 422


@pytest.mark.parametrize("field", ["Files", "id"])
def test_a_file_is_uploaded_when_the_upload_host_is_proxied_to_the_stand_in(sandbox, field: str, tmp_path) -> None:
    stays = sandbox.table("Stays")
    stay = stays.create({"UID": "a"})["id"]
    column = stays.schema().field("Files").id
    sandbox.api.session.proxies = {"http://content.airtable.com": sandbox.url}
    answer = stays.upload_attachment(stay, "Files" if field == "Files" else column, "a.png", PICTURE)
    assert [one["filename"] for one in answer["fields"][column]] == ["a.png"]
    (tmp_path / "notes.txt").write_text("words")
    stays.upload_attachment(stay, column, tmp_path / "notes.txt")
    files = stays.get(stay)["fields"]["Files"]
    assert [(one["filename"], one["type"], one["size"]) for one in files] == [
        ("a.png", "image/png", len(PICTURE)),
        ("notes.txt", "text/plain", 5),
    ]
    assert answer["fields"][column][0]["url"].startswith(sandbox.url)
    assert requests.get(answer["fields"][column][0]["url"], timeout=5).content == PICTURE


def test_dates_in_formulas_are_those_of_python(sandbox) -> None:
    sandbox.seed("Stays", {"UID": "a", "Check-in": "2026-03-04"}, {"UID": "b", "Check-in": "2026-03-06"})
    stays = sandbox.table("Stays")
    assert uids(stays.all(formula=f.IS_AFTER(f.Field("Check-in"), date(2026, 3, 5)))) == ["b"]
    assert uids(stays.all(formula=f.match({"Check-in": ("<", date(2026, 3, 5)), "UID": "a"}))) == ["a"]
    workdays = f.WORKDAY_DIFF(f.Field("Check-in"), date(2026, 3, 9))
    assert uids(stays.all(formula=f.EQ(workdays, 2))) == ["b"]
    with refused(422, "INVALID_FILTER_BY_FORMULA"):
        stays.all(formula="VLOOKUP({UID})")
