"""Lists: filters, order, pages (AT-14, AT-17, AT-20, AT-31)."""

from datetime import UTC, date, datetime, timedelta

import pytest
import requests
from pyairtable import formulas as f


def uids(records) -> list[str]:
    return [one["fields"].get("UID", "") for one in records]


def test_pages_hold_a_hundred_rows_and_every_row_comes_once(sandbox) -> None:
    sandbox.seed("Stays", *({"UID": f"u{number:03d}"} for number in range(250)))
    pages = list(sandbox.table("Stays").iterate())
    assert [len(page) for page in pages] == [100, 100, 50]
    assert sorted(uids(one for page in pages for one in page)) == [f"u{number:03d}" for number in range(250)]


def test_a_full_last_page_has_no_offset(sandbox) -> None:
    sandbox.seed("Stays", *({"UID": str(number)} for number in range(100)))
    assert "offset" not in sandbox.call("GET", "/Stays").json()
    assert "offset" in sandbox.call("GET", "/Stays?pageSize=99").json()


def test_an_unsorted_list_is_stable_and_not_in_the_order_of_insertion(sandbox) -> None:
    sandbox.seed("Stays", *({"UID": f"u{number:03d}"} for number in range(60)))
    first = uids(sandbox.table("Stays").all())
    assert first != sorted(first)
    assert first == uids(sandbox.table("Stays").all())


def test_a_view_lists_in_the_order_of_insertion_and_by_its_own_filter(sandbox) -> None:
    sandbox.seed("Stays", *({"UID": f"u{number}", "Count": number} for number in range(9)))
    stays = sandbox.table("Stays")
    grid = stays.schema().views[0]
    assert (grid.name, grid.type) == ("Grid view", "grid")
    assert uids(stays.all(view="Grid view")) == [f"u{number}" for number in range(9)]
    assert uids(stays.all(view=grid.id)) == uids(stays.all(view="Grid view"))
    view = {"base_id": sandbox.base_id, "table": "Stays", "name": "Late", "formula": "{Count}>6"}
    assert sandbox.control("POST", "/views", view).status_code == 201
    assert uids(stays.all(view="Late", formula="{Count}<8")) == ["u7"]


def test_a_first_record_and_a_limit_cut_the_list(sandbox) -> None:
    sandbox.seed("Stays", *({"UID": f"u{number}", "Count": number} for number in range(5)))
    stays = sandbox.table("Stays")
    assert uids([stays.first(sort=["-Count"])]) == ["u4"]
    assert uids(stays.all(sort=["Count"], max_records=3, page_size=2)) == ["u0", "u1", "u2"]
    assert stays.first(formula="{Count}>99") is None


def test_sorting_is_by_kind_and_blanks_come_first(sandbox) -> None:
    rows = [
        {"UID": "b", "Count": 10, "Status": "Old", "Check-in": "2026-03-04"},
        {"UID": "A", "Count": 9, "Status": "New", "Check-in": "2026-03-05"},
        {"UID": "c", "Count": 9, "Status": "Modified"},
        {},
    ]
    sandbox.seed("Stays", *rows)
    stays = sandbox.table("Stays")
    assert uids(stays.all(sort=["UID"])) == ["", "A", "b", "c"]
    assert uids(stays.all(sort=["-Count", "UID"])) == ["b", "A", "c", ""]
    assert uids(stays.all(sort=["Status"])) == ["", "A", "c", "b"]
    assert uids(stays.all(sort=["-Check-in", "-UID"])) == ["A", "b", "c", ""]


def test_bracket_keys_may_come_in_any_order(sandbox) -> None:
    sandbox.seed("Stays", {"UID": "a", "Count": 1}, {"UID": "b", "Count": 1}, {"UID": "c", "Count": 2})
    query = "sort[1][direction]=desc&sort[0][direction]=desc&sort[1][field]=UID&sort[0][field]=Count"
    query += "&fields[1]=UID&fields[0]=Count"
    assert uids(sandbox.call("GET", f"/Stays?{query}").json()["records"]) == ["c", "b", "a"]


def test_only_the_wanted_fields_are_told(sandbox) -> None:
    sandbox.seed("Stays", {"UID": "a", "Count": 1, "Info": "x"})
    stays = sandbox.table("Stays")
    assert stays.all(fields=["Info", "UID"])[0]["fields"] == {"UID": "a", "Info": "x"}
    assert stays.all(fields=[stays.schema().field("Count").id])[0]["fields"] == {"Count": 1}


def test_a_list_too_long_for_a_url_goes_by_post(sandbox) -> None:
    ids = sandbox.seed("Stays", *({"UID": f"u{number}"} for number in range(600)))
    wanted = f.OR(*(f.EQ(f.RECORD_ID(), one) for one in ids[:590]))
    found = sandbox.table("Stays").all(formula=wanted, fields=["UID"], sort=["UID"], page_size=50)
    assert len(found) == 590
    calls = sandbox.control("GET", "/requests").json()["requests"]
    assert calls[-1]["path"].endswith("/listRecords")
    assert calls[-1]["body"]["sort"] == [{"direction": "asc", "field": "UID"}]


