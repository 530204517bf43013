"""What is taken out of a mail, and what a person is told of (CM-19, X-7)."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.sources.mail import attachments
from changeover.sources.mail.attachments import MB, Found, Report, Trouble, looks_like_csv, may_hold_csv, reports_of
from changeover.sources.mail.mail import Attachment
from plugins.mailbag import mail, zipped

CSV = b"a,b\r\n1,2\r\n"
OLE = b"\xd0\xcf\x11\xe0" + bytes(600)


def attached(name: str = "", kind: str = "", content: bytes | None = CSV, **more: object) -> Attachment:
    return Attachment(name, kind, content, **more)


def taken(*found: Attachment, **texts: str) -> Found:
    return reports_of(mail(*found, **texts))


def workbook() -> bytes:
    return zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})


@pytest.mark.parametrize(
    "attachment",
    [
        attached("day.csv"),
        attached("DAY.CSV", "application/pdf"),
        attached("..\\..\\day.csv"),
        attached("day", "text/csv"),
        attached("", "text/csv", b"no delimiter"),
        attached("day", "application/vnd.ms-excel"),
        attached("day.xls", "application/vnd.ms-excel"),
        attached("day", "application/octet-stream"),
        attached("day.bin", "application/octet-stream", "a;b\n".encode("utf-16")),
        attached("day.csv", "text/csv", inline=True),
        attached("day.csv", "text/csv", b""),
    ],
)
def test_a_csv_is_taken_by_name_by_type_or_by_content(attachment) -> None:
    found = taken(attachment)
    assert [each.content for each in found.reports] == [attachment.content]
    assert found.troubles == ()


@pytest.mark.parametrize(
    "attachment",
    [
        attached("logo.png", "image/png", b"PNG,\n", inline=True),
        attached("smime.p7s", "application/pkcs7-signature", b"a,b\n"),
        attached("report.pdf", "application/pdf", b"%PDF,\n"),
        attached("notes.txt", "text/plain"),
        attached("data", "application/octet-stream", b"%PDF-1.4 a,b\n"),
        attached("data", "application/octet-stream", b"<html>,</html>"),
        attached("data", "application/octet-stream", b'{"a": 1, "b": 2}'),
        attached("data", "application/octet-stream", b"\0\1,\2"),
        attached("data", "application/octet-stream", b"no cells here"),
        attached("data", "application/octet-stream", b""),
        attached("data", "application/octet-stream", CSV, inline=True),
        attached("letter.docx", "application/msword", zipped({"word/document.xml": b"<x/>"})),
    ],
)
def test_what_is_no_table_is_skipped(attachment) -> None:
    assert taken(attachment, attached("day.csv")) == Found((Report("day.csv", CSV),))
    assert taken(attachment) == Found((), (Trouble.NO_CSV,))


@pytest.mark.parametrize(
    ("attachment", "trouble"),
    [
        (attached("day.xlsx", "application/vnd.ms-excel", workbook()), Trouble.SPREADSHEET),
        (attached("day.csv", "text/csv", workbook()), Trouble.SPREADSHEET),
        (attached("day.xls", "application/vnd.ms-excel", OLE), Trouble.SPREADSHEET),
        (attached("day.csv", "text/csv", OLE), Trouble.SPREADSHEET),
        (attached("day.ods", "", b"odd"), Trouble.SPREADSHEET),
        (
            attached("day", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"x"),
            Trouble.SPREADSHEET,
        ),
        (attached("WINMAIL.DAT", "", b"x"), Trouble.WINMAIL),
        (attached("att", "application/ms-tnef", b"x"), Trouble.WINMAIL),
        (attached("day.csv", "text/csv", None), Trouble.UNREADABLE),
        (attached("day.csv", "text/csv", bytes(25 * MB + 1)), Trouble.TOO_LARGE),
        (attached("day.zip", "", b"no zip"), Trouble.BROKEN_ZIP),
        (attached("day.zip", "", zipped({"day.csv": CSV})[:-30]), Trouble.BROKEN_ZIP),
        (attached("day.zip", "", zipped({"day.xlsx": CSV})), Trouble.SPREADSHEET),
    ],
)
def test_what_hides_a_table_is_told_and_the_csv_beside_it_is_taken(attachment, trouble) -> None:
    assert taken(attachment) == Found((), (trouble,))
    assert taken(attachment, attachment, attached("day.csv")) == Found((Report("day.csv", CSV),), (trouble,))


def test_an_accepted_mail_without_csv_is_told() -> None:
    assert taken().troubles == (Trouble.NO_CSV,)
    assert taken(html='<a href="https://s.example/1">Download</a>').troubles == (Trouble.LINK_ONLY,)
    logo = attached("logo.png", "image/png", b"x", inline=True)
    assert taken(logo, plain="see http://s.example").troubles == (Trouble.LINK_ONLY,)
    assert taken(attached("a.pdf", "application/pdf"), plain="see http://s.example").troubles == (Trouble.NO_CSV,)


def test_twenty_five_megabytes_are_not_too_large() -> None:
    """CM-27."""
    content = b"a,b\n" + b"x" * (25 * MB - 4)
    assert taken(attached("day.csv", "text/csv", content)).reports == (Report("day.csv", content),)


def test_of_more_than_twenty_the_first_are_taken_and_the_rest_is_told() -> None:
    many = [attached(f"{number}.csv", content=b"a,%d" % number) for number in range(21)]
    found = taken(*many)
    assert (len(found.reports), found.troubles) == (20, (Trouble.TOO_MANY,))
    pictures = [attached(f"{number}.png", "image/png") for number in range(30)]
    assert taken(*pictures, attached("day.csv")).troubles == ()


def test_the_same_content_twice_in_a_mail_is_one_report() -> None:
    found = taken(attached("one.csv"), attached("two.csv"), attached("other.csv", content=b"c,d"))
    assert found.reports == (Report("one.csv", CSV), Report("other.csv", b"c,d"))


# -- zips --------------------------------------------------------------------------------------------------------------


def test_csvs_in_a_zip_are_taken_under_their_last_name() -> None:
    archive = zipped(
        {
            "day.csv": b"1,1",
            "../../etc/two.csv": b"2,2",
            "deep\\three.CSV": b"3,3",
            "folder/": b"",
            "__MACOSX/day.csv": b"x,x",
            "dots/.four.csv": b"4,4",
            "readme.txt": b"5,5",
        }
    )
    found = taken(attached("all.zip", "application/zip", archive))
    names = [each.name for each in found.reports]
    assert (names, found.troubles) == (["day.csv", "two.csv", "three.CSV"], ())


@pytest.mark.parametrize("kind", ["application/zip", "application/octet-stream", "application/x-zip-compressed"])
def test_a_zip_is_known_by_name_by_type_or_by_content(kind) -> None:
    assert taken(attached("all", kind, zipped({"day.csv": CSV}))).reports == (Report("day.csv", CSV),)
    assert taken(attached("all.ZIP", "", zipped({"day.csv": CSV}))).reports == (Report("day.csv", CSV),)


def test_fifty_files_in_a_zip_are_taken_and_fifty_one_are_not() -> None:
    files = {f"{number}.csv": b"a,%d" % number for number in range(51)}
    assert taken(attached("all.zip", "", zipped(files))) == Found((), (Trouble.ZIP_TOO_MANY,))
    del files["50.csv"]
    assert len(taken(attached("all.zip", "", zipped(files))).reports) == 50


def test_a_zip_bomb_is_stopped_by_what_it_unpacks_to_and_gives_nothing(monkeypatch) -> None:
    monkeypatch.setattr(attachments, "MOST_UNPACKED", 2 * MB)
    bomb = attached("bomb.zip", "", zipped({"small.csv": CSV, "big.csv": bytes(2 * MB)}))
    assert taken(bomb) == Found((), (Trouble.ZIP_TOO_LARGE,))
    half = attached("half.zip", "", zipped({"big.csv": bytes(MB + 1)}))
    other = attached("other.zip", "", zipped({"big.csv": b"x" * (MB + 1)}))
    found = taken(half, other)
    assert (len(found.reports), found.troubles) == (1, (Trouble.ZIP_TOO_LARGE,))


def test_what_a_zip_says_of_its_sizes_is_not_believed() -> None:
    """Sizes in both directories say 3 bytes; there are more."""
    true = zipped({"day.csv": CSV * 50})
    lie = true.replace(struct.pack("<L", len(CSV) * 50), struct.pack("<L", 3))
    assert lie != true
    found = taken(attached("all.zip", "", lie))
    assert found.troubles == (Trouble.BROKEN_ZIP,) or len(found.reports[0].content) == 3


def test_a_locked_zip_is_told() -> None:
    locked = bytearray(zipped({"day.csv": CSV}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        locked[locked.index(mark) + (6 if mark[2] == 3 else 8)] |= 1
    assert taken(attached("all.zip", "", bytes(locked))).troubles == (Trouble.BROKEN_ZIP,)


@given(noise=st.binary(max_size=60), at=st.integers(0, 150))
@settings(max_examples=150, deadline=None)
def test_no_zip_makes_taking_fail(noise, at) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("day.csv", CSV * 3)
    whole = out.getvalue()
    assert taken(attached("all.zip", "", whole[:at] + noise + whole[at + len(noise) :])) is not None


@given(content=st.binary(max_size=200))
def test_no_content_makes_looking_fail(content) -> None:
    assert looks_like_csv(content) in (True, False)


@pytest.mark.parametrize(
    ("name", "kind", "worth"),
    [
        ("day.csv", "", True),
        ("day", "text/csv", True),
        ("day.zip", "", True),
        ("day", "application/octet-stream", True),
        ("a.png", "image/png", False),
    ],
)
def test_only_what_may_be_a_report_is_worth_fetching(name, kind, worth) -> None:
    assert may_hold_csv(Attachment(name, kind, None, "https://s.example/1")) is worth
