"""One mail in its three formats, as the mail service's stand-in writes them, is one and the same (CM-3, CM-27)."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from changeover.sources.mail.attachments import Report, reports_of
from changeover.sources.mail.identity import report_key
from changeover.sources.mail.mail import Mail, Verdict
from changeover.sources.mail.read import read
from changeover_sandbox.cloudmailin.mail import mail_of
from changeover_sandbox.cloudmailin.orders import Format, SendOrder
from changeover_sandbox.cloudmailin.render import render
from plugins.mailbag import zipped

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
CSV = b"a,b\r\n1,2\r\n"


def attachment(content: bytes, name: str | None = "day.csv", **more: object) -> dict[str, object]:
    return {"file_name": name, "content_base64": b64encode(content).decode(), **more}


def posted(folder: Path, wanted: Format, turn: int = 1, **order: object) -> Mail:
    """An order's mail as we read it after its `turn`-th post."""
    told = {
        "target": "http://127.0.0.1/",
        "to": "dev@inbox.example",
        "from": "iTrip, Reports <r@itrip.example>",
        "subject": "Checkouts Réport",
        "message_id": "<m1@itrip.example>",
        **order,
    }
    body = render(mail_of(SendOrder.model_validate(told), turn, NOW), wanted)
    path = folder / "mail"
    path.write_bytes(body.body)
    return read(path, body.content_type)


@pytest.mark.parametrize("wanted", Format)
def test_envelope_headers_texts_and_authentication_are_read(tmp_path, wanted) -> None:
    mail = posted(
        tmp_path,
        wanted,
        plain="hello\n",
        html="<p>h</p>\n",
        spf="softfail",
        dkim={"success": True},
        dmarc={"success": False},
        recipients=["dev@inbox.example", "two@inbox.example"],
        headers={"X-Trace": ["one", "two"]},
    )
    envelope = mail.envelope
    assert str(mail.format) == str(wanted)
    assert (envelope.to, envelope.recipients[1]) == ("dev@inbox.example", "two@inbox.example")
    assert (envelope.spf, envelope.dkim, envelope.dmarc) == ("softfail", Verdict.PASS, Verdict.FAIL)
    assert (mail.header("subject"), mail.headers["x_trace"]) == ("Checkouts Réport", ("one", "two"))
    assert "r@itrip.example" in mail.header("from")
    assert (mail.plain.strip(), mail.html.strip()) == ("hello", "<p>h</p>")


@pytest.mark.parametrize("wanted", Format)
def test_reports_come_out_whole_whatever_they_are_called(tmp_path, wanted) -> None:
    mail = posted(
        tmp_path,
        wanted,
        attachments=[
            attachment(CSV, "café.csv", file_name_charset="latin-1"),
            attachment(CSV + b"3,4\n", "tägé.csv"),
            attachment(CSV + b"5,6\n", None, content_type="application/octet-stream"),
            attachment(zipped({"in.csv": CSV + b"7,8\n"}), "all.zip", content_type="application/zip"),
            attachment(b"PNG", "logo.png", content_type="image/png", disposition="inline", content_id="<logo>"),
        ],
    )
    found = reports_of(mail)
    assert found.reports == (
        Report("café.csv", CSV),
        Report("tägé.csv", CSV + b"3,4\n"),
        Report("", CSV + b"5,6\n"),
        Report("in.csv", CSV + b"7,8\n"),
    )
    assert found.troubles == ()


@pytest.mark.parametrize("key", ["attachments[]", "attachments", "attachments[0]"])
def test_every_key_of_a_file_part_is_known(tmp_path, key) -> None:
    mail = posted(tmp_path, Format.MULTIPART, attachments=[attachment(CSV)], attachment_key=key)
    assert reports_of(mail).reports == (Report("day.csv", CSV),)


@pytest.mark.parametrize("wanted", [Format.MULTIPART, Format.JSON])
def test_attachments_in_a_store_are_known_by_their_addresses(tmp_path, wanted) -> None:
    stored = [{"file_name": f"{name}.csv", "url": f"https://s.example/{name}", "size": 9} for name in "ab"]
    found = posted(tmp_path, wanted, attachments=stored).attachments
    assert [(each.name, each.url, each.size) for each in found] == [
        ("a.csv", "https://s.example/a", 9),
        ("b.csv", "https://s.example/b", 9),
    ]


def test_a_mail_that_comes_again_in_another_format_is_the_same_report(tmp_path) -> None:
    """CM-13, CM-14."""
    order = {"attachments": [attachment(CSV)], "plain": "hello"}
    assert len({report_key(posted(tmp_path, wanted, turn, **order)) for turn, wanted in enumerate(Format)}) == 1


@pytest.mark.parametrize("wanted", Format)
def test_big_mails_are_read(tmp_path, wanted) -> None:
    headers = {f"X-Number-{number}": str(number) for number in range(1500)}
    mail = posted(tmp_path, wanted, html="x\n" * 1_000_000, plain=None, headers=headers, attachments=[attachment(CSV)])
    assert (mail.header("x_number_1499"), mail.plain, len(mail.html) >= 2_000_000) == ("1499", "", True)
    assert reports_of(mail).reports == (Report("day.csv", CSV),)
