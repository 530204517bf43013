"""R-11 … R-15: bytes become rows, whatever made the file."""

from __future__ import annotations

import codecs

import pytest

from changeover.sources.csv.read import (
    MAX_BYTES,
    MAX_ROWS,
    RawTable,
    WholeFile,
    clean,
    key,
    protect,
    read,
    recognise,
)

HEADER = "Reservation ID,Property Name,Checkin,Checkout,Tenant Name,Property Owner"
ROW = "7001,Casa,2026-03-12,2026-03-15,Zoë M.,O. Wner"


@pytest.fixture
def opened(forms):
    def open_(body: str | bytes) -> RawTable:
        return read(body.encode() if isinstance(body, str) else body, forms)

    return open_


def why(opened, body) -> str:
    with pytest.raises(WholeFile) as caught:
        opened(body)
    return caught.value.reason


@pytest.mark.parametrize(
    "raw",
    [
        f"{HEADER}\n{ROW}\n".encode(),
        codecs.BOM_UTF8 + f"{HEADER}\n{ROW}\n".encode(),
        f"{HEADER}\n{ROW}\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + f"{HEADER}\n{ROW}\n".encode("utf-16-be"),
        f"{HEADER}\n{ROW}\n".encode("cp1252"),
        f"{HEADER}\r\n{ROW}\r\n".encode(),
        f"{HEADER}\r{ROW}\r".encode(),
        f"{HEADER}\n{ROW}\n".replace(",", ";").encode(),
        f"{HEADER}\n{ROW}\n".replace(",", "\t").encode(),
        f"\n\n{HEADER}\n,,,,,\n\n{ROW}".encode(),
    ],
)
def test_v_40_encodings_delimiters_and_line_ends_do_not_matter(opened, raw) -> None:
    """V-40: short row, Latin-1, `;`: rejected or 0 rows (R-11, R-12)."""
    found = opened(raw)
    assert found.supplier.key == "csv_itrip"
    assert [row.cells for row in found.rows] == [tuple(ROW.split(","))]
    assert found.broken_at is None


def test_one_odd_byte_costs_its_cell_and_not_the_file(opened) -> None:
    found = opened(f"{HEADER}\n7001,Casa,2026-03-12,2026-03-15,Zo".encode() + b"\x81\xe9,O. Wner\n" + ROW.encode())
    assert len(found.rows) == 2
    assert found.rows[0].cells[:4] == ("7001", "Casa", "2026-03-12", "2026-03-15")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00",
        f"{HEADER}\n{ROW}\n".encode("utf-16-le"),
        f"{HEADER}\n{ROW}\0\n".encode(),
        HEADER.encode() + b"\n" + b"," * MAX_BYTES,
        f"{HEADER}\n".encode() + b"a\n" * (MAX_ROWS + 1),
    ],
)
def test_binary_and_oversized_files_are_unreadable(opened, raw) -> None:
    assert why(opened, raw) == "unreadable"


def test_twenty_thousand_rows_are_still_read(opened) -> None:
    assert len(opened(f"{HEADER}\n".encode() + b"a\n" * MAX_ROWS).rows) == MAX_ROWS


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n\n",
        "<html><body>Sign in</body></html>",
        "Reservation,Status,Check-In,Check-Out,Guest Name\n1,Booked,2026-03-12,2026-03-15,X\n",
        f"{HEADER},Checkin\n{ROW},2026-03-12\n",
        f"{HEADER.replace('Checkin', 'Checkin' + chr(34))}x",
        '"Reservation ID"x,Property Name,Checkin,Checkout,Tenant Name,Property Owner\n',
    ],
)
def test_v_42_a_file_that_fits_no_signature_is_nobodys(opened, forms, body) -> None:
    """V-42: any unknown CSV taken for Evolve (R-13)."""
    assert why(opened, body) == "unknown_headers"
    assert recognise(body.encode(), forms) is None


def test_a_header_that_fits_two_suppliers_is_nobodys(opened) -> None:
    both = f"{HEADER},Booking #,Listing #,Guest Name"
    assert why(opened, f"{both}\n") == "unknown_headers"


def test_order_further_columns_case_and_blanks_of_the_header_do_not_matter(opened) -> None:
    header = "extra,GUEST NAME,Check-Out,check-in ,Status,Property Owner,Property  Address, RESERVATION"
    assert opened(f"{header}\n").supplier.key == "csv_evolve_blocks"
    assert key("Check-In ") == "checkin"
    assert key("Booking #") == "booking"
    assert key("\ufeffBR/BA") == "brba"


@pytest.mark.parametrize(
    ("tail", "line"),
    [('"7002"x,Casa\n7003,Casa\n', 3), ('7002,"Casa\n7003,Casa', 3), (f'\n7002,"{"x" * 140_000}"\n', 4)],
)
def test_where_quoting_breaks_earlier_rows_stand_and_the_rest_is_one_piece(opened, tail, line) -> None:
    found = opened(f"{HEADER}\n{ROW}\n{tail}")
    assert len(found.rows) == 1
    assert found.broken_at == line
    assert found.rest == tail.lstrip("\n")


def test_a_row_is_found_at_the_line_where_it_begins(opened) -> None:
    found = opened(f'{HEADER}\n7001,"Ca\nsa",a,b,c,d\n\n{ROW}')
    assert [row.line for row in found.rows] == [2, 5]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("\xa0a\xa0b\xa0", "a b"),
        ("Towels &amp; linens&nbsp;&#39;x&#x27;", "Towels & linens 'x'"),
        ("a\r\nb\rc\n", "a\nb\nc"),
        ("AT&T &bogus; &note; Q&A", "AT&T &bogus; &note; Q&A"),
        ("\ufeff 7001 ", "7001"),
    ],
)
def test_a_cell_is_cleaned(cell, expected) -> None:
    assert clean(cell) == expected


@pytest.mark.parametrize("cell", ["=1+1", "+14805550111", "-x", "@x", "\tx", "\rx"])
def test_what_a_spreadsheet_would_take_for_a_formula_gets_an_apostrophe(cell) -> None:
    assert protect(cell) == f"'{cell}"
    assert protect(f" {cell}") == f" {cell}"


def test_a_file_of_set_aside_rows_is_read_as_the_rows_stood_in_their_report(opened) -> None:
    found = opened(
        f"{HEADER},line,reason\n"
        "7001,'=Casa,a,b,'c,d,12,unknown_property\n"
        "7002,Casa,a,b,c,,13,short_row\n"
        "7003,Casa,a,b,c,d,14,short_row\n"
        "7004,Casa,a,b,c,d,15,extra_cells,more\n"
        "7005,Casa,a,b,c,d\n"
        "7006,Casa,a,b,c,d,16\n"
        ",,,,,,17,unreadable\n"
    )
    assert found.returned
    assert found.header == tuple(HEADER.split(","))
    assert [row.cells for row in found.rows] == [
        ("7001", "=Casa", "a", "b", "'c", "d"),
        ("7002", "Casa", "a", "b", "c"),
        ("7003", "Casa", "a", "b", "c", "d"),
        ("7004", "Casa", "a", "b", "c", "d", "more"),
        ("7005", "Casa", "a", "b", "c", "d"),
        ("7006", "Casa", "a", "b", "c", "d"),
    ]
