"""The functions that a client needs most, one table of examples each."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from changeover_sandbox.airtable.formula import FormulaError, Value

Evaluate = Callable[..., Value]
MARCH_4 = date(2026, 3, 4)
NOON = datetime(2026, 3, 4, 12, 34, 56, 789_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("AND(1, 'x')", True),
        ("AND(1, 0)", False),
        ("OR(0, '')", False),
        ("OR(0, 2)", True),
        ("OR({n}='a', {n}='b')", False),
        ("OR({t}='x', {t}='Tidy', 0)", True),
        ("OR({n}='5', {n}='6')", True),
        ("XOR(1, 1)", False),
        ("XOR(1, 1, 1)", True),
        ("NOT('')", True),
        ("IF({n}=5, 'five', 'other')", "five"),
        ("IF({n}=6, 'six')", None),
        ("SWITCH({t}, 'Tidy', 1, 'Dirty', 2, 3)", 1),
        ("SWITCH({t}, 'Dirty', 2, 3)", 3),
        ("SWITCH({t}, 'Dirty', 2)", None),
        ("ISERROR(VALUE('none'))", True),
        ("ISERROR({n})", False),
        ("TRUE()", True),
        ("FALSE()", False),
        ("1+2*3-4/2", 5.0),
        ("2 & 'x' & {missing}", "2x"),
        ("1/0", math.inf),
        ("-1/0", -math.inf),
        ("-{n}", -5),
    ],
)
def test_logic_and_arithmetic(evaluate: Evaluate, formula: str, result: Value) -> None:
    assert evaluate(formula, {"n": 5, "t": "Tidy", "missing": None}) == result


def test_nothing_over_nothing_is_no_number(evaluate: Evaluate) -> None:
    assert math.isnan(evaluate("0/0"))


def test_an_error_after_the_decision_does_not_matter(evaluate: Evaluate) -> None:
    assert evaluate("OR({n}>1, VALUE('none'))", {"n": 5}) is True


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("FIND('d', {t})", 3),
        ("FIND('D', {t})", 0),
        ("FIND('a', 'banana', 3)", 4),
        ("SEARCH('TIDY', {t})", 1),
        ("SEARCH('z', {t})", None),
        ("LOWER({t})", "tidy up"),
        ("UPPER({t})", "TIDY UP"),
        ("TRIM('  x ')", "x"),
        ("LEN({t})", 7),
        ("LEFT({t}, 4)", "Tidy"),
        ("RIGHT({t}, 2)", "up"),
        ("RIGHT({t}, 0)", ""),
        ("RIGHT({t}, 99)", "Tidy up"),
        ("MID({t}, 2, 3)", "idy"),
        ("SUBSTITUTE('a-b-c', '-', '+')", "a+b+c"),
        ("SUBSTITUTE('a-b-c', '-', '+', 2)", "a-b+c"),
        ("SUBSTITUTE('a-b-c', '-', '+', 9)", "a-b-c"),
        ("SUBSTITUTE('abc', '', '+')", "abc"),
        ("CONCATENATE('a', 1, {t})", "a1Tidy up"),
        ("ARRAYJOIN({links})", "Home 1, Home 2"),
        ("ARRAYJOIN({links}, ' + ')", "Home 1 + Home 2"),
        ("ARRAYJOIN({t}, '')", "Tidy up"),
        ("VALUE('$1,200.50')", 1200.5),
        ("VALUE('12 nights')", 12),
        ("VALUE(7)", 7),
        ("T({t})", "Tidy up"),
        ("T(7)", None),
        ("REGEX_MATCH({t}, '^T.*p$')", True),
        ("REGEX_MATCH({t}, '[0-9]')", False),
    ],
)
def test_text(evaluate: Evaluate, formula: str, result: Value) -> None:
    assert evaluate(formula, {"t": "Tidy up", "links": ["Home 1", "Home 2"]}) == result


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("DATETIME_PARSE('2026-03-04')", datetime(2026, 3, 4, tzinfo=UTC)),
        ("DATETIME_PARSE('2026-03-04T12:34:56.789Z')", NOON),
        ("DATETIME_PARSE('2026-03-04T05:34:56.789-0700')", NOON),
        ("DATETIME_PARSE('2026-03-04 12:34')", datetime(2026, 3, 4, 12, 34, tzinfo=UTC)),
        ("DATETIME_PARSE({day})", datetime(2026, 3, 4, tzinfo=UTC)),
        ("DATETIME_PARSE({none})", None),
        ("DATETIME_PARSE('4 Mar 2026 5:06 pm', 'D MMM YYYY h:mm a')", datetime(2026, 3, 4, 17, 6, tzinfo=UTC)),
        ("DATETIME_PARSE('03/04/26', 'MM/DD/YY', 'en')", datetime(2026, 3, 4, tzinfo=UTC)),
        ("DATETIME_PARSE('2026-03-04 08 +02:00', 'YYYY-MM-DD HH Z')", datetime(2026, 3, 4, 6, tzinfo=UTC)),
        ("DATETIME_PARSE('at 2026', '[at] YYYY')", datetime(2026, 1, 1, tzinfo=UTC)),
        ("DATETIME_FORMAT({noon}, 'YYYY-MM-DD HH:mm:ss.SSS')", "2026-03-04 12:34:56.789"),
        ("DATETIME_FORMAT({noon}, 'dddd, MMMM Do YYYY [at] h:mm A')", "Wednesday, March 4th 2026 at 12:34 PM"),
        ("DATETIME_FORMAT({noon}, 'ddd MMM D YY H hh m s a ZZ')", "Wed Mar 4 26 12 12 34 56 pm +0000"),
        ("DATETIME_FORMAT({noon}, 'M/DD X x L LL')", "3/04 1772627696 1772627696789 03/04/2026 March 4, 2026"),
        ("DATETIME_FORMAT({noon})", "2026-03-04T12:34:56+00:00"),
        ("DATETIME_FORMAT({none})", None),
        ("DATESTR({noon})", "2026-03-04"),
        ("DATESTR({none})", None),
        ("DATEADD({day}, 1, 'days')", date(2026, 3, 5)),
        ("DATEADD({day}, -1, 'M')", date(2026, 2, 4)),
        ("DATEADD({day}, 90, 'm')", datetime(2026, 3, 4, 1, 30, tzinfo=UTC)),
        ("DATEADD('2026-01-31', 1, 'month')", datetime(2026, 2, 28, tzinfo=UTC)),
        ("DATEADD({day}, 2, 'quarters')", date(2026, 9, 4)),
        ("DATEADD({day}, 1, 'y')", date(2027, 3, 4)),
        ("DATETIME_DIFF({noon}, {day}, 'hours')", 12),
        ("DATETIME_DIFF({noon}, {day})", 45296),
        ("DATETIME_DIFF('2026-03-04', '2026-05-03', 'months')", -1),
        ("DATETIME_DIFF('2028-03-04', '2026-03-05', 'years')", 1),
        ("IS_BEFORE({day}, {noon})", True),
        ("IS_AFTER({noon}, '2026-03-04')", True),
        ("IS_AFTER({none}, {noon})", False),
        ("IS_BEFORE({noon}, {none})", False),
        ("IS_SAME({day}, {noon})", False),
        ("IS_SAME({noon}, '2026-03-04T12:34:56.789Z', 'exact')", True),
        ("IS_SAME({day}, {noon}, 'day')", True),
        ("IS_SAME({none}, {noon}, 'day')", False),
        ("IS_SAME({none}, BLANK())", True),
        ("IS_SAME('2026-03-01', {noon}, 'week')", True),
        ("IS_SAME('2026-01-31', {noon}, 'quarter')", True),
        ("IS_SAME('2025-12-31', {noon}, 'year')", False),
        ("IS_SAME('2026-03-31', {noon}, 'month')", True),
        ("IS_SAME('2026-03-04T12:59:00Z', {noon}, 'hour')", True),
        ("IS_SAME('2026-03-04T12:34:00Z', {noon}, 'minute')", True),
        ("IS_SAME('2026-03-04T12:34:56Z', {noon}, 'second')", True),
        ("IS_SAME('2026-03-04T12:34:56Z', {noon}, 'ms')", False),
        ("IS_SAME({day}, TODAY(), 'day')", True),
        ("TODAY()", date(2026, 3, 4)),
        ("NOW()", datetime(2026, 3, 4, 23, 30, tzinfo=UTC)),
    ],
)
def test_dates(evaluate: Evaluate, formula: str, result: Value) -> None:
    assert evaluate(formula, {"day": MARCH_4, "noon": NOON, "none": None}) == result


@pytest.mark.parametrize(
    "formula",
    [
        "VALUE('none')",
        "VALUE('1-2')",
        "LEFT('x', -1)",
        "REGEX_MATCH('x', '[')",
        "DATETIME_PARSE('soon')",
        "DATETIME_PARSE('2026-13-01')",
        "DATETIME_PARSE('2026-03-04T12:00:00+99:99')",
        "DATETIME_PARSE('4 Mac 2026', 'D MMM YYYY')",
        "DATETIME_PARSE('x', 'YYYY')",
        "DATETIME_PARSE('12', 'HH')",
        "DATETIME_PARSE('1 2', 'M M')",
        "DATETIME_PARSE('2026', 'YYYY', 'tlh')",
        "DATEADD({none}, 1, 'days')",
        "DATEADD('2026-03-04', 1, 'moons')",
        "DATEADD('2026-03-04', 999999, 'years')",
        "DATETIME_DIFF({none}, '2026-03-04', 'days')",
        "IS_BEFORE(1, '2026-03-04')",
    ],
)
def test_what_has_no_value_is_an_error(evaluate: Evaluate, formula: str) -> None:
    with pytest.raises(FormulaError):
        evaluate(formula, {"none": None})


def test_a_row_tells_its_id_and_its_times(evaluate: Evaluate) -> None:
    cells: dict[str, Value] = {"a": 1, "b": 2}
    edits = {"a": datetime(2026, 3, 2, tzinfo=UTC), "b": datetime(2026, 3, 3, tzinfo=UTC)}
    assert evaluate("RECORD_ID()") == "recPaperRow000001"
    assert evaluate("CREATED_TIME()") == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert evaluate("LAST_MODIFIED_TIME()", cells, edits) == edits["b"]
    assert evaluate("LAST_MODIFIED_TIME({a})", cells, edits) == edits["a"]
    assert evaluate("LAST_MODIFIED_TIME()", cells) == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_ids_listed_in_an_or_find_their_row(evaluate: Evaluate) -> None:
    ids = [f"recOther{number:09d}" for number in range(300)]
    tests = ", ".join(f"RECORD_ID()='{one}'" for one in [*ids, "recPaperRow000001"])
    assert evaluate(f"OR({tests})") is True
    assert evaluate(f"OR({tests.replace('recPaper', 'recOther')})") is False
