"""Customers, addresses, employees, job types, tags, notes, lock (HC-47, HC-53 to HC-56, HC-106, HC-107, HC-111)."""

import pytest

from plugins.housecallpro import PLACE, PROD

UNKNOWN = "x_" + "0" * 32


def test_a_customer_is_created_read_and_changed(service) -> None:
    """HC-53, HC-54: addresses come with a new customer only."""
    answer = service.call("POST", "/customers", {"first_name": "Casey", "email": "casey@example.com", "tags": ["VIP"]})
    customer = answer.json()
    assert answer.status_code == 201
    assert customer["addresses"] == []
    assert (customer["notes"], customer["notifications_enabled"], customer["tags"]) == (None, True, ["VIP"])
    service.clock.ahead += 2
    change = {"last_name": "Example", "email": None, "tags": None, "addresses": [PLACE], "notes": "Two dogs"}
    changed = service.ok("PUT", f"/customers/{customer['id']}", change)
    assert (changed["first_name"], changed["last_name"], changed["email"]) == ("Casey", "Example", None)
    assert (changed["tags"], changed["addresses"], changed["notes"]) == (["VIP"], [], "Two dogs")
    assert changed["updated_at"] > customer["updated_at"]
    assert service.ok("GET", f"/customers/{customer['id']}") == changed


@pytest.mark.parametrize("key", ["first_name", "last_name", "email", "mobile_number", "home_number", "work_number"])
def test_one_of_name_mail_and_phone_makes_a_customer(service, key: str) -> None:
    """HC-54."""
    assert service.ok("POST", "/customers", {key: "something"})[key] == "something"


@pytest.mark.parametrize("body", [{}, {"company": "Example"}, {"first_name": ""}, {"first_name": 5}, {"email": ["a"]}])
def test_nobody_is_no_customer(service, body: dict) -> None:
    """HC-54."""
    assert service.call("POST", "/customers", body).status_code == 400
    assert service.ok("GET", "/customers")["customers"] == []


@pytest.mark.parametrize("text", ["casey exa", "CASEY@", "555-0100", "1 example rd", "mesa", "85201"])
def test_customers_are_found_by_name_mail_phone_and_address(service, text: str) -> None:
    mine = service.customer(last_name="Example", email="casey@example.com", home_number="602-555-0100")
    service.ok("POST", "/customers", {"first_name": "Other"})
    assert [one["id"] for one in service.ok("GET", "/customers", q=text)["customers"]] == [mine["id"]]
    assert service.ok("GET", "/customers", q="nowhere")["total_items"] == 0
    assert service.ok("GET", "/customers", sort_by="updated_at")["total_items"] == 2


def test_addresses_are_added_listed_and_read(service) -> None:
    """HC-55."""
    customer = service.ok("POST", "/customers", {"first_name": "Casey"})
    path = f"/customers/{customer['id']}/addresses"
    answer = service.call("POST", path, {**PLACE, "latitude": "33.4", "longitude": -111.8})
    address = answer.json()
    assert answer.status_code == 200
    expected = {**PLACE, "id": address["id"], "type": "service", "street_line_2": None}
    assert address == {**expected, "latitude": "33.4", "longitude": -111.8}
    second = service.ok("POST", path, {**PLACE, "street": "2 Example Rd"})
    listed = service.ok("GET", path)
    assert listed["addresses"] == [second, address]
    assert service.ok("GET", path, page_size=1)["total_pages"] == 2
    assert service.ok("GET", f"{path}/{address['id']}") == address
    for unknown in (f"{path}/{UNKNOWN}", f"/customers/{UNKNOWN}/addresses", f"/customers/{UNKNOWN}"):
        assert service.call("GET", unknown).status_code == 404
    assert service.call("GET", f"{path}/{UNKNOWN}").json() == {"error": {"message": "address not found"}}


@pytest.mark.parametrize("key", ["street", "city", "state", "zip", "country"])
def test_an_address_needs_all_its_parts(service, key: str) -> None:
    """HC-55."""
    customer = service.customer()
    body = {name: value for name, value in PLACE.items() if name != key}
    answer = service.call("POST", f"/customers/{customer['id']}/addresses", body)
    assert (answer.status_code, answer.json()[key]) == (400, "is missing")