def test_text_cells_are_shown_in_the_wanted_zone(sandbox) -> None:
    home = sandbox.seed("Homes", {"Name": "Casa"})
    row = {"UID": "a", "Home": home, "Count": 2, "Ready": True, "Tags": ["a", "b"], "Check-in": "2026-03-04"}
    sandbox.seed("Stays", {**row, "Seen": "2026-03-04T17:15:00.000Z"})
    shown = sandbox.table("Stays").first(cell_format="string", time_zone="America/Phoenix", user_locale="en-us")
    assert shown["fields"] == {
        "UID": "a",
        "Home": "Casa",
        "Count": "2",
        "Ready": "checked",
        "Tags": "a, b",
        "Check-in": "2026-03-04",
        "Seen": "2026-03-04 10:15am",
    }


def test_an_offset_dies_after_five_minutes(sandbox) -> None:
    sandbox.seed("Stays", *({"UID": str(number)} for number in range(3)))
    offset = sandbox.call("GET", "/Stays?pageSize=1").json()["offset"]
    sandbox.clock.ahead += 299
    following = sandbox.call("GET", f"/Stays?pageSize=1&offset={offset}").json()["offset"]
    assert sandbox.call("GET", f"/Stays?pageSize=1&offset={offset}").status_code == 200
    sandbox.clock.ahead += 301
    answer = sandbox.call("GET", f"/Stays?pageSize=1&offset={following}")
    assert answer.json() == {"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}
    assert sandbox.call("GET", "/Stays?pageSize=1").status_code == 200


def test_an_offset_belongs_to_its_table_and_dies_at_a_reset(sandbox, tables) -> None:
    sandbox.seed("Stays", {}, {})
    sandbox.seed("Homes", {}, {})
    offset = sandbox.call("GET", "/Stays?pageSize=1").json()["offset"]
    assert sandbox.call("GET", f"/Homes?offset={offset}").status_code == 422
    sandbox.control("POST", "/reset")
    sandbox.control("POST", "/schema", {"base_id": sandbox.base_id, "tables": tables})
    assert sandbox.call("GET", f"/Stays?offset={offset}").status_code == 422


def test_a_row_deleted_while_paging_is_left_out(sandbox) -> None:
    sandbox.seed("Stays", {}, {}, {})
    page = sandbox.call("GET", "/Stays?pageSize=1").json()
    gone = page["offset"].partition("/")[2]
    sandbox.table("Stays").delete(gone)
    rest = sandbox.call("GET", f"/Stays?offset={page['offset']}").json()["records"]
    assert len(rest) == 1
    assert rest[0]["id"] != gone


def test_an_empty_table_answers_an_empty_list(sandbox) -> None:
    assert sandbox.table("Stays").all(formula="{Count}=1", sort=["UID"]) == []


def test_a_link_compares_as_the_name_of_the_linked_row_and_never_as_its_id(sandbox) -> None:
    casa, villa = sandbox.seed("Homes", {"Name": "Casa"}, {"Name": "Villa"})
    sandbox.seed("Stays", {"UID": "a", "Home": [casa]}, {"UID": "b", "Home": [casa, villa]})
    stays = sandbox.table("Stays")
    assert uids(stays.all(formula=f.match({"Home": "Casa"}))) == ["a"]
    assert uids(stays.all(formula="{Home}='Casa, Villa'")) == ["b"]
    assert uids(stays.all(formula="FIND('Villa', {Home})")) == ["b"]
    assert stays.all(formula=f.match({"Home": casa})) == []


def test_what_pyairtable_builds_is_understood(sandbox) -> None:
    stay = {"UID": "it's \\ odd", "Count": 3, "Ready": True, "Check-in": "2026-03-04", "Seen": "2026-03-04T17:15:00Z"}
    sandbox.seed("Stays", stay, {})
    field = f.Field
    for formula in (
        f.match({"UID": "it's \\ odd", "Count": 3, "Ready": True}),
        f.match({"Count": (">=", 3), "UID": ("!=", "")}),
        f.match({"Check-in": date(2026, 3, 4)}),
        f.match({"Seen": datetime(2026, 3, 4, 17, 15, tzinfo=UTC)}),
        f.AND(f.NOT(field("Status")), f.OR(field("Ready"), f.FALSE())),
        f.XOR(field("Ready"), f.FALSE()),
        f.IF(f.EQ(f.LEN(field("UID")), 10), 1, 0),
        f.SWITCH(field("Count"), 3, 1, 0),
        f.IS_SAME(field("Check-in"), date(2026, 3, 4), "day"),
        f.IS_BEFORE(field("Check-in"), f.DATEADD(date(2026, 3, 4), 1, "days")),
        f.EQ(f.DATETIME_DIFF(field("Seen"), field("Check-in"), "hours"), 17),
        f.EQ(f.DATETIME_FORMAT(field("Check-in"), "M/D"), "3/4"),
        f.EQ(f.SUBSTITUTE(field("UID"), "odd", "even"), "it's \\ even"),
        f.REGEX_MATCH(field("UID"), "odd$"),
        f.GT(field("Count"), 2.5) & f.LT(field("Count"), 3.5),
        ~f.EQ(f.BLANK(), field("Count")),
        f.EQ(f.CONCATENATE(f.LEFT(field("UID"), 2), f.RIGHT(field("UID"), 3)), "itodd"),
    ):
        assert uids(sandbox.table("Stays").all(formula=formula)) == ["it's \\ odd"], str(formula)


def modified_since(moment: datetime) -> f.Formula:
    changed = f.IS_AFTER(f.LAST_MODIFIED_TIME(), moment)
    return f.OR(changed, f.IS_AFTER(f.CREATED_TIME(), moment))


def test_the_last_modification_of_a_row_never_edited_is_its_creation(sandbox) -> None:
    order = {"base_id": sandbox.base_id, "table": "Stays"}
    old = {"fields": {"UID": "old"}, "createdTime": "2026-01-01T00:00:00.000Z"}
    sandbox.control("POST", "/records", {**order, "records": [old, {"fields": {"UID": "new"}}]})
    since = datetime.now(UTC) - timedelta(minutes=5)
    stays = sandbox.table("Stays")
    assert uids(stays.all(formula=modified_since(since))) == ["new"]
    assert uids(stays.all(formula="LAST_MODIFIED_TIME()=DATETIME_PARSE('2026-01-01')")) == ["old"]


def test_an_update_without_effect_counts_as_a_modification_and_inverse_links_do_not(sandbox) -> None:
    casa, villa = sandbox.seed("Homes", {"Name": "Casa", "Note": "x"}, {"Name": "Villa", "Note": "y"})
    homes = sandbox.table("Homes")
    sandbox.clock.ahead += 3600
    since = datetime.now(UTC) + timedelta(minutes=30)
    sandbox.table("Stays").create({"Home": [casa, villa]})
    assert homes.all(formula=modified_since(since)) == []
    homes.update(casa, {"Note": "x"})
    assert [one["id"] for one in homes.all(formula=modified_since(since))] == [casa]
    by_name = f.IS_AFTER(f.LAST_MODIFIED_TIME(f.Field("Name")), since)
    assert homes.all(formula=by_name) == []
    homes.update(villa, {"Name": "Villa"})
    assert [one["id"] for one in homes.all(formula=by_name)] == [villa]


def test_a_row_whose_formula_is_an_error_does_not_pass(sandbox) -> None:
    sandbox.seed("Stays", {"UID": "5"}, {"UID": "none"})
    assert uids(sandbox.table("Stays").all(formula="VALUE({UID})>1")) == ["5"]
    assert uids(sandbox.table("Stays").all(formula="ISERROR(VALUE({UID}))")) == ["none"]


def test_the_same_filter_is_understood_anew_when_a_field_has_changed_its_name(sandbox) -> None:
    sandbox.seed("Stays", {"UID": "a", "Count": 1})
    stays = sandbox.table("Stays")
    assert len(stays.all(formula="{Count}=1")) == 1
    field = stays.schema().field("Count")
    field.name = "Misses"
    field.save()
    with pytest.raises(requests.HTTPError, match="Unknown field names: count"):
        stays.all(formula="{Count}=1")
    assert len(stays.all(formula="{Misses}=1")) == 1


def test_hundreds_of_different_filters_are_all_understood(sandbox) -> None:
    sandbox.seed("Stays", {"Count": 299})
    found = [len(sandbox.table("Stays").all(formula=f"{{Count}}={number}")) for number in range(300)]
    assert found == [0] * 299 + [1]


def test_files_people_codes_and_options_compare_by_what_the_interface_shows(sandbox) -> None:
    stays = sandbox.table("Stays")
    stays.create_field("Who", "singleCollaborator")
    stays.create_field("Code", "barcode")
    made = stays.create({"UID": "a", "Who": {"id": sandbox.api.whoami()["id"]}, "Code": {"text": "42"}, "Tags": ["a"]})
    upload = {"contentType": "image/png", "filename": "door.png", "file": ""}
    assert sandbox.call("POST", f"/{made['id']}/Files/uploadAttachment", upload).status_code == 200
    stays.create({"UID": "b"})
    for formula in (
        "{Who}='Sandbox Owner'",
        "{Code}='42'",
        "{Tags}='a'",
        "{Files}='door.png'",
        "{Files}",
        "NOT({Tags}='')",
    ):
        assert uids(stays.all(formula=formula)) == ["a"], formula


def test_sorting_by_a_formula_that_fails_puts_the_failures_first(empty) -> None:
    value = {"formula": "VALUE({Name})", "isValid": True}
    fields = [{"name": "Name", "type": "singleLineText"}, {"name": "N", "type": "formula", "options": value}]
    empty.control("POST", "/schema", {"base_id": empty.base_id, "tables": [{"name": "T", "fields": fields}]})
    empty.seed("T", {"Name": "2"}, {"Name": "none"}, {"Name": "1"})
    assert [one["fields"]["Name"] for one in empty.table("T").all(sort=["N"])] == ["none", "1", "2"]
