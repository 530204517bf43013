"""Attachments: named by URL and fetched later, or uploaded (airtable.md §2.3)."""

import base64

import pytest
from aiohttp import web

PICTURE = b"\x89PNG" + b"." * 60


@pytest.fixture
def album(serve) -> str:
    """A server with one picture; everything else is missing."""

    async def picture(_request: web.Request) -> web.Response:
        return web.Response(body=PICTURE, content_type="image/png")

    app = web.Application()
    app.router.add_get("/picture.png", picture)
    return serve(app)


def files(sandbox, record_id: str, count: int) -> list[dict]:
    """The cell once it holds so many fetched files, or none where none are wanted."""
    for _ in range(300):
        cell = sandbox.table("Stays").get(record_id)["fields"].get("Files", [])
        if len(cell) == count and all("size" in one for one in cell):
            return cell
    raise AssertionError(f"the cell holds {cell}")


def test_a_file_named_by_url_is_fetched_and_then_served_from_here(sandbox, album) -> None:
    made = sandbox.table("Stays").create({"Files": [{"url": f"{album}/picture.png", "filename": "door.png"}]})
    assert made["fields"]["Files"][0]["filename"] == "door.png"
    (file,) = files(sandbox, made["id"], 1)
    assert (file["size"], file["type"], file["id"][:3]) == (len(PICTURE), "image/png", "att")
    assert file["url"].startswith(sandbox.url)
    assert sandbox.api.session.get(file["url"]).content == PICTURE


def test_a_served_url_dies_after_two_hours(sandbox, album) -> None:
    made = sandbox.table("Stays").create({"Files": [{"url": f"{album}/picture.png"}]})
    (file,) = files(sandbox, made["id"], 1)
    sandbox.clock.ahead += 2 * 3600 + 1
    assert sandbox.api.session.get(file["url"]).status_code == 410
    fresh = sandbox.table("Stays").get(made["id"])["fields"]["Files"][0]["url"]
    assert sandbox.api.session.get(fresh).status_code == 200
    assert sandbox.api.session.get(f"{sandbox.url}/.files/9999999999999/attNobody/x").status_code == 410


def test_a_file_that_cannot_be_fetched_leaves_the_cell_empty(sandbox, album) -> None:
    rows = [{"Files": [{"url": f"{album}/missing.png"}]}, {"Files": [{"url": "http://127.0.0.1:9/x.png"}]}]
    for made in sandbox.table("Stays").batch_create(rows):
        assert files(sandbox, made["id"], 0) == []


def test_known_files_are_kept_by_id_and_all_others_go(sandbox, album) -> None:
    stays = sandbox.table("Stays")
    made = stays.create({"Files": [{"url": f"{album}/picture.png"}, {"url": f"{album}/picture.png"}]})
    first, second = files(sandbox, made["id"], 2)
    kept = stays.update(made["id"], {"Files": [{"id": second["id"]}]})["fields"]["Files"]
    assert [one["id"] for one in kept] == [second["id"]]
    gone = {"fields": {"Files": [{"id": first["id"]}]}}
    assert sandbox.call("PATCH", f"/Stays/{made['id']}", gone).status_code == 422


def test_a_row_deleted_before_its_file_arrives_stays_deleted(sandbox, album) -> None:
    made = sandbox.table("Stays").create({"Files": [{"url": f"{album}/missing.png"}]})
    sandbox.table("Stays").delete(made["id"])
    assert sandbox.table("Stays").all() == []


def upload(sandbox, record_id: str, field: str = "Files", **body: object):
    content = {"contentType": "image/png", "filename": "a.png", "file": base64.b64encode(PICTURE).decode()}
    return sandbox.call("POST", f"/{record_id}/{field}/uploadAttachment", content | body)


def test_an_upload_adds_a_file_to_the_cell(sandbox) -> None:
    stay = sandbox.seed("Stays", {"UID": "a"})[0]
    field = sandbox.table("Stays").schema().field("Files").id
    assert upload(sandbox, stay).status_code == 200
    answer = upload(sandbox, stay, field=field, filename="b.png").json()
    assert (answer["id"], [one["filename"] for one in answer["fields"][field]]) == (stay, ["a.png", "b.png"])
    assert sandbox.api.session.get(answer["fields"][field][1]["url"]).content == PICTURE
    assert len(sandbox.table("Stays").get(stay)["fields"]["Files"]) == 2


def test_an_upload_that_makes_no_sense_is_refused(sandbox) -> None:
    stay = sandbox.seed("Stays", {"UID": "a"})[0]
    assert upload(sandbox, "rec" + "x" * 14).status_code == 404
    assert upload(sandbox, stay, field="Zed").json()["error"]["type"] == "UNKNOWN_FIELD_NAME"
    assert upload(sandbox, stay, field="UID").json()["error"]["type"] == "INVALID_VALUE_FOR_COLUMN"
    assert upload(sandbox, stay, file="!").status_code == 422
    assert upload(sandbox, stay, filename=7).status_code == 422
    big = base64.b64encode(b"x" * (5 * 1024 * 1024 + 1)).decode()
    assert upload(sandbox, stay, file=big).json()["error"]["type"] == "INVALID_ATTACHMENT_OBJECT"
