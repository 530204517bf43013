from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from changeover.core.recollection import Key, Seen, to_store
from changeover.core.stay import Kind, Sighting
from plugins.paper_base import AIRBNB, NOON, VRBO, day
from plugins.property_depth import DEPTH

BEFORE, NOW = NOON, NOON + timedelta(hours=4)
SIGHTING = Sighting(AIRBNB.key, "rec1", ("u1",), day(1), day(4), Kind.RESERVATION, "Airbnb", last_seen=BEFORE)

moments = st.sampled_from([None, BEFORE - timedelta(hours=4), BEFORE, NOW])
sightings = st.builds(
    replace,
    st.just(SIGHTING),
    source=st.sampled_from([AIRBNB.key, VRBO.key]),
    record_id=st.sampled_from(["rec1", "rec2", "rec3", "rec4"]),
    misses=st.sampled_from([0, 0, 0, 1]),
    last_seen=moments,
)


def by_key(*found: Sighting) -> dict[Key, Sighting]:
    return {(each.source, each.record_id): each for each in found}


def carried_out(
    known: dict[Key, Sighting], seen: tuple[Seen, ...], changed: tuple[Sighting, ...]
) -> dict[Key, Sighting]:
    found = dict(known)
    for step in seen:
        for key, each in found.items():
            if (each.source, each.last_seen) == (step.source, step.before):
                found[key] = replace(each, last_seen=step.at)
    return found | by_key(*changed)


def test_a_calendar_that_shows_all_its_stays_again_is_one_word() -> None:
    known = [replace(SIGHTING, record_id=f"rec{n}") for n in range(40)]
    now = [replace(each, last_seen=NOW) for each in known]
    assert to_store(by_key(*known), by_key(*now), ()) == ((Seen(AIRBNB.key, BEFORE, NOW),), ())


def test_what_was_not_seen_again_keeps_its_last_sight() -> None:
    known = [replace(SIGHTING, record_id=f"rec{n}") for n in range(4)]
    now = [*(replace(each, last_seen=NOW) for each in known[:3]), known[3]]
    assert to_store(by_key(*known), by_key(*now), ()) == ((Seen(AIRBNB.key, BEFORE, NOW),), (known[3],))


def test_of_a_source_whose_sightings_lie_under_another_key_each_is_stored() -> None:
    now = replace(SIGHTING, last_seen=NOW)
    assert to_store(by_key(SIGHTING), by_key(now), [AIRBNB.key]) == ((), (now,))


@DEPTH
@given(st.lists(sightings), st.lists(sightings))
def test_what_is_stored_makes_what_is_known_what_is_so_now(before: list[Sighting], after: list[Sighting]) -> None:
    known = by_key(*before)
    now = known | by_key(*after)
    assert carried_out(known, *to_store(known, now, ())) == now
    assert carried_out(known, *to_store(known, now, [VRBO.key])) == now
