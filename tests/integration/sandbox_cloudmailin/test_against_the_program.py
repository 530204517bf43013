"""CM-28: whatever is posted however badly, each `delivered` is one stored mail per environment it is meant for."""

from __future__ import annotations

import random
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from plugins.front_door import PASSWORDS, PATH, USER, Door
from plugins.mail_lines import Send

LOGINS: Mapping[str, Mapping[str, str]] = {
    "dev": {"user": USER, "password": PASSWORDS["dev"]},
    "prod": {"user": USER, "password": PASSWORDS["prod"]},
    "wrong password": {"user": USER, "password": "rotated"},
    "stranger": {"user": "nobody", "password": PASSWORDS["prod"]},
    "none": {},
}
WHOLE = (None, "chunked", "drop-answer")
FAULTS = (*WHOLE, "truncate", "wrong-length")
ROUTES = ("", "/dev", "/prod", "/staging")


@dataclass(frozen=True)
class Due:
    """What must become of a mail by the table of CM-7, and which environments must hold it."""

    outcome: str
    status: int
    stored: tuple[str, ...] = ()


def _due(route: str, login: str, fault: str | None) -> Due:
    due = _said(route, login)
    if due.stored and fault not in WHOLE:
        due = Due("deferred", 503)
    return Due("deferred", 0, due.stored) if fault == "drop-answer" else due


def _said(route: str, login: str) -> Due:
    if route == "/staging":
        return Due("bounced", 404)
    if login in ("stranger", "none"):
        return Due("bounced", 401)
    if login == "wrong password" or (route and route != f"/{login}"):
        return Due("deferred", 503)
    return Due("delivered", 200, ("prod", "dev") if (route, login) == ("", "prod") else (login,))


def test_each_delivered_mail_is_stored_once_where_it_belongs_and_each_bounce_is_a_stranger_s(
    door: Door, send: Send
) -> None:
    chance, stored = random.Random(28), Counter[str]()
    cases = [(route, login, fault) for route in ROUTES for login in LOGINS for fault in FAULTS]
    chance.shuffle(cases)
    for number, (route, login, fault) in enumerate(cases):
        due = _due(route, login, fault)
        content = b64encode(b"a,b\n" * chance.randint(1, 2000)).decode()
        order = {
            "format": chance.choice(("multipart", "json", "raw")),
            "subject": f"Checkouts Report {number}",
            "attachments": [{"file_name": "report.csv", "content_base64": content}],
            "fault": fault,
            **LOGINS[login],
        }
        became = send(f"{door.url}{PATH}{route}", **order)
        assert (became["outcome"], became["status"]) == (due.outcome, due.status), (route, login, fault)
        stored.update(due.stored)
    for env in ("dev", "prod"):
        assert len(door.house.mails(env)) == stored[env] > 0
        assert door.house.is_whole(env)


def test_a_mail_whose_answer_was_lost_comes_again_as_another_and_both_are_kept(door: Door, send: Send) -> None:
    """Its sender sends it again, and CloudMailin posts what differs only in how it came (CM-13)."""
    before = len(door.house.mails("dev"))
    mail = {"message_id": "<twice@x.test>", "date": "Wed, 04 Mar 2026 09:12:00 +0000", **LOGINS["dev"]}
    assert send(f"{door.url}{PATH}/dev", fault="drop-answer", **mail)["outcome"] == "deferred"
    assert send(f"{door.url}{PATH}/dev", **mail)["outcome"] == "delivered"
    assert len(door.house.mails("dev")) == before + 2
