"""What each field type takes and answers (airtable.md §2.3)."""

import pytest


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("UID", "text", "text"),
        ("UID", "", None),
        ("UID", None, None),
        ("Info", "two\nlines", "two\nlines"),
        ("Count", 3, 3),
        ("Count", 0, 0),
        ("Count", 2.0, 2),
        ("Count", 2.5, 2.5),
        ("Ready", True, True),
        ("Ready", False, None),
        ("Status", "New", "New"),
        ("Status", "", None),
        ("Tags", ["b", "a", "b"], ["b", "a"]),
        ("Tags", [], None),
        ("Check-in", "2026-03-04", "2026-03-04"),
        ("Check-in", "", None),
        ("Seen", "2026-03-04T10:15:00-07:00", "2026-03-04T17:15:00.000Z"),
        ("Seen", "2026-03-04T17:15:00.5Z", "2026-03-04T17:15:00.500Z"),
        ("Seen", "2026-03-04T10:15:00", "2026-03-04T17:15:00.000Z"),
        ("Seen", "2026-03-04", "2026-03-04T07:00:00.000Z"),
        ("Seen", "", None),
        ("Home", [], None),
    ],
)
def test_a_good_value_is_stored_and_an_empty_one_is_absent(sandbox, name: str, sent: object, stored: object) -> None:
    answer = sandbox.call("POST", "/Stays", {"fields": {name: sent}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["fields"] == ({} if stored is None else {name: stored})


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("UID", 1),
        ("UID", True),
        ("UID", ["a"]),
        ("Count", "3"),
        ("Count", True),
        ("Ready", "true"),
        ("Ready", 1),
        ("Status", 1),
        ("Status", ["New"]),
        ("Tags", "a"),
        ("Check-in", "2026-03-04T00:00:00.000Z"),
        ("Check-in", "2026-02-30"),
        ("Check-in", "03/04/2026"),
        ("Check-in", 20260304),
        ("Seen", "soon"),
        ("Seen", "2026-02-30T00:00:00Z"),
        ("Seen", 1772627696),
        ("Home", "rec" + "x" * 14),
        ("Home", ["Casa"]),
        ("Home", [7]),
        ("Files", "https://files.example/a.png"),
        ("Files", ["https://files.example/a.png"]),
        ("Files", [{"url": "ftp://files.example/a.png"}]),
        ("Files", [{"id": "att" + "x" * 14}]),
        ("Files", [{}]),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(sandbox, name: str, sent: object) -> None:
    answer = sandbox.call("POST", "/Stays", {"fields": {name: sent}})
    message = f'Field "{name}" cannot accept the provided value'
    assert answer.status_code == 422
    assert answer.json() == {"error": {"type": "INVALID_VALUE_FOR_COLUMN", "message": message}}


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("UID", 12, "12"),
        ("UID", 1.5, "1.5"),
        ("UID", True, "true"),
        ("Count", "1,200 nights", 1200),
        ("Count", "none", None),
        ("Count", "1-2", None),
        ("Ready", "checked", True),
        ("Ready", "no", None),
        ("Status", "Fresh", "Fresh"),
        ("Tags", "a, c", ["a", "c"]),
        ("Check-in", "2026-03-04T10:00:00Z", "2026-03-04"),
    ],
)
def test_typecast_reads_values_of_another_kind(sandbox, name: str, sent: object, stored: object) -> None:
    answer = sandbox.call("POST", "/Stays", {"fields": {name: sent}, "typecast": True})
    assert answer.status_code == 200, answer.text
    assert answer.json()["fields"] == ({} if stored is None else {name: stored})


def test_typecast_makes_a_new_option_once_for_the_whole_batch(sandbox) -> None:
    body = {"records": [{"fields": {"Status": "Fresh"}}, {"fields": {"Status": "Fresh"}}], "typecast": True}
    assert sandbox.call("POST", "/Stays", body).status_code == 200
    choices = [choice.name for choice in sandbox.table("Stays").schema().field("Status").options.choices]
    assert choices == ["New", "Modified", "Old", "Fresh"]
    assert sandbox.call("POST", "/Stays", {"fields": {"Status": "Fresh"}}).status_code == 200


def test_typecast_links_by_name_and_makes_the_missing_row(sandbox) -> None:
    casa = sandbox.seed("Homes", {"Name": "Casa"})[0]
    rows = [{"fields": {"Home": ["Casa"]}}, {"fields": {"Home": "Villa"}}, {"fields": {"Home": ["Villa"]}}]
    made = sandbox.call("POST", "/Stays", {"records": rows, "typecast": True}).json()["records"]
    villa = sandbox.table("Homes").first(formula="Name='Villa'")
    assert [one["fields"]["Home"] for one in made] == [[casa], [villa["id"]], [villa["id"]]]
    assert len(villa["fields"]["Stays"]) == 2


EXTRA = [
    ("Rate", "currency", {"precision": 2, "symbol": "$"}, 12.5, "x"),
    ("Share", "percent", {"precision": 1}, 0.5, "x"),
    ("Length", "duration", {"durationFormat": "h:mm"}, 3600, "x"),
    ("Stars", "rating", {"icon": "star", "max": 5, "color": "yellowBright"}, 4, 6),
    ("Mail", "email", None, "a@example.com", 1),
    ("Phone", "phoneNumber", None, "+1 555 0100", 1),
    ("Link", "url", None, "https://example.com", 1),
    ("Rich", "richText", None, "**x**", 1),
    ("Code", "barcode", None, {"text": "123", "type": "ean8"}, "123"),
]


@pytest.mark.parametrize(("name", "kind", "options", "good", "bad"), EXTRA)
def test_the_less_common_types_are_as_strict(sandbox, name, kind, options, good, bad) -> None:
    sandbox.table("Stays").create_field(name, kind, options=options)
    assert sandbox.table("Stays").create({name: good})["fields"] == {name: good}
    assert sandbox.call("POST", "/Stays", {"fields": {name: bad}}).status_code == 422


def test_a_person_is_the_owner_of_the_token_or_nobody(sandbox) -> None:
    stays = sandbox.table("Stays")
    stays.create_field("Who", "singleCollaborator")
    stays.create_field("All", "multipleCollaborators")
    me = sandbox.api.whoami()
    made = stays.create({"Who": {"id": me["id"]}, "All": [{"email": me["email"]}]})
    assert made["fields"]["Who"]["email"] == me["email"]
    assert made["fields"]["All"][0]["id"] == me["id"]
    for bad in ({"Who": {"id": "usr" + "x" * 14}}, {"Who": {}}, {"Who": "me"}, {"All": "me"}):
        assert sandbox.call("POST", "/Stays", {"fields": bad}).status_code == 422
