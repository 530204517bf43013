"""R-33, LB-31: addresses are equal in number, street, unit and ZIP."""

from __future__ import annotations

import pytest

from changeover.sources.csv.addresses import Numbers, address, numbers

UNIT_3 = "450 W Sampleton Rd Unit 3, Mesa, AZ 85210"


@pytest.mark.parametrize(
    "text",
    [
        "450 West Sampleton Road #3, Mesa, Arizona 85210",
        "450 W. Sampleton Rd., Apt 3, Mesa AZ 85210-1234",
        "450 w sampleton rd  ste 3, Tempe, AZ 85210",
        "450 W Sampleton Rd Unit 3, Mesa, AZ 85210, USA",
    ],
)
def test_one_address_in_many_spellings_is_one(text) -> None:
    assert address(text) == address(UNIT_3)


@pytest.mark.parametrize(
    "text",
    [
        "452 W Sampleton Rd Unit 3, Mesa, AZ 85210",
        "450 E Sampleton Rd Unit 3, Mesa, AZ 85210",
        "450 W Sampleton Rd Unit 4, Mesa, AZ 85210",
        "450 W Sampleton Rd, Mesa, AZ 85210",
        "450 W Sampleton Rd Unit 3, Mesa, AZ 85211",
        "450 W Sampleton Rd Unit 3, Mesa, AZ",
        "450 W Sampleton Ct Unit 3, Mesa, AZ 85210",
    ],
)
def test_another_number_street_unit_or_zip_is_another_address(text) -> None:
    assert address(text) != address(UNIT_3)


def test_what_is_no_address_is_equal_only_as_it_stands() -> None:
    assert address("PO Box 5, Mesa AZ 85203") == address("po box 5  mesa az 85203")
    assert address("Quill House") != address("Quill Barn")
    assert address("///") == address("///")
    assert address("  ") is None


def test_the_numbers_of_a_home_are_told_from_its_listing_number() -> None:
    assert numbers("450 W Sampleton Rd Unit 3b, Mesa, AZ 85210-0001") == Numbers("450", "3B", "85210")
    assert numbers("Quill [] 77 N Palo Verde Ln Mesa") == Numbers("77", "", "")
    assert numbers("Saguaro Loft #40000001") == Numbers()


def test_numbers_contradict_only_where_both_have_them() -> None:
    assert Numbers("450", "3", "").contradict(Numbers("450", "4", ""))
    assert not Numbers("450", "3", "").contradict(Numbers("450", "", "85210"))
