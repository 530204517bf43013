"""What one body was read as, and its compact form in the state database (P-36); it reads no calendar."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from changeover.core.stay import Kind, Observation, Rejected

_KINDS = {str(each): each for each in Kind}
_STABLE, _CANCELED, _OPEN_END = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a batch needs of a body. `events` are its VEVENTs, `platform` the one whose words counted."""

    entry_source: str
    platform: str
    events: int
    observations: tuple[Observation, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def kept(self) -> int:
        """Observations that can become a row (R-76)."""
        return sum(each.kind.makes_row for each in self.observations)

    @property
    def readable(self) -> bool:
        """Whether absence from it can be evidence, as far as its events go (R-8)."""
        return all(each.still_seen for each in self.rejected)


def dump(reading: Reading) -> str:
    """A reading as JSON text. The property is not in it: it is the feed's."""
    return json.dumps(
        {
            "entry_source": reading.entry_source,
            "platform": reading.platform,
            "events": reading.events,
            "observations": [
                [o.uid, o.check_in.isoformat(), o.check_out.isoformat(), o.kind, o.block_type, _flags(o)]
                for o in reading.observations
            ],
            "rejected": [[r.place, r.reason, r.uid, r.stable_uid] for r in reading.rejected],
            "warnings": reading.warnings,
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )


def load(text: str, property_id: str) -> Reading:
    """The reading that `dump` wrote. Raises ValueError, KeyError or TypeError for any other text."""
    found = json.loads(text)
    return Reading(
        entry_source=found["entry_source"],
        platform=found["platform"],
        events=found["events"],
        observations=tuple(_observation(row, property_id) for row in found["observations"]),
        rejected=tuple(
            Rejected(place, reason, uid, property_id, stable) for place, reason, uid, stable in found["rejected"]
        ),
        warnings=tuple(found["warnings"]),
    )


def _flags(observation: Observation) -> int:
    return _STABLE * observation.stable_uid + _CANCELED * observation.canceled + _OPEN_END * observation.open_end


def _observation(row: tuple[str, str, str, str, str, int], property_id: str) -> Observation:
    uid, check_in, check_out, kind, block_type, flags = row
    return Observation(
        uid,
        property_id,
        date.fromisoformat(check_in),
        date.fromisoformat(check_out),
        _KINDS[kind],
        block_type,
        canceled=flags & _CANCELED != 0,
        stable_uid=flags & _STABLE != 0,
        open_end=flags & _OPEN_END != 0,
    )
