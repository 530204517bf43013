"""Nothing that was acknowledged is lost, however the server ends (CM-9, CM-28)."""

from __future__ import annotations

import re
import socket
import threading
import time
from itertools import count

import requests

from plugins.front_door import Door, House, a_form, started

_DELAYS = (0.12, 0.05)
_SUBJECT = re.compile(rb'subject.*?"\r\n\r\n(.*?)\r\n')


class Senders:
    """Sending mail servers: each goes on until its server answers no more, and remembers what was acknowledged."""

    def __init__(self, number: int = 6) -> None:
        self.number, self.subjects = number, count()
        self.sent: set[str] = set()
        self.delivered: set[str] = set()

    def send(self, door: Door) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._send, args=(door,)) for _ in range(self.number)]
        for each in threads:
            each.start()
        return threads

    def _send(self, door: Door) -> None:
        while True:
            subject = f"mail {next(self.subjects)}"
            self.sent.add(subject)
            try:
                answer = door.post(a_form(subject))
            except requests.RequestException:
                return
            if answer.status_code == 200:
                self.delivered.add(subject)


def stored(house: House, env: str) -> list[str]:
    """Subjects as they lie in the files of rows."""
    bodies = ((house.data(env) / str(each.payload["path"])).read_bytes() for each in house.mails(env))
    return sorted(_SUBJECT.search(body)[1].decode() for body in bodies)


def test_through_kill_9_each_acknowledged_mail_is_one_row_and_one_file(house):
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
    assert started(house).end() == 0
    for env in ("dev", "prod"):
        found = stored(house, env)
        assert house.is_whole(env)
        assert len(found) == len(set(found))
        assert senders.delivered <= set(found) <= senders.sent


def test_a_server_that_is_asked_to_end_answers_what_it_has_begun(house):
    door = started(house)
    body = a_form("on the wire")
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as line:
        head = door.head(**{"Content-Length": str(len(body)), "Connection": "close"}).replace("\n", "\r\n")
        line.sendall(head.encode() + b"\r\n\r\n" + body[:50])
        while not house.files():  # it has begun to write it down
            time.sleep(0.01)
        door.process.terminate()
        time.sleep(0.2)
        line.sendall(body[50:])
        assert b" 200 " in line.makefile("rb").readline()
    assert door.end() == 0
    assert house.is_whole()
    assert len(house.mails()) == 1
