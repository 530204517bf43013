"""One row in work while a plan is made: as it was, as it is to be, and what each source shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from changeover.core.stay import Report, Sighting, Stay


@dataclass(slots=True, eq=False)
class Draft:
    """One row in work. `before` is None while it is new; `sightings` are by source key."""

    before: Stay | None
    after: Stay
    sightings: dict[str, Sighting] = field(default_factory=dict)
    report: Report | None = None  # what a report said of it in this run
    rolled: bool = False  # its open end was moved in place, which is no change (P-34)
    restores: str | None = None
    dropped: bool = False  # a row that was going to be made and is not

    @property
    def own(self) -> Sighting | None:
        return self.sightings.get(self.after.source or "")

    @property
    def live(self) -> bool:
        return not self.dropped and self.after.live

    @property
    def nights(self) -> tuple[date, date]:
        return self.after.check_in, self.after.check_out

    @property
    def moved_house(self) -> bool:
        return self.before is not None and self.before.property_id != self.after.property_id

    def shares_a_night(self, check_in: date, check_out: date) -> bool:
        return self.after.check_in < check_out and check_in < self.after.check_out

    def hear(self, report: Report | None) -> None:
        """The newest report's text and next guest, in place, also where the report is only a mirror (R-27)."""
        if report is None:
            return
        self.report = report
        self.after = replace(
            self.after,
            itrip_info=self.after.itrip_info if report.info is None else report.info,
            itrip_next_guest=report.next_guest if report.says_next_guest else self.after.itrip_next_guest,
        )
