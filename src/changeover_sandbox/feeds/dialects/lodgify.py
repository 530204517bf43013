"""Lodgify's and HostTools' calendars: masked guests, and UIDs that are new at every download."""

from collections.abc import Iterator

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role

ORDER = ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY")


def lodgify_events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        first, _, last = sight.stay.guest.partition(" ")
        guest = f"Booked ({first[:1]}*** {last[:1]}***)"
        yield Event(None, sight.check_in, sight.check_out, guest if sight.role is Role.GUEST else "Closed Period")


def hosttools_events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        guest = "Booked - " + ". ".join(name[:1] for name in sight.stay.guest.split()) + "."
        yield Event(None, sight.check_in, sight.check_out, guest if sight.role is Role.GUEST else "Closed Period")


LODGIFY = Dialect(("VERSION:2.0", "PRODID:-//Lodgify//Lodgify Calendar//EN"), ORDER, lodgify_events)
HOSTTOOLS = Dialect(("VERSION:2.0", "PRODID:-//HostTools//Host Tools Calendar//EN"), ORDER, hosttools_events)
