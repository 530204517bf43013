"""What passes at a glance would have passed a reading; the rest is left to the reading."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.sources.mail.glance import is_evident
from changeover.sources.mail.read import read_from
from changeover_sandbox.cloudmailin.mail import mail_of
from changeover_sandbox.cloudmailin.orders import Format, SendOrder
from changeover_sandbox.cloudmailin.render import render
from plugins.mailbag import BOUNDARY, FORM, JSON, File, Letter, form, part

TO = part("envelope[to]", "in@inbox.example")
SUBJECT = part("headers[subject]", "a")
CSV = part("attachments[]", b"a,b\r\n1,2\r\n", '; filename="a.csv"\r\nContent-Type: text/csv')


def test_a_mail_as_the_service_posts_it_is_evident():
    order = SendOrder.model_validate({"target": "http://x.example", "to": "in@inbox.example", "from": "a@b.example"})
    posted = render(mail_of(order, 0, datetime(2026, 3, 4, tzinfo=UTC)), Format.MULTIPART)
    assert is_evident(posted.body, posted.content_type)


@pytest.mark.parametrize(
    "body",
    [
        form(TO, SUBJECT),
        form(CSV, SUBJECT, part("plain", "--x7B\r\n\r\n"), TO),
        form(TO, SUBJECT)[:-2],
        form(TO, part("headers[subject]", ""), part("headers[from]", "x")),
    ],
)
def test_a_whole_form_with_an_envelope_and_a_header_is_evident(body):
    assert is_evident(body, FORM)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (form(TO), FORM),
        (form(SUBJECT), FORM),
        (form(part("envelope[to]", " "), SUBJECT), FORM),
        (form(TO, part("headers[subject]", "\t")), FORM),
        (form(TO, TO, SUBJECT), FORM),
        (form(part("envelope[to][0]", "x"), TO, SUBJECT), FORM),
        (form(part("envelope[to]", "x", '; filename="x"'), SUBJECT), FORM),
        (form(part("envelope[to]", "x", "\r\nContent-Type: text/plain; charset=utf-16"), SUBJECT), FORM),
        (form(part("envelope", "x"), TO, SUBJECT), FORM),
        (form(TO, SUBJECT, part("message", "From: x\r\n\r\n")), FORM),
        (form(TO, SUBJECT, part("Headers[X]", "x")), FORM),
        (form(TO, SUBJECT, CSV.replace(b"a.csv", b"\xe9.csv")), FORM),
        (form(TO, SUBJECT).replace(b"\r\n\r\na\r\n", b"\r\na\r\n"), FORM),
        (form(TO, SUBJECT)[:-4], FORM),
        (form(TO, SUBJECT) + b"x", FORM),
        (b"preamble\r\n" + form(TO, SUBJECT), FORM),
        (form(TO, SUBJECT, part("plain", f"\r\n--{BOUNDARY}9\r\n")), FORM),
        (form(TO, SUBJECT), "multipart/form-data"),
        (form(TO, SUBJECT), "multipart/form-data; boundary=other"),
        (form(TO, SUBJECT), ""),
        (Letter([File(b"a,b")]).body(), JSON),
    ],
)
def test_whatever_is_not_plain_is_left_to_the_reading(body, content_type):
    assert not is_evident(body, content_type)


PIECES = st.sampled_from(
    [
        TO,
        SUBJECT,
        CSV,
        part("headers[from]", "x@y.example"),
        part("headers[subject][0]", "b"),
        part("envelope[to]", "y", "\r\nContent-Type: text/plain"),
        part("envelope[to][0]", "y"),
        part("envelope", "y"),
        part("message", "Subject: a\r\n\r\nb"),
        part("plain", "text\r\n--x7B9-\r\n"),
        part("", "x"),
        b"--x7B9\r\nX: y\r\n\r\nz\r\n",
        b"--x7B9\r\n\r\n",
        b"\r\n",
        b"--x7B9--\r\n",
    ]
)


@given(st.lists(PIECES, max_size=6), st.integers(-8, 0), st.binary(max_size=3))
def test_what_is_evident_is_always_read_as_a_mail(pieces, cut, more):
    whole = form(TO, SUBJECT, *pieces)
    body = whole[: len(whole) + cut] + more
    if is_evident(body, FORM):
        assert read_from(io.BytesIO(body), FORM, contents=False).envelope.to == "in@inbox.example"


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_one_byte_altered_anywhere_changes_nothing_about_that(at, byte):
    body = bytearray(form(TO, SUBJECT, CSV))
    body[at % len(body)] = byte
    if is_evident(bytes(body), FORM):
        assert read_from(io.BytesIO(bytes(body)), FORM, contents=False).envelope.to
