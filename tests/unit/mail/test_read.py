"""Three formats, one mail (CM-3, CM-4); what is no mail is said to be none, whatever it is."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.sources.mail.mail import Attachment, Format, NotAMail, Verdict
from changeover.sources.mail.read import read
from plugins.mailbag import FORM, form, part

TO = part("envelope[to]", "dev@inbox.example")
SUBJECT = part("headers[subject]", "Checkouts Report")
CSV = b"a,b\r\n1,2\r\n"
MESSAGE = (
    b"From: =?utf-8?q?J=C3=B6rg?= <r@itrip.example>\r\nSubject: =?utf-8?q?Checkouts_R=C3=A9port?=\r\n folded\r\n"
    b"Message-ID: <m1@itrip.example>\r\nReceived: one\r\nReceived: two\r\n"
    b"Content-Type: multipart/mixed; boundary=q\r\n\r\n"
    b"--q\r\nContent-Type: multipart/alternative; boundary=r\r\n\r\n"
    b"--r\r\nContent-Type: text/plain; charset=latin-1\r\n\r\ncaf\xe9\r\n"
    b"--r\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n--r--\r\n"
    b"--q\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename*=utf-8''r%C3%A9p.csv\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nYSxi\r\nDQox\r\n"
    b"--q\r\nContent-Type: image/png; name=logo.png\r\nContent-Disposition: inline\r\n\r\nPNG\r\n"
    b"--q\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner\r\n--q--\r\n"
)


def document(**more: object) -> bytes:
    tree = {"envelope": {"to": "dev@inbox.example"}, "headers": {"Subject": "Checkouts Report"}} | more
    return json.dumps(tree).encode()


# -- forms -------------------------------------------------------------------------------------------------------------


def test_a_form_is_read_with_its_envelope_headers_texts_and_files(posted) -> None:
    mail = posted(
        form(
            TO,
            part("envelope[from]", "bounce@itrip.example"),
            part("envelope[recipients][0]", "dev@inbox.example"),
            part("envelope[recipients][1]", "copy@inbox.example"),
            part("envelope[remote_ip]", "192.0.2.7"),
            part("envelope[spf][result]", "Pass"),
            part("envelope[dkim][success]", "true"),
            part("envelope[dmarc][success]", "false"),
            part("headers[From]", "iTrip <r@itrip.example>"),
            part("headers[Message-ID]", "<m1@itrip.example>"),
            part("headers[received][0]", "one"),
            part("headers[received][1]", "two"),
            part("plain", "caf\xe9".encode("latin-1"), "\r\nContent-Type: text/plain; charset=iso-8859-1"),
            part("html", "<p>hi</p>"),
            part("attachments[]", CSV, '; filename="day.csv"\r\nContent-Type: TEXT/CSV; charset=utf-8'),
        )
    )
    assert (mail.format, mail.plain, mail.html) == (Format.MULTIPART, "café", "<p>hi</p>")
    assert (mail.envelope.to, mail.envelope.sender) == ("dev@inbox.example", "bounce@itrip.example")
    assert mail.envelope.recipients == ("dev@inbox.example", "copy@inbox.example")
    assert (mail.envelope.spf, mail.envelope.dkim, mail.envelope.dmarc) == ("pass", Verdict.PASS, Verdict.FAIL)
    assert mail.headers["received"] == ("one", "two")
    assert mail.header("message_id") == "<m1@itrip.example>"
    assert mail.header("x_nobody") == ""
    assert mail.attachments == (Attachment("day.csv", "text/csv", CSV, size=len(CSV)),)


@pytest.mark.parametrize("key", ["attachments[]", "attachments", "attachments[0]", "Attachments[1]"])
def test_files_come_under_several_keys(posted, key) -> None:
    (found,) = posted(form(TO, SUBJECT, part(key, CSV, '; filename="day.csv"'))).attachments
    assert (found.name, found.content) == ("day.csv", CSV)


@pytest.mark.parametrize(
    ("name", "understood"),
    [
        ("tag é.csv".encode(), "tag é.csv"),
        (b"r\xe9p.csv", "rép.csv"),
        (b"=?utf-8?b?csOpcC5jc3Y=?=", "rép.csv"),
        (b"=?nonsense?x?r?=", "=?nonsense?x?r?="),
        (b"=?utf-8?b?a?=", "=?utf-8?b?a?="),
    ],
)
def test_file_names_are_understood_in_utf_8_in_latin_1_and_as_encoded_words(posted, name, understood) -> None:
    """CM-27."""
    (found,) = posted(form(TO, SUBJECT, part("attachments[]", CSV, b'; filename="', name, b'"'))).attachments
    assert found.name == understood


def test_an_attachment_without_a_file_name_counts_unless_it_is_plain_text(posted) -> None:
    """CM-4."""
    kind = "\r\nContent-Type: "
    found = posted(
        form(
            TO,
            SUBJECT,
            part("attachments[]", CSV, f"{kind}application/octet-stream"),
            part("attachments[]", "hello", f"{kind}text/plain"),
            part("attachments[]", "hello"),
        )
    ).attachments
    assert [(each.name, each.content) for each in found] == [("", CSV)]


def test_attachments_in_a_store_are_read_in_order(posted) -> None:
    """CM-3: their keys repeat; the next one begins where a key comes again."""
    keys = [
        ("file_name", "a.csv"),
        ("url", "https://s.example/1"),
        ("size", "12"),
        ("file_name", "b.csv"),
        ("size", "x"),
    ]
    numbered = [
        part("attachments[5][url]", "https://s.example/5"),
        part("attachments[5][content_type]", "Text/CSV; a=b"),
    ]
    repeated = [part(f"attachments[][{key}]", value) for key, value in keys]
    found = posted(form(TO, SUBJECT, *repeated, *numbered)).attachments
    assert found == (
        Attachment("a.csv", "", None, "https://s.example/1", 12),
        Attachment("b.csv", "", None),
        Attachment("", "text/csv", None, "https://s.example/5"),
    )


def test_an_image_with_a_content_id_is_inline(posted) -> None:
    head = '; filename="logo.png"\r\nContent-Type: image/png\r\nContent-ID: <logo>'
    (found,) = posted(form(TO, SUBJECT, part("attachments[]", b"PNG", head))).attachments
    assert found.inline


def test_neither_a_field_of_two_megabytes_nor_fifteen_hundred_headers_are_too_much(posted) -> None:
    """LB-24, CM-27."""
    many = [part(f"headers[x_{number}]", str(number)) for number in range(1500)]
    mail = posted(form(TO, SUBJECT, part("html", "x" * 2_000_000), *many))
    assert (len(mail.html), len(mail.headers)) == (2_000_000, 1501)


def test_odd_keys_and_charsets_of_a_form_harm_nothing_else(posted) -> None:
    mail = posted(
        form(
            TO,
            part("envelope[to][deep]", "x"),
            part("envelope[spf][result]", "fail"),
            part("envelope[spf]", "x"),
            part("headers[subject]", "one"),
            part("headers[subject]", "two"),
            part("headers[subject]", "three"),
            part("headers[a][b][c][d][e]", "x"),
            part("", "x"),
            part("[]", "x"),
            part("other", "x", '; filename="other.csv"'),
            part("plain", b"\xff", "\r\nContent-Type: text/plain; charset=no-such"),
            part("html", b"ok", "\r\nContent-Type: text/plain; charset=idna"),
        )
    )
    assert mail.headers["subject"] == ("one", "two", "three")
    assert (mail.envelope.to, mail.envelope.spf) == ("dev@inbox.example", "fail")
    assert (mail.plain, mail.html, mail.attachments) == ("\ufffd", "ok", ())


@pytest.mark.parametrize("cut", [40, 70, 3])
def test_a_cut_form_is_no_short_mail(posted, cut) -> None:
    """LB-24: it must never pass for a mail with fewer parts."""
    body = form(TO, SUBJECT, part("attachments[]", CSV, '; filename="day.csv"'))
    with pytest.raises(NotAMail, match="broken form"):
        posted(body[:-cut])


def test_a_form_with_a_part_that_does_not_say_what_it_is_is_broken(posted) -> None:
    with pytest.raises(NotAMail, match="broken form"):
        posted(b"--x7B9\r\nContent-Type: text/plain\r\n\r\nx\r\n--x7B9--\r\n")


# -- documents ---------------------------------------------------------------------------------------------------------


def test_a_document_is_read_with_its_envelope_headers_and_files(posted) -> None:
    mail = posted(
        document(
            envelope={
                "to": "dev@inbox.example",
                "from": "bounce@itrip.example",
                "recipients": ["dev@inbox.example"],
                "spf": {"result": "softfail", "domain": "itrip.example"},
                "dkim": [{"success": True}, {"success": False}],
                "dmarc": {"success": True},
                "tls": True,
            },
            headers={"Subject": "S", "Received": ["one", "two"], "X-Number": 7, "X-None": None},
            attachments=[
                {
                    "file_name": "day.csv",
                    "content_type": "text/csv; charset=utf-8",
                    "size": 10,
                    "disposition": "attachment",
                    "content": base64.encodebytes(CSV * 30).decode(),
                },
                {"file_name": "logo.png", "content_type": "image/png", "content_id": "logo", "content": "UE5H"},
                {"file_name": "bad.csv", "content": "a~b"},
                {"file_name": "far.csv", "url": "https://s.example/1", "size": "9"},
                "nonsense",
            ],
        ),
        "application/json",
    )
    assert (mail.format, mail.envelope.spf) == (Format.JSON, "softfail")
    assert (mail.envelope.dkim, mail.envelope.dmarc) == (Verdict.FAIL, Verdict.PASS)
    assert mail.headers == {"subject": ("S",), "received": ("one", "two"), "x_number": ("7",)} | {"x_none": ()}
    day, logo, bad, far = mail.attachments
    assert (day.content, day.content_type, day.inline) == (CSV * 30, "text/csv", False)
    assert logo.inline
    assert bad.content is None
    assert (far.content, far.url, far.size) == (None, "https://s.example/1", 9)


@pytest.mark.parametrize("listed", [{"0": {"file_name": "a.csv"}}, [{"file_name": "a.csv"}]])
def test_attachments_may_be_a_list_or_numbered(posted, listed) -> None:
    (found,) = posted(document(attachments=listed), "application/json").attachments
    assert found.name == "a.csv"


@pytest.mark.parametrize("listed", ["text", 3, None, {}])
def test_attachments_that_are_none_are_none(posted, listed) -> None:
    assert posted(document(attachments=listed), "application/json").attachments == ()


def test_halves_of_characters_and_foreign_encodings_are_read_all_the_same(posted) -> None:
    assert posted(document(plain="a\ud800b"), "application/json").plain == "a?b"
    assert posted(document().decode().encode("utf-16"), "application/json").header("subject") == "Checkouts Report"
    spoiled = document().replace(b"Checkouts", b"\xe9")
    assert posted(spoiled, "application/json").header("subject") == "\ufffd Report"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"nul", b'{"a":' * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"\xff\xfex"]
)
def test_a_broken_document_is_no_mail(posted, body) -> None:
    with pytest.raises(NotAMail, match="broken document"):
        posted(body, "application/json")


# -- messages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["", '; filename="message.eml"'])
def test_a_raw_message_is_taken_apart(posted, file) -> None:
    mail = posted(form(TO, part("envelope[spf][result]", "none"), part("message", MESSAGE, file)))
    assert (mail.format, mail.envelope.spf) == (Format.RAW, "none")
    assert mail.header("subject") == "Checkouts Réport folded"
    assert mail.headers["received"] == ("one", "two")
    assert (mail.plain, mail.html) == ("café", "<p>hi</p>")
    report, logo, inner = mail.attachments
    assert (report.name, report.content, report.content_type) == ("rép.csv", b"a,b\r\n1", "text/csv")
    assert (logo.name, logo.inline) == ("logo.png", True)
    assert (inner.content_type, inner.content) == ("message/rfc822", b"")


def test_a_raw_message_may_come_in_a_document(posted) -> None:
    mail = posted(document(message=MESSAGE.decode("latin-1"), headers={}), "application/json")
    assert (mail.format, len(mail.attachments)) == (Format.RAW, 3)


def test_addresses_keep_their_encoded_words(posted) -> None:
    """Decoded, a display name could pass for an address."""
    mail = posted(form(TO, part("message", b"From: =?utf-8?q?=3Cr=40itrip.example=3E?= <x@evil.example>\r\n\r\n")))
    assert mail.header("from") == "=?utf-8?q?=3Cr=40itrip.example=3E?= <x@evil.example>"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: text/plain; charset=no-such",
        b"Content-Type: text/csv; name*" + b"9" * 5000 + b"=a; name*1=b",
        b"Content-Type: multipart/mixed",
        b"Content-Type: text/plain; charset=undefined",
        b"Content-Disposition: attachment; filename*=no-such''a%FF.csv\r\nContent-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: x-uuencode\r\nContent-Type: text/csv",
    ],
)
def test_a_message_that_is_odd_inside_still_is_a_mail(posted, head) -> None:
    message = b"Subject: \xff\r\n" + head + b"\r\n\r\nbegin 644 x\r\n\xff\r\n"
    assert posted(form(TO, part("message", message))).header("subject") == "\ufffd"


def test_a_message_that_nests_without_end_keeps_its_headers(posted) -> None:
    nest = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000))
    mail = posted(form(TO, part("message", b"Subject: nest\r\n" + nest)))
    assert (mail.header("subject"), mail.attachments) == ("nest", ())
    shallow = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(60))
    assert posted(form(TO, part("message", b"Subject: nest\r\n" + shallow))).attachments == ()


# -- what is no mail ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", [FORM, "", "application/octet-stream", "multipart/form-data"])
def test_the_first_bytes_tell_a_form_whose_content_type_is_not_known(posted, content_type) -> None:
    assert posted(form(TO, SUBJECT), content_type).format is Format.MULTIPART


def test_the_first_bytes_tell_a_document_as_well(posted) -> None:
    assert posted(b"\xef\xbb\xbf\n " + document(), "").format is Format.JSON


@pytest.mark.parametrize("body", [b"", b"   ", b"<html>", b"--", b"hello"])
def test_what_begins_as_no_format_does_is_no_mail(posted, body) -> None:
    with pytest.raises(NotAMail, match="unknown format"):
        posted(body, "text/html")


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((SUBJECT,), "no envelope"),
        ((TO,), "no header"),
        ((TO, part("headers[date]", "today")), "no header"),
        ((), "no"),
    ],
)
def test_without_recipient_or_any_of_three_headers_it_is_no_mail(posted, parts, reason) -> None:
    """CM-8, step 4."""
    with pytest.raises(NotAMail, match=reason):
        posted(form(*parts))


@pytest.mark.parametrize("name", ["from", "subject", "message_id"])
def test_one_of_three_headers_is_enough(posted, name) -> None:
    assert posted(form(TO, part(f"headers[{name}]", "x"))).header(name) == "x"


def test_at_the_door_attachments_are_left_out(posted) -> None:
    stored = part("attachments[][url]", "https://s.example/1")
    nameless = part("attachments[]", CSV, "\r\nContent-Type: text/csv")
    body = form(TO, SUBJECT, part("attachments[]", CSV, '; filename="day.csv"'), stored, nameless)
    assert posted(body, contents=False).attachments == ()
    listed = document(attachments=[{"file_name": "a.csv", "content": "YQ=="}])
    assert posted(listed, "application/json", contents=False).attachments == ()
    assert posted(form(TO, part("message", MESSAGE)), contents=False).attachments == ()


PIECES = st.sampled_from(
    [
        *(TO, SUBJECT, part("message", MESSAGE), part("attachments[]", CSV, '; filename="a.csv"'), document()),
        *(b"--x7B9", b"--x7B9--", b"\r\n", b"\n\n", b'{"envelope":', b"[", b"]", b'"', b"}", b"Content-Disposition: "),
        *(
            b"form-data; name=",
            b"=?utf-8?b?",
            b"\x00",
            b"\xff\xfe",
            b"\xe9",
            b"multipart/mixed; boundary=q\r\n\r\n--q\r\n",
        ),
    ]
)
BYTES = st.lists(PIECES | st.binary(max_size=40), max_size=12).map(b"".join)


def outcome(path: Path, body: bytes, content_type: str, *, contents: bool = True) -> str:
    """What reading came to: the recipient, or why it is no mail. Anything else it raises comes out."""
    path.write_bytes(body)
    try:
        return read(path, content_type, contents=contents).envelope.to
    except NotAMail as refusal:
        return refusal.reason


@given(body=BYTES, content_type=st.sampled_from([FORM, "application/json", "", "text/plain"]), contents=st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_reading_fail_but_as_no_mail(tmp_path_factory, body, content_type, contents) -> None:
    assert outcome(tmp_path_factory.getbasetemp() / "any-mail", body, content_type, contents=contents)


@given(message=BYTES)
@settings(max_examples=150, deadline=None)
def test_no_message_makes_reading_fail(tmp_path_factory, message) -> None:
    body = form(TO, part("message", b"Subject: x\r\n" + message.replace(b"--x7B9", b"")))
    assert outcome(tmp_path_factory.getbasetemp() / "any-message", body, FORM) == "dev@inbox.example"
