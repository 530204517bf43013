"""R-30 … R-34: which home a row is about."""

from __future__ import annotations

import pytest

from changeover.sources.csv.properties import AddressBook, Home, Override, PropertyDirectory, listing_number
from changeover.sources.csv.rows import BadRow

AVE = "12 E Example Ave, Mesa, AZ 85203"
NO_BOOK = AddressBook({})


def refused(look, *arguments) -> tuple[str, str]:
    with pytest.raises(BadRow) as caught:
        look(*arguments)
    return str(caught.value.reason), caught.value.note


def homes(*names: str) -> PropertyDirectory:
    return PropertyDirectory(Home(f"rec{n}", name) for n, name in enumerate(names, 1))


def test_a_home_is_found_by_its_exact_name_before_any_likeness() -> None:
    directory = homes("Casa Linda", "casa linda", "Loft")
    assert directory.of_report("Casa Linda", "") == "rec1"
    assert directory.of_report("casa linda", "") == "rec2"
    assert refused(directory.of_report, "CASA LINDA", "")[0] == "ambiguous_property"


def test_a_home_is_found_without_case_punctuation_and_runs_of_blanks() -> None:
    directory = homes("Palo Verde Cabin #40000003  Unit B", "Palo Verde Cabin #40000004  Unit B")
    assert directory.of_report("palo verde cabin 40000003 unit-b", "") == "rec1"


def test_two_homes_of_one_name_are_never_chosen_between() -> None:
    assert refused(homes("Loft", "Loft").of_report, "Loft", "") == ("ambiguous_property", "Loft; Loft")


def test_an_unknown_name_names_near_homes_and_links_none() -> None:
    directory = homes("Saguaro Loft #40000001", "Saguaro Loft #40000009", "Cholla Bungalow #40000004")
    assert refused(directory.of_report, "Saguaro Lofft #40000001", "") == ("unknown_property", "Saguaro Loft #40000001")
    assert refused(directory.of_report, "Elsewhere", "") == ("unknown_property", "")
    assert refused(directory.of_report, "", "") == ("unknown_property", "")


def test_a_near_home_has_no_other_house_number_unit_or_zip() -> None:
    directory = PropertyDirectory(
        [
            Home("rec1", "Qu [] 77 N Palo Verde Ln Mesa"),
            Home("rec2", "Heron", address="79 N Palo Verde Ln Unit 2, Mesa, AZ 85204"),
        ]
    )
    at_77, at_79 = "77 N Palo Verde Ln, Mesa, AZ 85204", "79 N Palo Verde Ln Unit 2 Mesa AZ 85204 USA "
    assert refused(directory.of_address, at_77, "", NO_BOOK) == ("unknown_property", "Qu [] 77 N Palo Verde Ln Mesa")
    assert directory.of_address(at_79, "", NO_BOOK) == "rec2"
    other_unit = "79 N Palo Verde Ln Unit 3, Mesa, AZ 85204"
    assert refused(directory.of_address, other_unit, "", NO_BOOK) == ("unknown_property", "")


def test_only_the_first_few_near_homes_are_named() -> None:
    directory = homes(*(f"Saguaro Loft {word}" for word in ("East", "West", "North", "South", "Main")))
    reason, note = refused(directory.of_report, "Saguaro Loft", "")
    assert reason == "unknown_property"
    assert note == "Saguaro Loft East; Saguaro Loft Main; Saguaro Loft North +2"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Ocotillo House #510020", "510020"),
        ("Unit #5", ""),
        ("Ocotillo #4000 #510020", "510020"),
        ("Ocotillo #510019 #510020", "510020"),
        ("Ocotillo #510020 Unit #5", "510020"),
        ("Ocotillo # 510020", ""),
        ("Saguaro Loft #40000001  Unit B", "40000001"),
        ("#", ""),
    ],
)
def test_a_listing_number_is_the_long_number_after_the_last_sign(name, number) -> None:
    assert listing_number(name) == number