@pytest.mark.parametrize("where", [[1], True, {"a": 1}])
def test_a_latitude_is_a_string_or_a_number(service, where: object) -> None:
    customer = service.customer()
    answer = service.call("POST", f"/customers/{customer['id']}/addresses", {**PLACE, "latitude": where})
    assert answer.json()["latitude"] == "is neither a string nor a number"


def test_employees_are_made_changed_and_deactivated_outside_the_public_api(service) -> None:
    made = service.control("POST", "/employees", {"first_name": "Robin", "last_name": "Example", "role": "admin"})
    person = made.json()
    assert made.status_code == 201
    assert (person["role"], person["active"], person["permissions"]) == ("admin", True, {"is_admin": True})
    changed = service.employee("Robyn", id=person["id"], mobile_number="6025550100")
    assert (changed["id"], changed["first_name"], changed["role"]) == (person["id"], "Robyn", "admin")
    listed = service.ok("GET", "/employees")["employees"]
    assert [one["first_name"] for one in listed] == ["Robyn"]
    assert "active" not in listed[0]
    service.employee(id=person["id"], active=False)
    assert service.ok("GET", "/employees")["total_items"] == 0


def test_an_id_may_be_chosen_and_each_environment_has_its_own(service) -> None:
    """HC-111, HC-112."""
    chosen = "pro_" + "a" * 32
    assert service.employee(id=chosen)["id"] == chosen
    kind = {"env": "prod", "id": "jbt_" + "b" * 32, "name": "Inspection"}
    assert service.control("POST", "/job_types", kind).status_code == 201
    assert service.control("POST", "/job_types", {**kind, "name": "Laundry"}).status_code == 200
    other = service.as_(PROD)
    assert other.ok("GET", "/job_fields/job_types")["job_types"] == [{"id": kind["id"], "name": "Laundry"}]
    assert other.ok("GET", "/employees")["employees"] == []
    assert service.ok("GET", "/job_fields/job_types")["job_types"] == []


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/employees", {"first_name": "Robin"}),
        ("/employees", {"first_name": "Robin", "last_name": "E", "env": "test"}),
        ("/employees", {"first_name": "Robin", "last_name": "E", "id": "pro_short"}),
        ("/employees", {"first_name": "Robin", "last_name": "E", "role": "boss"}),
        ("/employees", {"first_name": " ", "last_name": "E"}),
        ("/employees", {"first_name": "Robin", "last_name": "E", "shoe_size": 44}),
        ("/job_types", {}),
        ("/job_types", {"name": "A", "id": "pro_" + "0" * 32}),
        ("/job_types", ["A"]),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(service, path: str, order: object) -> None:
    answer = service.control("POST", path, order)
    assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_job_types_are_made_renamed_and_found_by_name(service) -> None:
    made = service.call("POST", "/job_fields/job_types", {"name": "STR Owner"})
    kind = made.json()
    assert made.status_code == 200
    service.ok("POST", "/job_fields/job_types", {"name": "STR Owner 2"})
    job = service.job(job_fields={"job_type_id": kind["id"]})
    renamed = service.ok("PUT", f"/job_fields/job_types/{kind['id']}", {"name": "Owner"})
    assert renamed == {"id": kind["id"], "name": "Owner"}
    assert service.ok("GET", "/job_fields/job_types", name="Owner")["job_types"] == [renamed]
    assert service.read(job)["job_fields"]["job_type"] == renamed
    assert service.call("PUT", f"/job_fields/job_types/{UNKNOWN}", {"name": "A"}).status_code == 404
    assert service.call("POST", "/job_fields/job_types", {"name": ""}).status_code == 400


