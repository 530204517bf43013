"""The application by itself: to whom a mail goes, what every answer has, whether it is ready."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import abort
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from changeover.engine import disk, intake
from changeover.store import events, writer
from changeover.store.database import Database
from changeover.web import answers, mail
from changeover.web.app import create_app
from changeover.web.sites import Deployment
from plugins.front_door import PASSWORDS, PATH, House, a_form, authorization
from plugins.mailbag import FORM, JSON, Letter

PROD, DEV = authorization(), authorization(password=PASSWORDS["dev"])


@pytest.fixture
def opened(house: House) -> Iterator[Callable[..., FlaskClient]]:
    """Opens the application over the house as it is by then."""
    deployments: list[Deployment] = []

    def client() -> FlaskClient:
        deployments.append(Deployment.open(house.write().inbound()))
        return create_app(deployments[-1]).test_client()

    client.deployments = deployments
    yield client
    for each in deployments:
        each.close()


def post(client: FlaskClient, body: bytes, path: str = PATH, headers=PROD, content_type: str = FORM) -> int:
    return client.post(path, data=body, headers=headers, content_type=content_type).status_code


def stored(house: House) -> dict[str, int]:
    assert all(house.is_whole(env) for env in PASSWORDS)
    return {env: len(house.mails(env)) for env in PASSWORDS}


# -- where a mail goes (CM-7) --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "headers", "status", "expected"),
    [
        (PATH, PROD, 200, {"dev": 1, "prod": 1}),
        (PATH, DEV, 200, {"dev": 1, "prod": 0}),
        (f"{PATH}/prod", PROD, 200, {"dev": 0, "prod": 1}),
        (f"{PATH}/dev", DEV, 200, {"dev": 1, "prod": 0}),
        (f"{PATH}/dev", PROD, 503, {"dev": 0, "prod": 0}),
        (f"{PATH}/staging", PROD, 404, {"dev": 0, "prod": 0}),
        (f"{PATH}/staging", {}, 404, {"dev": 0, "prod": 0}),
        (f"{PATH}/", PROD, 200, {"dev": 1, "prod": 1}),
        (f"/{PATH}", PROD, 404, {"dev": 0, "prod": 0}),
    ],
)
def test_a_mail_goes_where_its_route_and_credentials_say(house, opened, path, headers, status, expected):
    assert post(opened(), a_form("a"), path, headers) == status
    assert stored(house) == expected


def test_a_mail_of_prods_is_not_copied_to_a_dev_that_takes_none(house, opened):
    house.set("dev", CSV_EMAIL_ENABLED="false")
    client = opened()
    assert post(client, a_form("a")) == 200
    assert stored(house) == {"dev": 0, "prod": 1}
    assert post(client, a_form("b"), headers=DEV) == 503
    assert "mail_disabled" in house.alerts("dev")


def test_one_login_for_both_stores_for_both(house, opened):
    house.set("dev", CLOUDMAILIN_PASSWORD=PASSWORDS["prod"])
    assert post(opened(), a_form("a")) == 200
    assert stored(house) == {"dev": 1, "prod": 1}


def test_one_login_for_both_is_devs_alone_where_prod_takes_no_mail(house, opened):
    house.set("dev", CLOUDMAILIN_PASSWORD=PASSWORDS["prod"]).set("prod", CSV_EMAIL_ENABLED="false")
    assert post(opened(), a_form("a")) == 200
    assert stored(house) == {"dev": 1, "prod": 0}


def test_prod_alone_is_served_where_dev_is_not_set_up(house, opened):
    del house.settings["dev"]
    (house.folder / "config" / "dev.env").unlink()
    client = opened()
    assert post(client, a_form("a")) == 200
    assert post(client, a_form("b"), f"{PATH}/dev", DEV) == 404
    assert len(house.mails("prod")) == 1


def test_a_copy_that_fails_is_an_alert_and_no_refusal(house, opened):
    client = opened()
    opened.deployments[0].sites["dev"]._writer._patience = 0.1
    with locked(house, "dev"):
        assert post(client, a_form("a")) == 200
    assert "mail_copy_failed" in house.alerts("prod")
    assert stored(house) == {"dev": 0, "prod": 1}
    assert post(client, a_form("b")) == 200
    opened.deployments[0].close()
    assert house.alerts("prod") == {}


def test_the_emergency_stop_keeps_no_mail_out(house, opened):  # E-6
    (house.data("prod") / "stop.json").write_text('{"level": "full"}')
    assert post(opened(), a_form("a"), f"{PATH}/prod") == 200
    assert len(house.mails("prod")) == 1


def test_mails_in_other_formats_and_with_a_type_unheard_of_are_taken(house, opened):
    client = opened()
    assert post(client, Letter().body(), f"{PATH}/prod", content_type=JSON) == 200
    assert post(client, Letter(subject="b").body(), f"{PATH}/prod", content_type="text/strange") == 200
    assert [each.payload["content_type"] for each in house.mails("prod")].count(JSON) == 1


def test_it_stores_in_postgresql_as_well(house, opened, postgres_cluster):
    with postgres_cluster.database("migrated") as url:
        house.set("prod", DATABASE_URL=url)
        client = opened()
        assert [post(client, a_form(subject), f"{PATH}/prod") for subject in "aab"] == [200] * 3
        assert client.get("/readyz").status_code == 200
        database = Database(url)
        with database.read() as connection:
            found = sorted(str(each.payload["path"]) for each in events.recent(connection))
            assert connection.exec_driver_sql("SELECT count(*) FROM dbos.workflow_status").scalar() == 2
        database.close()
        opened.deployments[0].close()
    assert found == house.files()
    assert len(found) == 2


# -- the same bytes again ------------------------------------------------------------------------------------------


def test_the_same_bytes_are_one_mail_however_often_and_at_once_they_come(house, opened):
    client = opened().application
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: post(client.test_client(), a_form("a"), f"{PATH}/prod"), range(24)))
    assert found == [200] * 24
    assert stored(house) == {"dev": 0, "prod": 1}


def test_the_same_bytes_on_another_day_leave_no_second_file(house, opened):
    client = opened()
    assert post(client, a_form("a"), f"{PATH}/prod") == 200
    (name,) = house.files()
    earlier = house.data() / "raw/mail/2026/03/04"
    earlier.mkdir(parents=True)
    (house.data() / name).rename(earlier / name.rpartition("/")[2])
    with house.database() as database, database.begin() as connection:
        new = f"raw/mail/2026/03/04/{name.rpartition('/')[2]}"
        connection.exec_driver_sql(f"UPDATE events SET payload = json_set(payload, '$.path', '{new}')")
    assert post(client, a_form("a"), f"{PATH}/prod") == 200
    assert house.files() == [new]


# -- faults of ours ------------------------------------------------------------------------------------------------


@contextmanager
def locked(house: House, env: str = "prod") -> Iterator[None]:
    connection = sqlite3.connect(house.data(env) / "state.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()


def test_a_locked_database_puts_the_mail_off_and_leaves_nothing(house, opened):
    client = opened()
    opened.deployments[0].sites["prod"]._writer._patience = 0.1
    with locked(house):
        assert post(client, a_form("a"), f"{PATH}/prod") == 503
        assert house.files() == []
        assert client.get("/readyz").json == {"ready": False, "reasons": ["prod: database"]}
    assert post(client, a_form("a"), f"{PATH}/prod") == 200
    opened.deployments[0].close()
    assert house.is_whole()
    assert house.alerts() == {}  # opened while it was locked, over with the mail that came through


def test_the_same_bytes_put_off_leave_the_file_that_is_stored(house, opened):
    client = opened()
    assert post(client, a_form("a"), f"{PATH}/prod") == 200
    opened.deployments[0].sites["prod"]._writer._patience = 0.1
    with locked(house):
        assert post(client, a_form("a"), f"{PATH}/prod") == 503
    assert house.is_whole()


def test_a_disk_under_its_floor_puts_mails_off_and_with_room_again_they_go_through(house, opened, monkeypatch):
    client = opened()
    with monkeypatch.context() as patch:
        full = os.statvfs_result((4096, 4096, 10**7, 1, 1, 10**6, 10**6, 10**6, 0, 255))
        patch.setattr(disk.os, "statvfs", lambda _: full)
        assert post(client, a_form("a"), f"{PATH}/prod") == 503
        assert client.get("/readyz").json["reasons"] == ["dev: disk", "prod: disk"]
    assert house.files() == []
    assert house.alerts()["mail_intake_failed"].subject == "disk"
    assert post(client, a_form("a"), f"{PATH}/prod") == 200


def test_a_disk_that_is_full_in_the_middle_of_a_mail_leaves_no_half_file(house, opened):
    client = opened()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, hard))
    try:
        assert post(client, a_form("x" * 4_500_000), f"{PATH}/prod") == 503
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert house.files() == []
    assert house.alerts()["mail_intake_failed"].subject == "unexpected"


def test_a_folder_that_cannot_be_made_safe_takes_the_mail_back(house, opened, monkeypatch):
    client = opened()
    assert post(client, a_form("a"), f"{PATH}/prod") == 200
    fsync = os.fsync

    def refuse(descriptor):
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(errno.EIO, "no")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        assert post(client, a_form("b"), f"{PATH}/prod") == 503
        assert post(client, a_form("a"), f"{PATH}/prod") == 503
    assert stored(house) == {"dev": 0, "prod": 1}


def test_a_days_folder_that_was_tidied_away_is_made_again(house, opened):
    client = opened()
    assert post(client, a_form("a"), f"{PATH}/prod") == 200
    path = house.data() / house.files()[0]
    aside = path.rename(path.parents[1] / path.name)
    path.parent.rmdir()
    assert post(client, a_form("b"), f"{PATH}/prod") == 200
    aside.rename(path)
    assert stored(house) == {"dev": 0, "prod": 2}


def test_a_write_that_fails_in_an_unheard_of_way_takes_the_mail_back(house, opened):
    client = opened()
    assert post(client, a_form("a"), f"{PATH}/prod") == 200
    with house.database() as database, database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM events")
        connection.exec_driver_sql("UPDATE workflow_status SET name = 'another'")
    (house.data() / house.files()[0]).unlink()
    assert post(client, a_form("a"), f"{PATH}/prod") == 503
    assert house.files() == []
    assert house.mails() == ()
    assert house.alerts()["mail_intake_failed"].subject == "unexpected"


def test_a_database_lost_in_the_middle_keeps_the_file_for_the_next_start(house, opened, monkeypatch):
    client = opened()
    site = opened.deployments[0].sites["prod"]

    def lost(*_, **__):
        raise writer.Unsure

    with monkeypatch.context() as patch:
        patch.setattr(site._writer, "submit", lost)
        assert post(client, a_form("a"), f"{PATH}/prod") == 503
    assert (len(house.files()), house.mails()) == (1, ())
    opened()  # the next start
    assert house.is_whole()
    assert len(house.mails()) == 1


def test_a_server_that_ends_puts_mails_off(house, opened):
    client = opened()
    opened.deployments[0].close()
    opened.deployments[0].stopping.set()
    assert post(client, a_form("a"), f"{PATH}/prod") == 503
    assert house.files() == []
    assert client.get("/readyz").json["reasons"] == ["dev: database", "prod: database", "stopping"]


# -- alerts --------------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_an_alert_until_the_right_one_comes(house, opened):
    client = opened()
    wrong = authorization(password="rotated-on-one-side")
    assert [post(client, a_form("a"), f"{PATH}/prod", wrong) for _ in range(2)] == [503, 503]
    alert = house.alerts()["mail_auth_failed"]
    assert (alert.count, alert.level) == (2, "error")
    assert "rotated" not in alert.text
    assert post(client, a_form("a"), f"{PATH}/prod") == 200
    opened.deployments[0].close()
    assert house.alerts() == {}


def test_an_alert_of_an_earlier_process_is_over_as_well(house, opened):
    post(opened(), a_form("a"), f"{PATH}/prod", authorization(password="x"))
    assert "mail_auth_failed" in house.alerts()
    assert post(opened(), a_form("a"), f"{PATH}/prod") == 200
    for each in opened.deployments:
        each.close()
    assert house.alerts() == {}


def test_mails_to_a_switched_off_environment_are_one_alert_a_day(house, opened):
    house.set("prod", CSV_EMAIL_ENABLED="false")
    client = opened()
    assert [post(client, a_form(name), f"{PATH}/prod") for name in "abc"] == [503] * 3
    assert house.alerts()["mail_disabled"].count == 1
    with house.database() as database, database.begin() as connection:
        connection.exec_driver_sql("UPDATE alerts SET last_at = '2026-03-01 00:00:00.000000'")
    assert post(client, a_form("d"), f"{PATH}/prod") == 503
    assert house.alerts()["mail_disabled"].count == 2


def test_while_an_alert_is_on_its_way_its_repetitions_do_not_wait_for_it(house, opened):
    opened()
    site = opened.deployments[0].sites["prod"]
    gate = threading.Event()
    site._writer.post(lambda _: gate.wait())
    posted = []
    post_, site._writer.post = site._writer.post, lambda *a, **k: posted.append(1) or post_(*a, **k)
    for _ in range(3):
        site.alerts.open(mail._WRONG_PASSWORD)
    gate.set()
    opened.deployments[0].close()
    assert len(posted) == 1
    site.alerts.open(mail._WRONG_PASSWORD)
    site.alerts.over("mail_auth_failed")
    assert house.alerts()["mail_auth_failed"].count == 1


# -- every answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/", 404),
        ("GET", "/nothing/../here", 404),
        ("POST", "/healthz", 405),
        ("OPTIONS", "/healthz", 405),
        ("GET", PATH, 405),
        ("PUT", f"{PATH}/prod", 405),
        ("OPTIONS", PATH, 405),
        ("POST", PATH, 401),
    ],
)
def test_every_answer_is_guarded_and_bears_an_id(opened, method, path, status):  # NG-9, X-12, L-4, HE-5
    answer = opened().open(path, method=method, headers={"X-Request-Id": "given-by-the-proxy_1"})
    assert answer.status_code == status
    assert answers.HEADERS.items() <= dict(answer.headers).items()
    assert answer.headers["X-Request-Id"] == "given-by-the-proxy_1"
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space in it", "näme-ümlaut"])
def test_an_id_that_is_not_well_formed_is_replaced(opened, given):
    answer = opened().get("/nothing", headers={"X-Request-Id": given})
    found = answer.headers["X-Request-Id"]
    assert found != given
    assert answer.json == {"success": False, "code": "not_found", "error": "Not Found", "request_id": found}


@pytest.mark.parametrize(("path", "status"), [("/broken", 500), (f"{PATH}/broken/inside", 503)])
def test_an_error_of_ours_tells_no_internals(opened, path, status):
    app = opened().application
    app._got_first_request = False

    @app.get(path)
    def broken():
        raise KeyError("the secret cause")

    answer = app.test_client().get(path)
    assert answer.status_code == status
    assert answer.json["code"] == "internal_error"
    assert "secret" not in answer.text


@pytest.mark.parametrize("code", [400, 403, 408, 413, 414, 429, 431, 500, 502])
def test_no_refusal_reaches_the_mail_service_that_would_bounce_a_mail(opened, code):  # CM-8
    app = opened().application
    app._got_first_request = False
    app.get(f"{PATH}/x/<int:code>")(abort)
    app.get("/elsewhere/<int:code>")(abort)
    assert app.test_client().get(f"{PATH}/x/{code}").status_code == 503
    assert app.test_client().get(f"/elsewhere/{code}").status_code == code


def test_migrations_that_wait_make_it_unready(house, opened):
    client = opened()
    with house.database("dev") as database, database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert client.get("/readyz").json == {"ready": False, "reasons": ["dev: migrations"]}


@pytest.mark.parametrize("trouble", [OSError("no"), OperationalError("no", None, Exception("no"))])
def test_strays_that_cannot_be_taken_in_do_not_keep_the_server_from_starting(opened, monkeypatch, trouble):
    def refuse(*_):
        raise trouble

    monkeypatch.setattr(intake, "adopt_strays", refuse)
    assert opened().get("/readyz").status_code == 200
