"""R-24, R-31: when two names are the same."""

from __future__ import annotations

import pytest

from changeover.sources.csv.names import home_forms, same_person


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Iris Vandermeer", "IRIS  vandermeer"),
        ("Iris Vandermeer", "Iris M. Vandermeer"),
        ("Iris Vandermeer", "Iris M Q Vandermeer"),
        ("J. R. Smith", "J.R. Smith"),
        ("Pat O'Brien", "Pat OBrien"),
        ("Pat O’Brien", "pat o'brien"),
        ("Anne-Marie Poole", "Anne Marie Poole"),
        ("Zoë Marsh", "Zoe\u0308 Marsh"),
        ("Marlow Fenwick ", " Marlow Fenwick."),
    ],
)
def test_names_are_equal_without_case_punctuation_and_middle_initials(one, other) -> None:
    assert same_person(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""),
        ("-", "."),
        ("", "Iris Vandermeer"),
        ("Iris V.", "Iris Vandermeer"),
        ("I. Vandermeer", "Iris Vandermeer"),
        ("Jo McClean", "Jo Clean"),
        ("Iris Vandermeer", "Iris Maria Vandermeer"),
        ("Pat Block", "Block"),
    ],
)
def test_other_names_are_other_people_and_nobody_is_nobody(one, other) -> None:
    assert not same_person(one, other)


def test_homes_are_equal_without_case_punctuation_and_runs_of_blanks() -> None:
    assert home_forms("Palo Verde Cabin #40000003  Unit B") & home_forms("PALO VERDE CABIN 40000003 unit-B")
    assert home_forms("Casa Linda") & home_forms("Casa-Linda")
    assert home_forms("CasaLinda") & home_forms("Casa-Linda")
    assert not home_forms("Loft 1") & home_forms("Loft 2")
    assert home_forms("[]") == frozenset()