def test_a_listing_on_two_homes_is_ambiguous_and_one_on_none_is_unknown() -> None:
    directory = homes("Ocotillo #510020", "Annex #510020", "Unit #5")
    assert refused(directory.of_listing, "510020", AVE)[0] == "ambiguous_property"
    assert refused(directory.of_listing, "5", "")[0] == "unknown_property"
    assert refused(directory.of_listing, "", "")[0] == "unknown_property"


def evolve(**addresses: str) -> PropertyDirectory:
    return PropertyDirectory(
        [
            Home("recA", "Ocotillo #510020", "Iris Vandermeer", addresses.get("a", "")),
            Home("recB", "Agave #510021", "Iris Vandermeer", addresses.get("b", "")),
            Home("recC", "Ironwood #510034", "Gideon Hartwell"),
            Home("recD", "No listing", "Gideon Hartwell"),
        ]
    )


def test_an_owners_row_is_placed_by_the_address_tab_1_showed_for_a_listing() -> None:
    book = AddressBook({"510021": frozenset({"12 East Example Avenue, Mesa AZ 85203"})}, [("510034", "")])
    assert evolve(a=AVE).of_address(AVE, "Gideon Hartwell", book) == "recB"


def test_then_by_the_address_of_the_home() -> None:
    assert evolve(a=AVE).of_address(AVE, "Gideon Hartwell", NO_BOOK) == "recA"


def test_then_by_the_one_home_with_a_listing_of_that_owner() -> None:
    assert evolve().of_address(AVE, "gideon q. hartwell", NO_BOOK) == "recC"


def test_the_first_way_that_gives_exactly_one_counts() -> None:
    both = AddressBook({"510020": frozenset({AVE}), "510021": frozenset({AVE})})
    assert evolve(b=AVE).of_address(AVE, "Iris Vandermeer", both) == "recB"
    assert refused(evolve().of_address, AVE, "Iris Vandermeer", both) == (
        "ambiguous_property",
        "Agave #510021; Ocotillo #510020",
    )
    assert refused(evolve().of_address, AVE, "Nobody", NO_BOOK)[0] == "unknown_property"
    assert refused(evolve().of_address, "", "", NO_BOOK)[0] == "unknown_property"


def overridden(*overrides: Override) -> PropertyDirectory:
    return PropertyDirectory([Home("recA", "Casa"), Home("recB", "Loft"), Home("recC", "Barn")], overrides)


def test_an_override_moves_the_rows_of_an_owner_at_a_home() -> None:
    directory = overridden(Override("recO1", "fen WICK", frozenset({"recA"}), "recB"))
    assert directory.of_report("Casa", "Marlow Fen  Wick") == "recB"
    assert directory.of_report("Casa", "Wren Halloway") == "recA"
    assert directory.of_report("Barn", "Marlow Fen Wick") == "recC"
    assert directory.of_report("Casa", "") == "recA"


def test_an_override_without_original_property_means_any() -> None:
    directory = overridden(Override("recO1", "Fenwick", frozenset(), "recB"))
    assert directory.of_report("Barn", "Fenwick") == "recB"
    assert directory.of_report("A home nobody knows", "Fenwick") == "recB"


def test_the_longest_pattern_wins_then_the_lower_record_id() -> None:
    directory = overridden(
        Override("recO3", "Fen", frozenset(), "recA"),
        Override("recO2", "Fenwick", frozenset(), "recC"),
        Override("recO1", "Marlow ", frozenset(), "recB"),
        Override("recO0", "Fenwick", frozenset({"recB"}), "recA"),
    )
    assert directory.of_report("Casa", "Marlow Fenwick") == "recC"
    assert directory.of_report("Loft", "Marlow Fenwick") == "recA"


def test_an_override_without_pattern_or_target_does_nothing() -> None:
    directory = overridden(Override("recO1", " ", frozenset(), "recB"), Override("recO2", "Fenwick", frozenset(), ""))
    assert directory.of_report("Casa", "Fenwick") == "recA"
