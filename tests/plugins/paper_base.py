"""A base on paper: keeps rows, sightings and holds, carries a plan out at once, and lets rules be tried over days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from changeover.core.plan import Plan, Verb
from changeover.core.reconcile import reconcile
from changeover.core.rest import at_rest, once_more
from changeover.core.stay import (
    Batch,
    Decision,
    Hold,
    Kind,
    Known,
    Observation,
    Rejected,
    Rules,
    Sighting,
    Source,
    Status,
    Stay,
    Window,
    WindowEdge,
)

PHOENIX = ZoneInfo("America/Phoenix")
CASA, LOFT = "recCASA0000000000", "recLOFT0000000000"
AIRBNB = Source("recFEEDairbnb0001", "https://feeds.example/airbnb", "Airbnb", "Casa on Airbnb")
BOOKING = Source("recFEEDbooking001", "https://feeds.example/booking", "Booking.com", "Casa on Booking")
VRBO = Source("recFEEDvrbo000001", "https://feeds.example/vrbo", "VRBO", "Casa on VRBO")
NOON = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)  # 12:00 in Phoenix
TODAY = date(2026, 3, 1)


def day(number: int) -> date:
    """March 1, 2026 plus a number of days."""
    return TODAY + timedelta(days=number)


def guest(uid: str, check_in: int, check_out: int, *, home: str = CASA, **more: object) -> Observation:
    values = {"kind": Kind.RESERVATION} | more
    return Observation(uid=uid, property_id=home, check_in=day(check_in), check_out=day(check_out), **values)  # type: ignore[arg-type]


def block(uid: str, check_in: int, check_out: int, **more: object) -> Observation:
    return guest(uid, check_in, check_out, **({"kind": Kind.BLOCK} | more))


@dataclass
class PaperBase:
    """Runs reconcile after reconcile, as the program would, four hours apart by default."""

    rules: Rules = field(default_factory=lambda: Rules(PHOENIX))
    now: datetime = NOON
    stays: dict[str, Stay] = field(default_factory=dict)
    history: list[Stay] = field(default_factory=list)
    tombstones: list[Stay] = field(default_factory=list)
    sightings: dict[tuple[str, str], Sighting] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    sources: dict[str, Source] = field(default_factory=lambda: {s.key: s for s in (AIRBNB, BOOKING, VRBO)})
    ids: Iterable[int] = field(default_factory=lambda: count(1))
    plans: list[Plan] = field(default_factory=list)

    def known(self) -> Known:
        return Known(
            stays=tuple(self.stays.values()),
            sightings=tuple(self.sightings.values()),
            tombstones=tuple(self.tombstones),
            holds=self.holds,
            sources=self.sources,
            property_names={CASA: "Casa", LOFT: "Loft"},
        )

    def batch(
        self,
        source: Source,
        *observations: Observation,
        home: str | None = CASA,
        fully_read: bool = True,
        retired: bool = False,
        rejected: tuple[Rejected, ...] = (),
    ) -> Batch:
        today = self.rules.today(self.now)
        window = Window(WindowEdge.CHECK_OUT, today, today + timedelta(days=365))
        return Batch(
            source=source,
            at=self.now,
            window=window,
            fully_read=fully_read,
            observations=observations,
            rejected=rejected,
            read=len(observations) + len(rejected),
            property_id=home,
            retired=retired,
        )

    def run(self, *batches: Batch, hours: float = 4) -> Plan:
        """One run; the clock then moves on."""
        known = self.known()
        plan = reconcile(known, batches, self.now, self.rules)
        self.carry_out(plan)
        if at_rest(plan, known, batches):
            self.finds_nothing_later_that_day(plan, batches)
        self.plans.append(plan)
        self.now += timedelta(hours=hours)
        return plan

    def finds_nothing_later_that_day(self, plan: Plan, batches: Iterable[Batch]) -> None:
        """What is taken for granted when a run is not made at all because nothing has changed since one at rest."""
        later = datetime.combine(self.rules.today(self.now), time(23, 59), self.rules.zone).astimezone(UTC)
        again = reconcile(self.known(), [replace(each, at=later) for each in batches], later, self.rules)
        assert again == once_more(plan, later)

    def feed(self, source: Source, *observations: Observation, hours: float = 4, home: str = CASA) -> Plan:
        return self.run(self.batch(source, *observations, home=home), hours=hours)

    def carry_out(self, plan: Plan) -> None:
        names: dict[str, str] = {}
        for change in plan.changes:
            stay = change.after
            if change.verb is Verb.NEW:
                names[stay.record_id] = f"rec{next(iter(self.ids)):014d}"
                stay = replace(stay, record_id=names[stay.record_id], created=self.now)
                self.tombstones = [each for each in self.tombstones if each.record_id != change.restores]
            if change.verb is Verb.MODIFY and change.before:
                self.history.append(replace(change.before, status=Status.OLD))
            self.stays[stay.record_id] = stay
            if stay.status is Status.OLD:
                self.history.append(self.stays.pop(stay.record_id))
        for key in plan.forgotten:
            self.sightings.pop(key, None)
        for step in plan.seen:
            for key, sighting in self.sightings.items():
                if (sighting.source, sighting.last_seen) == (step.source, step.before):
                    self.sightings[key] = replace(sighting, last_seen=step.at)
        for each in plan.sightings:
            record_id = names.get(each.record_id, each.record_id)
            self.sightings[each.source, record_id] = replace(each, record_id=record_id)
        self.holds = plan.holds

    # -- what people do ----------------------------------------------------------------------------------------------

    def edit(self, stay: Stay, **values: object) -> Stay:
        self.stays[stay.record_id] = replace(self.stays[stay.record_id], **values)  # type: ignore[arg-type]
        return self.stays[stay.record_id]

    def delete(self, stay: Stay) -> None:
        self.tombstones.append(self.stays.pop(stay.record_id))

    def decide(self, decision: Decision) -> None:
        self.holds = tuple(replace(each, decision=decision) for each in self.holds)

    def lose_the_state_database(self) -> None:
        self.sightings, self.holds = {}, ()
        self.stays = {
            key: replace(stay, wrote_service_type=None, wrote_block_type=None) for key, stay in self.stays.items()
        }

    def add_row(self, **values: object) -> Stay:
        number = next(iter(self.ids))
        base = Stay(
            record_id=f"rec{number:014d}",
            uid=f"row{number}_{CASA}",
            source=AIRBNB.key,
            url=AIRBNB.url,
            property_id=CASA,
            check_in=day(10),
            check_out=day(14),
            entry_type=Kind.RESERVATION.entry_type,
            status=Status.NEW,
            entry_source="Airbnb",
            created=self.now - timedelta(days=30) + timedelta(minutes=number),
            service_type="Turnover",
        )
        stay = replace(base, **values)  # type: ignore[arg-type]
        self.stays[stay.record_id] = stay
        return stay

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def live(self) -> list[Stay]:
        return sorted((s for s in self.stays.values() if s.live), key=lambda s: (s.check_in, s.check_out, s.uid))

    @property
    def only(self) -> Stay:
        (stay,) = self.live
        return stay

    def nights(self) -> list[tuple[int, int]]:
        return [((s.check_in - TODAY).days, (s.check_out - TODAY).days) for s in self.live]
