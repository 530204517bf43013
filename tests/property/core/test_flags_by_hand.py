"""The flags of a timeline against the rules written out by hand, pair by pair (R-83 … R-88); slow and plainly right."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from changeover.core.stay import BlockType, EntryType, Rules, Status, Stay
from changeover.core.turnover import OWNER_NEXT_LINE, with_flags
from plugins.paper_base import PHOENIX, PaperBase, day
from plugins.property_depth import DEPTH

RULES = Rules(PHOENIX)
GUEST = EntryType.RESERVATION


@st.composite
def timelines(draw: st.DrawFn) -> list[Stay]:
    base = PaperBase()
    for _ in range(draw(st.integers(0, 9))):
        first, length = draw(st.integers(-20, 12)), draw(st.integers(1, 16) | st.integers(1, 3))
        base.add_row(
            check_in=day(first),
            check_out=day(first + length),
            entry_type=draw(st.sampled_from([GUEST, GUEST, EntryType.BLOCK])),
            block_type=draw(st.sampled_from(list(BlockType))),
            status=draw(st.sampled_from([Status.NEW, Status.MODIFIED, Status.MODIFIED, Status.REMOVED, Status.OLD])),
            source=draw(st.sampled_from(["recFEED", "recFEED", None])),
            itrip_next_guest=draw(st.none() | st.builds(day, st.integers(-3, 14))),
            itrip_info=draw(st.sampled_from(["", "", "codes", f"codes\n  {OWNER_NEXT_LINE} \nmore"])),
            same_day=draw(st.booleans()),
            overlapping=draw(st.booleans()),
        )
    return list(base.stays.values())


def live_others(stay: Stay, timeline: list[Stay]) -> list[Stay]:
    return [other for other in timeline if other.status in ("New", "Modified") and other is not stay]


def following(stay: Stay, timeline: list[Stay]) -> Stay | None:
    """R-86; of the blocks of one day, first those that an owner may stand behind."""
    later = [other for other in live_others(stay, timeline) if other.check_in >= stay.check_out]
    return min(
        later, key=lambda other: (other.check_in, other.entry_type != "Reservation", nobody(other)), default=None
    )


def nobody(stay: Stay) -> bool:
    return stay.block_type in ("Maintenance", "Unavailable")


def owners_block(stay: Stay, timeline: list[Stay]) -> Stay | None:
    """R-85."""
    first = following(stay, timeline)
    if first is None or first.entry_type == "Reservation" or (first.check_in - stay.check_out).days > 1:
        return None
    return None if nobody(first) else first


def nights_of(stay: Stay) -> set[int]:
    return set(range(stay.check_in.toordinal(), stay.check_out.toordinal()))


def guests_who_overlap(stay: Stay, timeline: list[Stay]) -> bool:
    """R-87; the very same nights are one stay (R-51)."""
    return any(
        nights_of(stay) & nights_of(other) and nights_of(stay) != nights_of(other)
        for other in live_others(stay, timeline)
        if other.entry_type == "Reservation"
    )


def arrivals(stay: Stay, timeline: list[Stay]) -> list[date]:
    return [o.check_in for o in live_others(stay, timeline) if o.entry_type == "Reservation"]


@DEPTH
@given(timelines(), st.booleans())
def test_the_flags_are_what_the_rules_say(timeline: list[Stay], report_names_owner: bool) -> None:
    owner_next = {stay.record_id: report_names_owner for stay in timeline[:1]}
    today = day(0)
    flagged = with_flags(timeline, RULES, today, owner_next)
    expected = {s.record_id for s in timeline if s.live and s.source and s.check_out >= today}
    assert set(flagged) == expected
    for stay in timeline:
        if stay.record_id in expected:
            check(stay, flagged[stay.record_id], timeline, says_owner=owner_next.get(stay.record_id, False))


def check(stay: Stay, flagged: Stay, timeline: list[Stay], *, says_owner: bool) -> None:
    is_guest = stay.entry_type == "Reservation"
    block = owners_block(stay, timeline)
    by_report = says_owner or OWNER_NEXT_LINE in stay.itrip_info
    owner = is_guest and (block is not None or by_report)
    leaving = stay.check_out
    arriving = stay.itrip_next_guest == leaving or leaving in arrivals(stay, timeline)
    guests_after = [each for each in arrivals(stay, timeline) if each >= leaving]
    next_guest = stay.itrip_next_guest or (block.check_in if owner and block else min(guests_after, default=None))
    assert flagged.owner_arriving is owner
    assert flagged.same_day is (is_guest and arriving and not owner)
    assert flagged.overlapping is (is_guest and guests_who_overlap(stay, timeline))
    assert flagged.long_term is (is_guest and (leaving - stay.check_in).days >= 14)
    assert flagged.next_guest == next_guest
    assert flagged.final_service_time is not None
    assert flagged.final_service_time.hour == 17
    assert flagged.final_service_time.minute == (0 if flagged.owner_arriving or flagged.same_day else 15)


@DEPTH
@given(timelines())
def test_only_derived_fields_change_and_a_second_look_changes_none(timeline: list[Stay]) -> None:
    flagged = with_flags(timeline, RULES, day(0))
    again = with_flags([flagged.get(s.record_id, s) for s in timeline], RULES, day(0))
    assert again == flagged
    derived = {"same_day", "owner_arriving", "overlapping", "long_term", "next_guest", "final_service_time"}
    for stay in timeline:
        after = flagged.get(stay.record_id, stay)
        assert {n for n in Stay.__slots__ if getattr(after, n) != getattr(stay, n)} <= derived
