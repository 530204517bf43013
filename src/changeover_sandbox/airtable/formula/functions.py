"""All functions of formulas that look only at their arguments, by name; none is written here."""

from typing import Final

from changeover_sandbox.airtable.formula.arithmetic import ARITHMETIC
from changeover_sandbox.airtable.formula.operators import OPERATORS
from changeover_sandbox.airtable.formula.signature import Functions
from changeover_sandbox.airtable.formula.texts import TEXTS
from changeover_sandbox.airtable.formula.times import TIMES

FUNCTIONS: Final[Functions] = {**OPERATORS, **ARITHMETIC, **TEXTS, **TIMES}
