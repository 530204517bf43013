"""How the portal can be told to misbehave; it decides when, the pages and exports do it.

| Mode | What a person would see |
|---|---|
| `wrong-tab` | Export downloads the other table |
| `stale-filter` | Apply Filter loads the table again and leaves every row in it, and in the export |
| `half-file` | the download breaks off in the middle; `value` seconds are waited before, with the half file there |
| `no-file` | Export does nothing |
| `late-file` | the export comes after `value` seconds |
| `changed-header` | the export's first two columns have other names |
| `html-file` | a `.csv` is downloaded that holds a sign-in page |
| `refused-sign-in` | right credentials are refused like wrong ones |
| `never-loading` | the spinner of a table never ends |
| `changed-page` | the buttons are called something else |
| `slow` | every page and answer takes `value` seconds |
| `signed-out` | the session ends as soon as a table is asked for |
"""

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Mode(StrEnum):
    """The ways to misbehave."""

    WRONG_TAB = "wrong-tab"
    STALE_FILTER = "stale-filter"
    HALF_FILE = "half-file"
    NO_FILE = "no-file"
    LATE_FILE = "late-file"
    CHANGED_HEADER = "changed-header"
    HTML_FILE = "html-file"
    REFUSED_SIGN_IN = "refused-sign-in"
    NEVER_LOADING = "never-loading"
    CHANGED_PAGE = "changed-page"
    SLOW = "slow"
    SIGNED_OUT = "signed-out"


class Order(BaseModel):
    """`POST /_sandbox/misbehaviour`. `tab` None: both; `times` None: until it is cleared; `value`: seconds."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode
    tab: int | None = Field(default=None, ge=1, le=2)
    times: int | None = Field(default=None, ge=1)
    value: float = Field(default=0.0, ge=0, le=600)


@dataclass(slots=True)
class Misbehaviour:
    """The orders that stand."""

    orders: list[Order] = field(default_factory=list)

    def take(self, mode: Mode, tab: int | None = None) -> Order | None:
        """The first order of this mode that concerns the tab, used up by one."""
        for order in self.orders:
            if order.mode is mode and order.tab in {None, tab}:
                if order.times is not None:
                    order.times -= 1
                    if order.times == 0:
                        self.orders.remove(order)
                return order
        return None

    def seconds(self, mode: Mode, tab: int | None = None) -> float:
        """The seconds of an order of this mode, 0 where there is none."""
        order = self.take(mode, tab)
        return 0.0 if order is None else order.value