def test_tags_are_made_renamed_given_and_taken_away(service) -> None:
    tag = service.call("POST", "/tags", {"name": "Pool"})
    assert tag.status_code == 201
    pool = service.ok("PUT", f"/tags/{tag.json()['id']}", {"name": "Heated pool"})
    job = service.job(tags=["Dogs"])
    dogs = next(one for one in service.ok("GET", "/tags")["tags"] if one["name"] == "Dogs")
    for _ in range(2):
        given = service.call("POST", f"/jobs/{job['id']}/tags", {"tag_id": pool["id"]})
        assert (given.status_code, given.json()) == (201, {"tags": [dogs, pool]})
    assert service.read(job)["tags"] == ["Dogs", "Heated pool"]
    assert service.ok("DELETE", f"/jobs/{job['id']}/tags/{dogs['id']}") == {"tags": [pool]}
    for method, path, body in (
        ("DELETE", f"/jobs/{job['id']}/tags/{dogs['id']}", None),
        ("POST", f"/jobs/{job['id']}/tags", {"tag_id": UNKNOWN}),
        ("PUT", f"/tags/{UNKNOWN}", {"name": "A"}),
    ):
        assert service.call(method, path, body).json() == {"error": {"message": "tag not found"}}
    assert len(service.ok("GET", "/tags")["tags"]) == 2
    service.job(tags=["Dogs"])
    assert len(service.ok("GET", "/tags")["tags"]) == 2


def test_notes_are_added_and_taken_away(service) -> None:
    job = service.job(notes="First")
    made = service.call("POST", f"/jobs/{job['id']}/notes", {"content": "Second"})
    note = made.json()
    assert (made.status_code, note["content"]) == (201, "Second")
    assert [one["content"] for one in service.read(job)["notes"]] == ["First", "Second"]
    assert service.call("DELETE", f"/jobs/{job['id']}/notes/{note['id']}").status_code == 200
    again = service.call("DELETE", f"/jobs/{job['id']}/notes/{note['id']}")
    assert (again.status_code, again.json()) == (404, {"error": {"message": "note not found"}})
    assert service.call("POST", f"/jobs/{job['id']}/notes", {"content": " "}).status_code == 400
    assert [one["content"] for one in service.read(job)["notes"]] == ["First"]


def test_nothing_is_written_on_an_archived_job(service) -> None:
    job = service.job(notes="First", tags=["Pool"])
    pool = service.ok("GET", "/tags")["tags"][0]["id"]
    service.act(job, "cancel")
    for method, path, body in (
        ("POST", "notes", {"content": "Second"}),
        ("DELETE", f"notes/{job['notes'][0]['id']}", None),
        ("POST", "tags", {"tag_id": pool}),
        ("DELETE", f"tags/{pool}", None),
        ("POST", "lock", None),
    ):
        answer = service.call(method, f"/jobs/{job['id']}/{path}", body)
        assert (answer.status_code, "archived job" in answer.json()["error"]["message"]) == (400, True)


def test_a_lock_stays_where_it_was_set(service) -> None:
    job = service.job()
    locked = service.ok("POST", f"/jobs/{job['id']}/lock")
    service.clock.ahead += 5
    again = service.ok("POST", f"/jobs/{job['id']}/lock")
    assert again["locked_at"] == locked["locked_at"]
    assert again["updated_at"] > locked["updated_at"]


def test_every_write_moves_the_time_of_the_last_change(service) -> None:
    person = service.employee()
    job = service.job(line_items=[{"name": "A"}])
    tag = service.ok("POST", "/tags", {"name": "Pool"})["id"]
    line = service.lines(job)[0]["id"]
    visit = {"start_time": "2026-03-06T17:00:00Z", "end_time": "2026-03-06T18:00:00Z", "dispatched_employees_ids": []}
    writes = [
        ("PUT", "schedule", {"start_time": "2026-03-05T17:00:00Z"}),
        ("PUT", "dispatch", {"dispatched_employees": [{"employee_id": person["id"]}]}),
        ("PUT", f"line_items/{line}", {"name": "B"}),
        ("POST", "line_items", {"name": "C"}),
        ("PUT", "line_items/bulk_update", {"line_items": []}),
        ("POST", "notes", {"content": "A"}),
        ("POST", "tags", {"tag_id": tag}),
        ("DELETE", f"tags/{tag}", None),
        ("POST", "appointments", visit),
        ("DELETE", "schedule", None),
        ("POST", "lock", None),
    ]
    before = job["updated_at"]
    for method, path, body in writes:
        service.clock.ahead += 1
        service.ok(method, f"/jobs/{job['id']}/{path}", body)
        after = service.read(job)["updated_at"]
        assert after > before, path
        before = after
