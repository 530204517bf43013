"""Formula text to syntax tree; it never evaluates anything."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from changeover_sandbox.airtable.formula.values import InvalidFormulaError

SYNTAX_ERROR: Final = "Invalid formula. Please check your formula text."


class TokenKind(StrEnum):
    """What a piece of formula text is."""

    NUMBER = "number"
    TEXT = "text"
    FIELD = "field"
    NAME = "name"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of formula text, quotes, braces and escapes already resolved."""

    kind: TokenKind
    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a text."""

    value: int | float | str


@dataclass(frozen=True, slots=True)
class Reference:
    """A field by name or id."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator; both take their arguments alike."""

    name: str
    arguments: "tuple[Node, ...]"


Node: TypeAlias = Literal | Reference | Call

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<field>\{(?:\\\}|[^}])*\})
    | (?P<name>[^\W\d]\w*)
    | (?P<mark>!=|<=|>=|[=<>&+\-*/(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def tokenize(text: str) -> list[Token]:
    """Cut formula text into tokens, the END token last; raises InvalidFormulaError."""
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise InvalidFormulaError(SYNTAX_ERROR)
        kind = TokenKind(match.lastgroup)
        tokens.append(Token(kind, _resolve(kind, match[match.lastgroup])))
        position = match.end()
    tokens.append(Token(TokenKind.END, ""))
    return tokens


def _resolve(kind: TokenKind, raw: str) -> str:
    if kind is TokenKind.TEXT:
        return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), raw[1:-1])
    if kind is TokenKind.FIELD:
        return raw[1:-1].replace(r"\}", "}")
    return raw


COMPARISONS: Final = frozenset({"=", "!=", "<", ">", "<=", ">="})
# Loosest first; every level is left-associative, as in a spreadsheet.
_LEVELS: Final = (COMPARISONS, frozenset({"&"}), frozenset({"+", "-"}), frozenset({"*", "/"}))


def parse(text: str) -> Node:
    """The syntax tree of a formula; raises InvalidFormulaError."""
    parser = _Parser(tokenize(text))
    try:
        node = parser.expression(0)
    except RecursionError as exc:
        raise InvalidFormulaError(SYNTAX_ERROR) from exc
    if parser.peek().kind is not TokenKind.END:
        raise InvalidFormulaError(SYNTAX_ERROR)
    return node


class _Parser:
    """Recursive descent over the tokens, one method per kind of phrase."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _skip(self, mark: str) -> bool:
        if self.peek() == Token(TokenKind.MARK, mark):
            self._at += 1
            return True
        return False

    def expression(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self.expression(level + 1)
        while self.peek().kind is TokenKind.MARK and self.peek().text in _LEVELS[level]:
            operator = self._next().text
            node = Call(operator, (node, self.expression(level + 1)))
        return node

    def _unary(self) -> Node:
        if self._skip("-"):
            operand = self._unary()
            if isinstance(operand, Literal) and not isinstance(operand.value, str):
                return Literal(-operand.value)
            return Call("negate", (operand,))
        if self._skip("+"):
            return self._unary()
        return self._atom()

    def _atom(self) -> Node:
        token = self.peek()
        if token.kind is TokenKind.END:
            raise InvalidFormulaError(SYNTAX_ERROR)
        self._at += 1
        match token.kind:
            case TokenKind.NUMBER:
                return Literal(int(token.text) if token.text.isdigit() else float(token.text))
            case TokenKind.TEXT:
                return Literal(token.text)
            case TokenKind.FIELD:
                return Reference(token.text)
            case TokenKind.NAME:
                return Call(token.text.upper(), self._arguments()) if self._skip("(") else Reference(token.text)
        if token.text != "(":
            raise InvalidFormulaError(SYNTAX_ERROR)
        node = self.expression(0)
        self._expect(")")
        return node

    def _arguments(self) -> tuple[Node, ...]:
        if self._skip(")"):
            return ()
        arguments = [self.expression(0)]
        while self._skip(","):
            arguments.append(self.expression(0))
        self._expect(")")
        return tuple(arguments)

    def _expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise InvalidFormulaError(SYNTAX_ERROR)
