"""Line items (HC-18, HC-22, HC-67 to HC-74, HC-101, HC-105, HC-106)."""

import pytest

WHOLE = {
    "name": "Turnover",
    "description": "Two bedrooms",
    "unit_price": 14500,
    "unit_cost": 9000,
    "quantity": 1.5,
    "kind": "materials",
    "taxable": False,
    "service_item_id": "olit_1",
    "service_item_type": "organizational",
}
DEFAULTS = {
    "description": None,
    "unit_price": 0,
    "unit_cost": 0,
    "unit_of_measure": None,
    "quantity": 1,
    "kind": "labor",
    "taxable": True,
    "amount": 0,
    "service_item_id": None,
    "service_item_type": None,
}


@pytest.fixture
def job(service) -> dict:
    """A job with the lines A, B and C."""
    return service.job(line_items=[{"name": name, "unit_price": 1000} for name in "ABC"])


def bulk(service, job: dict, *lines: dict, **more: object):
    body = {"line_items": list(lines), **more}
    return service.call("PUT", f"/jobs/{job['id']}/line_items/bulk_update", body)


def names(service, job: dict) -> list[str]:
    return [line["name"] for line in service.lines(job)]


def test_lines_are_listed_unpaged_and_in_no_order_of_theirs(service, job) -> None:
    """HC-18, HC-69."""
    answer = service.ok("GET", f"/jobs/{job['id']}/line_items")
    assert (answer["object"], answer["url"]) == ("list", f"/jobs/{job['id']}/line_items")
    ids = [line["id"] for line in answer["data"]]
    assert ids == sorted(ids)
    assert [line["order_index"] for line in service.lines(job)] == [0, 1, 2]
    assert names(service, job) == ["A", "B", "C"]


def test_a_line_is_added_behind_all_others(service, job) -> None:
    answer = service.call("POST", f"/jobs/{job['id']}/line_items", WHOLE)
    line = answer.json()
    assert answer.status_code == 201
    assert line == {**WHOLE, "id": line["id"], "order_index": 3, "unit_of_measure": None, "amount": 21750}
    assert service.read(job)["total_amount"] == 3 * 1000 + 21750


def test_what_a_put_leaves_out_is_back_at_its_default(service, job) -> None:
    """HC-71: the reading to be afraid of."""
    line = service.ok("POST", f"/jobs/{job['id']}/line_items", WHOLE)
    answer = service.ok("PUT", f"/jobs/{job['id']}/line_items/{line['id']}", {"name": "New"})
    assert answer == {**DEFAULTS, "id": line["id"], "order_index": 3, "name": "New"}
    refused = service.call("PUT", f"/jobs/{job['id']}/line_items/{line['id']}", {"unit_price": 1})
    assert (refused.status_code, refused.json()) == (400, {"message": "name is missing", "name": "is missing"})


def test_a_line_is_deleted_once(service, job) -> None:
    path = f"/jobs/{job['id']}/line_items/{service.lines(job)[0]['id']}"
    assert service.call("DELETE", path).json() == {"object": "line_item", "deleted": True}
    for method in ("DELETE", "PUT"):
        answer = service.call(method, path, {"name": "A"})
        assert (answer.status_code, answer.json()) == (404, {"error": {"message": "line item not found"}})
    assert names(service, job) == ["B", "C"]


def test_bulk_update_replaces_changes_and_deletes_what_is_not_listed(service, job) -> None:
    """HC-72."""
    _, second, _ = service.lines(job)
    answer = bulk(service, job, {"name": "New"}, {**WHOLE, "id": second["id"]})
    assert answer.status_code == 200
    assert set(answer.json()) == {"url", "data"}
    assert sorted(line["name"] for line in answer.json()["data"]) == ["New", "Turnover"]
    changed, new = service.lines(job)
    assert (changed["id"], changed["amount"], changed["order_index"]) == (second["id"], 21750, 1)
    assert (new["name"], new["order_index"]) == ("New", 2)


def test_bulk_update_may_append(service, job) -> None:
    first = service.lines(job)[0]
    assert (
        bulk(service, job, {"name": "D"}, {"name": "A2", "id": first["id"]}, append_line_items=True).status_code == 200
    )
    assert names(service, job) == ["A2", "B", "C", "D"]


