"""A made-up rental business that lives day by day from a seed; it knows nothing of HTTP or of calendars' bytes."""

from changeover_sandbox.world.model import (
    Channel,
    Customer,
    EntryType,
    Feed,
    Happening,
    Listing,
    Moment,
    Stay,
    StayKind,
    Version,
)
from changeover_sandbox.world.truth import LiveStay, truth
from changeover_sandbox.world.view import Role, Sight, sights
from changeover_sandbox.world.world import World

__all__ = [
    "Channel",
    "Customer",
    "EntryType",
    "Feed",
    "Happening",
    "Listing",
    "LiveStay",
    "Moment",
    "Role",
    "Sight",
    "Stay",
    "StayKind",
    "Version",
    "World",
    "sights",
    "truth",
]
