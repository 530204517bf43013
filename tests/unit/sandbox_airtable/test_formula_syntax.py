"""How formula text is read."""

import pytest

from changeover_sandbox.airtable.formula import InvalidFormulaError, compile_formula
from changeover_sandbox.airtable.formula.parse import Call, Literal, Reference, parse


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1", Literal(1)),
        ("-2.5", Literal(-2.5)),
        (".5", Literal(0.5)),
        ("1e-07", Literal(1e-07)),
        ("'it\\'s'", Literal("it's")),
        ('"a\\"b"', Literal('a"b')),
        ("'back\\\\slash'", Literal("back\\slash")),
        ("'two\\nlines'", Literal("two\nlines")),
        ("{Check-in Date}", Reference("Check-in Date")),
        ("{odd \\} name}", Reference("odd } name")),
        ("Name", Reference("Name")),
        ("Größe", Reference("Größe")),
        ("true()", Call("TRUE", ())),
        ("1+2*3", Call("+", (Literal(1), Call("*", (Literal(2), Literal(3)))))),
        ("1-2-3", Call("-", (Call("-", (Literal(1), Literal(2))), Literal(3)))),
        ("4/19", Call("/", (Literal(4), Literal(19)))),
        ("a&b=c", Call("=", (Call("&", (Reference("a"), Reference("b"))), Reference("c")))),
        ("(a=b)=c", Call("=", (Call("=", (Reference("a"), Reference("b"))), Reference("c")))),
        ("-a", Call("negate", (Reference("a"),))),
        ("-'a'", Call("negate", (Literal("a"),))),
        ("+a", Reference("a")),
        ("  OR( a ,\n b )  ", Call("OR", (Reference("a"), Reference("b")))),
    ],
)
def test_text_becomes_a_tree(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text", ["", "(", "1 2", "OR(", "OR(1,", "OR(1 2)", "{open", "'open", "a ? b", "= 1", ")", "1 +", "a <> b", "(1"]
)
def test_broken_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidFormulaError, match="Please check your formula text"):
        parse(text)


def test_nesting_without_end_is_refused_rather_than_fatal() -> None:
    with pytest.raises(InvalidFormulaError):
        parse("(" * 20_000 + "1" + ")" * 20_000)


class _NoFields:
    def field_id(self, name: str) -> str | None:
        return "fldOdd" if name == "Odd" else None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{Zed}=1", "Unknown field names: zed"),
        ("VLOOKUP('x')", "Unknown function names: VLOOKUP"),
        ("CHOOSE(1, 2)", "Unknown function names: CHOOSE"),
        ("negate(1)", "Unknown function names: NEGATE"),
        ("NOT()", "Invalid arguments for function NOT"),
        ("NOT(1, 2)", "Invalid arguments for function NOT"),
        ("LEN()", "Invalid arguments for function LEN"),
        ("IS_AFTER(1)", "Invalid arguments for function IS_AFTER"),
        ("LAST_MODIFIED_TIME('x')", "Invalid arguments for function LAST_MODIFIED_TIME"),
        ("LAST_MODIFIED_TIME({Zed})", "Unknown field names: zed"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidFormulaError, match=reason):
        compile_formula(text, _NoFields())


def test_a_chain_too_long_to_compile_is_refused_rather_than_fatal() -> None:
    with pytest.raises(InvalidFormulaError, match="too deep"):
        compile_formula("&".join(["{Odd}"] * 20_000), _NoFields())
