"""The three formats to the byte, and everything a receiver must survive read back by parsers that are not ours."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message

import pytest

from changeover_sandbox.cloudmailin.mail import Mail, mail_of
from changeover_sandbox.cloudmailin.orders import Format, SendOrder
from changeover_sandbox.cloudmailin.raw import MessageError
from changeover_sandbox.cloudmailin.render import Rendered, render

NOW = datetime(2026, 3, 4, 9, 12, tzinfo=UTC)
CSV = b"Checkin,Checkout\n2026-03-04,2026-03-08\n"


def _file(content: bytes = CSV, **more: object) -> dict[str, object]:
    return {"file_name": "report.csv", "content_base64": b64encode(content).decode(), **more}


def _mail(turn: int = 0, **more: object) -> Mail:
    order = {
        "target": "http://127.0.0.1:1/x",
        "to": "reports+k@example.test",
        "from": "Report Desk <desk@itrip.example.test>",
        "subject": "Checkouts Report",
        "message_id": "<m1@itrip.example.test>",
        **more,
    }
    return mail_of(SendOrder.model_validate(order), turn, NOW)


def _form(rendered: Rendered) -> list[tuple[str, str | None, str, bytes]]:
    """(name, file name, content type, content) of each part, read as a MIME message."""
    head = f"Content-Type: {rendered.content_type}\r\n\r\n".encode()
    parts = message_from_bytes(head + rendered.body, policy=policy.HTTP).get_payload()
    assert isinstance(parts, list)
    return [_read(part) for part in parts]


def _read(part: Message) -> tuple[str, str | None, str, bytes]:
    name = part.get_param("name", header="content-disposition")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return str(name), part.get_filename(), part.get_content_type(), content


def _fields(rendered: Rendered) -> dict[str, str]:
    return {name: content.decode() for name, file, _, content in _form(rendered) if file is None}


def test_multipart_is_written_to_the_byte_as_cloudmailin_writes_it() -> None:
    rendered = render(_mail(attachments=[_file()]), Format.MULTIPART)
    boundary = rendered.content_type.removeprefix("multipart/form-data; boundary=")
    assert boundary.startswith("----cloudmailinboundary")
    fields = {
        "envelope[to]": "reports+k@example.test",
        "envelope[from]": "desk@itrip.example.test",
        "envelope[recipients][0]": "reports+k@example.test",
        "envelope[helo_domain]": "mx0.example.test",
        "envelope[remote_ip]": "203.0.113.1",
        "envelope[spf][result]": "pass",
        "envelope[spf][domain]": "itrip.example.test",
        "envelope[tls]": "true",
        "headers[return_path]": "desk@itrip.example.test",
        "headers[received]": "from mx0.example.test ([203.0.113.1]) by cloudmailin.example.test;"
        " Wed, 04 Mar 2026 09:12:00 +0000",
        "headers[date]": "Wed, 04 Mar 2026 09:12:00 +0000",
        "headers[from]": "Report Desk <desk@itrip.example.test>",
        "headers[to]": "reports+k@example.test",
        "headers[message_id]": "<m1@itrip.example.test>",
        "headers[subject]": "Checkouts Report",
        "plain": "",
    }
    text = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="attachments[]"; filename="report.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{CSV.decode()}\r\n"
    )
    assert rendered.body == f"{text}{file}--{boundary}--\r\n".encode()


def test_json_holds_the_same_mail() -> None:
    rendered = render(_mail(attachments=[_file(CSV * 9, content_id="<c1>")], html="<b>ü</b>"), Format.JSON)
    assert rendered.content_type == "application/json; charset=utf-8"
    parsed = json.loads(rendered.body)
    assert parsed["envelope"]["recipients"] == ["reports+k@example.test"]
    assert parsed["envelope"]["tls"] is True
    assert parsed["envelope"]["spf"] == {"result": "pass", "domain": "itrip.example.test"}
    assert parsed["headers"]["message_id"] == "<m1@itrip.example.test>"
    assert (parsed["plain"], parsed["html"]) == ("", "<b>ü</b>")
    (file,) = parsed["attachments"]
    content = file.pop("content")
    assert "\n" in content.strip()
    assert b64decode(content) == CSV * 9
    assert file == {
        "file_name": "report.csv",
        "content_type": "text/csv",
        "size": len(CSV) * 9,
        "disposition": "attachment",
        "content_id": "<c1>",
    }


def test_raw_is_the_whole_message_beside_the_envelope() -> None:
    mail = _mail(plain="see the file", html="<p>see</p>", attachments=[_file(), _file(file_name=None)])
    fields = _fields(render(mail, Format.RAW))
    assert not [name for name in fields if name.startswith(("headers", "attachments", "plain"))]
    assert fields["envelope[to]"] == "reports+k@example.test"
    message = message_from_bytes(fields["message"].encode(), policy=policy.default)
    assert message["Message-ID"] == "<m1@itrip.example.test>"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html", "text/csv", "text/csv"]
    assert [part.get_filename() for part in parts[2:]] == ["report.csv", None]
    assert parts[2].get_content().encode() == CSV


@pytest.mark.parametrize(
    ("charset", "raw"), [("utf-8", "Übersicht März.csv".encode()), ("latin-1", "Übersicht März.csv".encode("latin-1"))]
)
def test_a_file_name_is_written_in_the_charset_that_was_asked_for(charset: str, raw: bytes) -> None:
    mail = _mail(attachments=[_file(file_name="Übersicht März.csv", file_name_charset=charset)])
    assert b'filename="%s"' % raw in render(mail, Format.MULTIPART).body
    assert json.loads(render(mail, Format.JSON).body)["attachments"][0]["file_name"] == "Übersicht März.csv"
    message = message_from_bytes(_fields(render(mail, Format.RAW))["message"].encode(), policy=policy.default)
    assert [part.get_filename() for part in message.iter_attachments()][-1] == "Übersicht März.csv"


def test_what_would_break_a_part_s_head_is_written_as_browsers_do() -> None:
    body = render(_mail(attachments=[_file(file_name='a"b\r\nc.csv')]), Format.MULTIPART).body
    assert b'filename="a%22b%0D%0Ac.csv"' in body


def test_a_boundary_that_stands_in_a_file_is_not_taken() -> None:
    first = render(_mail(attachments=[_file(b"x" * 100)]), Format.MULTIPART)
    boundary = first.content_type.rpartition("=")[2].encode()
    trap = boundary.ljust(100, b"-")
    again = render(_mail(attachments=[_file(trap)]), Format.MULTIPART)
    assert again.content_type != first.content_type
    assert _form(again)[-1][3] == trap


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("attachments[]", ["attachments[]", "attachments[]"]),
        ("attachments", ["attachments", "attachments"]),
        ("attachments[0]", ["attachments[0]", "attachments[1]"]),
    ],
)
def test_attachments_have_the_name_that_was_asked_for(key: str, names: list[str]) -> None:
    mail = _mail(attachment_key=key, attachments=[_file(), _file(file_name="b.csv")])
    parts = _form(render(mail, Format.MULTIPART))
    assert [name for name, file, *_ in parts if file is not None] == names


def test_a_stored_attachment_is_repeated_text_keys_in_order() -> None:
    stored = [
        {"file_name": "a.csv", "url": "https://store.example.test/a", "size": 7},
        {"file_name": "b.pdf", "url": "https://store.example.test/b", "content_type": "application/pdf"},
    ]
    mail = _mail(attachments=stored)
    parts = [(name, content.decode()) for name, _, _, content in _form(render(mail, Format.MULTIPART))]
    assert parts[-8:] == [
        ("attachments[][file_name]", "a.csv"),
        ("attachments[][content_type]", "text/csv"),
        ("attachments[][size]", "7"),
        ("attachments[][url]", "https://store.example.test/a"),
        ("attachments[][file_name]", "b.pdf"),
        ("attachments[][content_type]", "application/pdf"),
        ("attachments[][size]", "1024"),
        ("attachments[][url]", "https://store.example.test/b"),
    ]
    assert json.loads(render(mail, Format.JSON).body)["attachments"][0]["url"] == "https://store.example.test/a"
    with pytest.raises(MessageError, match="store"):
        render(mail, Format.RAW)


def test_an_attachment_without_file_name_is_a_field_with_a_content_type() -> None:
    mail = _mail(attachments=[_file(file_name=None)])
    assert _form(render(mail, Format.MULTIPART))[-1] == ("attachments[]", None, "text/csv", CSV)


def test_headers_are_repeated_replaced_and_many() -> None:
    more = {f"X-Trace-{n}": str(n) for n in range(1500)}
    mail = _mail(headers={"Received": ["by a", "by b"], "subject": "Other", **more})
    fields = _fields(render(mail, Format.MULTIPART))
    assert (fields["headers[received][0]"], fields["headers[received][1]"]) == ("by a", "by b")
    assert (fields["headers[subject]"], fields["headers[x_trace_1499]"]) == ("Other", "1499")
    headers = json.loads(render(mail, Format.JSON).body)["headers"]
    assert (headers["received"], headers["subject"], len(headers)) == (["by a", "by b"], "Other", 1507)
    message = message_from_bytes(_fields(render(mail, Format.RAW))["message"].encode(), policy=policy.default)
    assert (message.get_all("Received"), message.get_all("Subject")) == (["by a", "by b"], ["Other"])


def test_the_blocks_of_the_envelope_are_written_as_given_or_left_out() -> None:
    blocks = {"spf": {"result": "fail", "domain": "b.test"}, "dkim": {"success": False}, "dmarc": {"a": [None, 1.5]}}
    fields = _fields(render(_mail(**blocks), Format.MULTIPART))
    assert (fields["envelope[spf][result]"], fields["envelope[spf][domain]"]) == ("fail", "b.test")
    assert fields["envelope[dkim][success]"] == "false"
    assert (fields["envelope[dmarc][a][0]"], fields["envelope[dmarc][a][1]"]) == ("", "1.5")
    without = json.loads(render(_mail(spf=None, plain=None), Format.JSON).body)
    assert not {"spf", "dkim", "dmarc"} & set(without["envelope"])
    assert "plain" not in without


def test_recipients_and_date_are_those_of_the_order() -> None:
    envelope = json.loads(render(_mail(recipients=["a@x.test", "b@x.test"], date="never"), Format.JSON).body)
    assert envelope["envelope"]["recipients"] == ["a@x.test", "b@x.test"]
    assert envelope["headers"]["date"] == "never"


def test_a_mail_sent_again_comes_over_another_server_with_the_same_id() -> None:
    first, second = (json.loads(render(_mail(turn), Format.JSON).body) for turn in (0, 1))
    assert first["envelope"]["remote_ip"] != second["envelope"]["remote_ip"]
    assert first["headers"]["received"] != second["headers"]["received"]
    assert first["headers"]["message_id"] == second["headers"]["message_id"]


def test_a_mail_without_an_id_gets_one_of_its_own() -> None:
    first, second = (_mail(turn, message_id=None).headers["Message-ID"] for turn in (0, 1))
    assert first != second


def test_a_header_with_a_line_break_cannot_be_a_message() -> None:
    with pytest.raises(MessageError):
        render(_mail(subject="a\nB: c"), Format.RAW)
