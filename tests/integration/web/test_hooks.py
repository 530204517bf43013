"""Webhooks at a real server: each acknowledged one is stored, however it ends; what it says before that (J-72)."""

from __future__ import annotations

import hashlib
import threading
import time
from itertools import count

import pytest
import requests

from changeover.web.hcp import LARGEST
from plugins.front_door import Door, House, serving, started
from plugins.hooks import COMPANIES, JOB, PATHS, PING, SECRETS, a_hook, enqueued, hooks_of, signed, with_hooks

_DELAYS = (0.1, 0.04)
_JOBS = [f"{JOB[:-1]}{number}" for number in range(4)]


class Senders:
    """The service's threads: each goes on until its server answers no more, and remembers what was acknowledged."""

    def __init__(self, number: int = 6) -> None:
        self.number, self.numbers = number, count()
        self.sent: set[str] = set()
        self.delivered: set[str] = set()

    def send(self, door: Door) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._send, args=(door,)) for _ in range(self.number)]
        for each in threads:
            each.start()
        return threads

    def _send(self, door: Door) -> None:
        while True:
            number = next(self.numbers)
            body = a_hook("job.updated", {"id": _JOBS[number % len(_JOBS)]}, n=number)
            digest = hashlib.sha256(body).hexdigest()
            self.sent.add(digest)
            try:
                answer = requests.post(door.url + PATHS["prod"], data=body, headers=signed(body), timeout=30)
            except requests.RequestException:
                return
            if answer.status_code == 200:
                self.delivered.add(digest)


def test_through_kill_9_each_acknowledged_webhook_is_stored_once_and_its_work_waits(house: House) -> None:
    """JX-41: no queue lives in memory."""
    with_hooks(house)
    senders = Senders()
    for delay in _DELAYS:
        door = started(house)
        begun, threads = len(senders.delivered), senders.send(door)
        while len(senders.delivered) < begun + 10:
            time.sleep(0.005)
        time.sleep(delay)
        door.kill()
        for each in threads:
            each.join()
    stored = [str(each.payload["sha256"]) for each in hooks_of(house)]
    assert len(stored) == len(set(stored))
    assert senders.delivered <= set(stored) <= senders.sent
    assert set(enqueued(house)) == {each.id for each in hooks_of(house)}
    assert set(enqueued(house).values()) <= set(_JOBS)
    assert hooks_of(house, "dev") == ()


@pytest.fixture(scope="module")
def hook_door(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite):
    house = House(tmp_path_factory.mktemp("hooks")).write(migrated_sqlite)
    with serving(with_hooks(house)) as door:
        yield door


def test_it_answers_as_the_service_expects_on_both_paths(hook_door: Door) -> None:
    for env, path in PATHS.items():
        body = a_hook(company_id=COMPANIES[env])
        answer = requests.post(hook_door.url + path, data=body, headers=signed(body, SECRETS[env]), timeout=30)
        assert (answer.status_code, answer.json()) == (200, {"status": "success", "message": "Webhook queued"})
        assert requests.post(hook_door.url + path, data=PING, timeout=30).status_code == 200
        assert requests.post(hook_door.url + path, data=body, timeout=30).status_code == 401
        (event,) = hooks_of(hook_door.house, env)
        assert enqueued(hook_door.house, env) == {event.id: JOB}


def test_however_large_or_cut_a_body_is_its_sender_gets_an_answer(hook_door: Door) -> None:
    url = hook_door.url + PATHS["prod"]
    large = b"x" * (LARGEST + 1)
    assert requests.post(url, data=large, headers=signed(large), timeout=30).status_code == 413
    chunked = (large[start : start + 100_000] for start in range(0, len(large), 100_000))
    assert requests.post(url, data=chunked, headers=signed(large), timeout=30).status_code == 413
    head = f"POST {PATHS['prod']} HTTP/1.1\nHost: x\n"
    assert hook_door.raw(f"{head}Content-Length: 50", b'{"event"', close=True) == 400
    assert hook_door.raw(f"{head}Transfer-Encoding: chunked", b"5\r\nab", close=True) == 400
    body = a_hook(n="chunked")
    parts = (body[start : start + 50] for start in range(0, len(body), 50))
    assert requests.post(url, data=parts, headers=signed(body), timeout=30).status_code == 200


def test_no_word_of_a_webhook_gets_into_the_log(hook_door: Door) -> None:
    """L-5, HC-91."""
    body = a_hook("job.updated", {"id": JOB, "customer": {"first_name": "Somebodyprivate", "email": "x@y.example"}})
    headers = signed(body) | {"X-Request-Id": "proxy-0002"}
    assert requests.post(hook_door.url + PATHS["prod"], data=body, headers=headers, timeout=30).status_code == 200
    logs = [name for name in hook_door.house.files("prod", "logs") if "web-" in name]
    text = "".join((hook_door.house.data() / name).read_text() for name in logs)
    assert "webhook.stored" in text
    assert "proxy-0002" in text
    secret = (headers["Api-Signature"], SECRETS["prod"], "Somebodyprivate", "y.example")
    assert not any(word in text for word in secret)
