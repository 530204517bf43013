"""Which mails are copies of one another (CM-13, CM-14)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from changeover.sources.mail.identity import message_digest, report_key
from changeover.sources.mail.mail import Attachment, Envelope
from plugins.mailbag import mail

ONE, TWO = Attachment("a.csv", "text/csv", b"1"), Attachment("b.csv", "text/csv", b"2")
ID = {"from": ("r@itrip.example",), "subject": ("S",), "message_id": ("<m1@itrip.example>",)}
NO_ID = {"from": ("r@itrip.example",), "subject": ("S",), "date": ("today",)}


def test_a_copy_that_took_another_way_has_the_same_key() -> None:
    first = mail(ONE, TWO, headers=ID, plain="x", envelope=Envelope("a@inbox.example", remote_ip="192.0.2.1"))
    headers = {**ID, "received": ("another server",), "subject": ("Fwd: S",), "message_id": (" <m1@itrip.example> ",)}
    copy = mail(replace(TWO, name="renamed.csv"), ONE, ONE, headers=headers, envelope=Envelope("b@inbox.example"))
    assert report_key(first) == report_key(copy)
    assert len(report_key(first)) == 64


def test_the_same_message_id_with_other_attachments_is_a_new_report() -> None:
    assert report_key(mail(ONE, headers=ID)) != report_key(mail(TWO, headers=ID))
    assert report_key(mail(ONE, headers=ID)) != report_key(mail(headers=ID))


def test_without_an_id_everything_written_counts_and_the_way_does_not() -> None:
    first = mail(ONE, headers=NO_ID, plain="x", html="y")
    assert report_key(first) == report_key(mail(ONE, headers=NO_ID | {"received": ("z",)}, plain="x", html="y"))


@pytest.mark.parametrize(
    "other",
    [
        mail(ONE, headers=NO_ID | {"from": ("z",)}, plain="x"),
        mail(ONE, headers=NO_ID | {"subject": ("z",)}, plain="x"),
        mail(ONE, headers=NO_ID | {"date": ("z",)}, plain="x"),
        mail(ONE, headers=NO_ID, plain="", html="x"),
        mail(TWO, headers=NO_ID, plain="x"),
        mail(ONE, headers=ID, plain="x"),
    ],
)
def test_without_an_id_any_difference_makes_another_report(other) -> None:
    assert report_key(mail(ONE, headers=NO_ID, plain="x")) != report_key(other)


def test_what_is_not_there_is_known_by_where_it_lies_or_its_name() -> None:
    far, near = Attachment("a", "", None, "https://s.example/1"), Attachment("a", "", None, "https://s.example/2")
    assert report_key(mail(far)) != report_key(mail(near))
    assert report_key(mail(Attachment("a", "", None))) == report_key(mail(Attachment("a", "", None)))


def test_an_id_is_kept_as_a_digest_only() -> None:
    assert len(message_digest(mail(headers=ID))) == 16
    assert message_digest(mail(headers=NO_ID)) == ""