def test_bulk_update_twice_without_ids_gives_the_same_set_with_new_ids(service, job) -> None:
    lines = ({"name": "X", "unit_price": 5}, {"name": "Y"})
    sets = []
    for _ in range(2):
        bulk(service, job, *lines, append_line_items=False)
        sets.append(service.lines(job))
    plain = [[{key: value for key, value in line.items() if key != "id"} for line in one] for one in sets]
    assert plain[0] == plain[1]
    assert [line["order_index"] for line in sets[0]] == [0, 1]
    assert {line["id"] for line in sets[0]}.isdisjoint(line["id"] for line in sets[1])
    assert bulk(service, job).json()["data"] == []


def test_bulk_update_is_all_or_nothing(service, job) -> None:
    first = service.lines(job)[0]
    unknown = bulk(service, job, {"name": "X"}, {"name": "Y", "id": "rli_x"})
    assert (unknown.status_code, unknown.json()) == (404, {"error": {"message": "line item not found"}})
    assert bulk(service, job, {"name": "X", "id": first["id"]}, {"name": "Y", "id": first["id"]}).status_code == 400
    assert bulk(service, job, {"name": "X"}, {"name": "y" * 256}).status_code == 400
    assert service.call("PUT", f"/jobs/{job['id']}/line_items/bulk_update", {}).status_code == 400
    assert names(service, job) == ["A", "B", "C"]


def test_a_name_holds_255_code_points(service, job) -> None:
    line = service.lines(job)[0]
    path = f"/jobs/{job['id']}/line_items/{line['id']}"
    for name in ("x" * 255, "🧹" * 255):
        assert service.ok("PUT", path, {"name": name})["name"] == name
    refused = service.call("PUT", path, {"name": "x" * 256})
    text = "is too long (maximum is 255 characters)"
    assert (refused.status_code, refused.json()) == (400, {"message": f"name {text}", "name": text})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"unit_price": 0.5}, "unit_price"),
        ({"unit_price": -1}, "unit_price"),
        ({"unit_cost": "9"}, "unit_cost"),
        ({"quantity": 1.001}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"kind": "labour"}, "kind"),
        ({"taxable": 1}, "taxable"),
        ({"service_item_type": "other"}, "service_item_type"),
        ({"description": 5}, "description"),
    ],
)
def test_a_line_of_the_wrong_form_is_refused_with_the_attribute_named(service, job, change: dict, told: str) -> None:
    body = {**WHOLE, **change}
    line = service.lines(job)[0]
    for answer in (
        service.call("POST", f"/jobs/{job['id']}/line_items", body),
        service.call("PUT", f"/jobs/{job['id']}/line_items/{line['id']}", body),
        bulk(service, job, body),
    ):
        assert (answer.status_code, set(answer.json())) == (400, {"message", told})
    assert names(service, job) == ["A", "B", "C"]


@pytest.mark.parametrize("kind", ["labor", "materials", "fixed gratuity", "fixed discount", "percent discount"])
def test_every_kind_is_kept_and_only_labor_and_materials_count(service, kind: str) -> None:
    job = service.job(line_items=[{"name": "A", "unit_price": 100}])
    assert (
        service.ok("POST", f"/jobs/{job['id']}/line_items", {"name": "B", "unit_price": 7, "kind": kind})["kind"]
        == kind
    )
    counted = 7 if kind in {"labor", "materials"} else 0
    assert service.read(job)["subtotal"] == 100 + counted


@pytest.mark.parametrize(("quantity", "amount"), [(0.5, 3), (1.5, 8), (0.1, 1), (2.25, 11), (0.09, 0)])
def test_amounts_are_rounded_half_up(service, quantity: float, amount: int) -> None:
    job = service.job(start=None, line_items=[{"name": "A", "unit_price": 5, "quantity": quantity}])
    assert service.lines(job)[0]["amount"] == amount


def test_lines_of_locked_and_canceled_jobs_stay_as_they_are(service) -> None:
    locked, canceled = (service.job(line_items=[{"name": "A"}]) for _ in range(2))
    service.ok("POST", f"/jobs/{locked['id']}/lock")
    service.act(canceled, "cancel")
    for job in (locked, canceled):
        path = f"/jobs/{job['id']}/line_items"
        line = service.lines(job)[0]
        answers = [
            service.call("POST", path, {"name": "B"}),
            service.call("PUT", f"{path}/{line['id']}", {"name": "B"}),
            service.call("DELETE", f"{path}/{line['id']}"),
            bulk(service, job, {"name": "B"}),
        ]
        assert [one.status_code for one in answers] == [400] * 4
        assert names(service, job) == ["A"]
    assert "archived job" in answers[0].json()["error"]["message"]
