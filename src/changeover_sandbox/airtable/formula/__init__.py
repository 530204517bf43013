"""Airtable's formula language: text in, a function of a row out; it reads no table."""

from changeover_sandbox.airtable.formula.evaluate import Formula, Row, Scope, compile_formula
from changeover_sandbox.airtable.formula.values import FormulaError, InvalidFormulaError, Value, as_text, truthy

__all__ = [
    "Formula",
    "FormulaError",
    "InvalidFormulaError",
    "Row",
    "Scope",
    "Value",
    "as_text",
    "compile_formula",
    "truthy",
]
