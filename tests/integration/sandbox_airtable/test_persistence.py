"""What was answered is still there after the server has gone (sandbox.md)."""

import json
import sqlite3
from pathlib import Path

FILE = b"\x89PNG picture"


def test_a_restarted_server_has_its_state_again(start, tables, tmp_path: Path) -> None:
    first = start(tmp_path / "state")
    first.control("POST", "/limits", {"enforce": False})
    first.control("POST", "/schema", {"base_id": first.base_id, "tables": tables})
    home, gone = first.seed("Homes", {"Name": "Casa"}, {"Name": "Gone"})
    stays = first.table("Stays")
    made = stays.create({"UID": "ä", "Home": [home], "Count": 0})
    changed = stays.update(made["id"], {"Ready": True})
    first.table("Homes").delete(gone)
    first.call("POST", "/Stays", {"fields": {"Status": "Fresh"}, "typecast": True})
    comment = stays.add_comment(made["id"], "hello")
    hook = first.base.add_webhook("http://127.0.0.1:9/", {"options": {"filters": {"dataTypes": ["tableData"]}}})
    stays.update(made["id"], {"Count": 1})

    second = start(tmp_path / "state")
    second.control("POST", "/limits", {"enforce": False})
    stays = second.table("Stays")
    assert stays.get(made["id"])["fields"] == {**changed["fields"], "Count": 1}
    assert stays.get(made["id"])["createdTime"] == made["createdTime"]
    assert [one["fields"]["Name"] for one in second.table("Homes").all()] == ["Casa"]
    assert second.table("Homes").get(home)["fields"]["Stays"] == [made["id"]]
    assert "Fresh" in [choice.name for choice in stays.schema().field("Status").options.choices]
    assert [one.id for one in stays.comments(made["id"])] == [comment.id]
    payloads = list(second.base.webhook(hook.id).payloads())
    assert len(payloads) == 1
    assert stays.all(formula="LAST_MODIFIED_TIME({Count})>CREATED_TIME()")[0]["id"] == made["id"]
    assert second.control("GET", "/limits").json()["used"] > 5


def test_a_file_and_the_auto_numbers_go_on_after_a_restart(start, tmp_path: Path) -> None:
    tables = [
        {
            "name": "T",
            "fields": [
                {"name": "Name", "type": "singleLineText"},
                {"name": "ID", "type": "autoNumber"},
                {"name": "Files", "type": "multipleAttachments"},
            ],
        }
    ]
    first = start(tmp_path)
    first.control("POST", "/schema", {"base_id": first.base_id, "tables": tables})
    one, _two = first.seed("T", {}, {})
    body = {"contentType": "image/png", "filename": "a.png", "file": "iVBORw=="}
    assert first.call("POST", f"/{one}/Files/uploadAttachment", body).status_code == 200

    second = start(tmp_path)
    assert second.table("T").create({})["fields"] == {"ID": 3}
    url = second.table("T").get(one)["fields"]["Files"][0]["url"]
    assert second.api.session.get(url).content == b"\x89PNG"


def test_a_reset_empties_the_folder_too(start, tables, tmp_path: Path) -> None:
    first = start(tmp_path)
    first.control("POST", "/schema", {"base_id": first.base_id, "tables": tables})
    first.seed("Homes", {"Name": "Casa"})
    first.control("POST", "/reset")
    second = start(tmp_path)
    assert second.base.schema().tables == []


def test_a_replaced_schema_takes_the_old_records_with_it(start, tables, tmp_path: Path) -> None:
    first = start(tmp_path)
    order = {"base_id": first.base_id, "tables": tables}
    first.control("POST", "/schema", order)
    first.seed("Homes", {"Name": "Casa"})
    first.control("POST", "/schema", order)
    second = start(tmp_path)
    assert second.table("Homes").all() == []


def test_a_view_keeps_the_order_of_insertion_whatever_the_times_are(start, tables, tmp_path: Path) -> None:
    first = start(tmp_path)
    first.control("POST", "/limits", {"enforce": False})
    first.control("POST", "/schema", {"base_id": first.base_id, "tables": tables})
    first.clock.stopped_at = 1_780_000_000.0
    homes = first.table("Homes")
    names = [f"home {number}" for number in range(30)]
    homes.batch_create({"Name": name} for name in names)
    old = {"fields": {"Name": "old"}, "createdTime": "2020-01-01T00:00:00.000Z"}
    first.control("POST", "/records", {"base_id": first.base_id, "table": "Homes", "records": [old]})
    for _ in range(2):
        again = start(tmp_path)
        again.control("POST", "/limits", {"enforce": False})
        listed = [one["fields"]["Name"] for one in again.table("Homes").all(view="Grid view")]
        assert listed == [*names, "old"]
    again.table("Homes").create({"Name": "last"})
    assert start(tmp_path).table("Homes").all(view="Grid view")[-1]["fields"]["Name"] == "last"


def test_a_folder_of_an_older_sandbox_is_read_by_the_times_of_its_rows(start, tables, tmp_path: Path) -> None:
    first = start(tmp_path)
    first.control("POST", "/schema", {"base_id": first.base_id, "tables": tables})
    first.seed("Homes", {"Name": "a"})
    first.clock.ahead += 5
    first.seed("Homes", {"Name": "b"})
    first.control("POST", "/limits", {"enforce": False})
    with sqlite3.connect(tmp_path / "airtable.db") as connection:
        for row, body in connection.execute("SELECT id, body FROM item WHERE kind = 'record'").fetchall():
            short = json.dumps(json.loads(body)[:5])
            connection.execute("UPDATE item SET body = ? WHERE id = ?", (short, row))
    connection.close()
    assert [one["fields"]["Name"] for one in start(tmp_path).table("Homes").all(view="Grid view")] == ["a", "b"]
