"""VRBO's calendar: words in the site's language, blocks named after their dates, half a year of past stays (P-4)."""

from collections.abc import Iterator
from datetime import date

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role

GUEST = {
    "en": {Role.GUEST: "Reserved", Role.TENTATIVE: "Tentative"},
    "fr": {Role.GUEST: "Réservé", Role.TENTATIVE: "Provisoire"},
}
BLOCKED = {"en": "Blocked", "fr": "Indisponible"}


def events(scene: Scene) -> Iterator[Event]:
    language = scene.feed.language
    for sight in scene.sights:
        if word := GUEST[language].get(sight.role):
            first_name = sight.stay.guest.partition(" ")[0]
            yield Event(scene.stay_uuid(sight), sight.check_in, sight.check_out, f"{word} - {first_name}")
        else:
            uid = block_uid(sight.check_in, sight.check_out)
            yield Event(uid, sight.check_in, sight.check_out, BLOCKED[language])


def block_uid(start: date, end: date) -> str:
    """A UID made of the dates: a changed block is another one."""
    return f"{start:%m%d%Y}-{start:%m%d}-{start:%Y}-{end:%m%d}-{start:%m%d%Y}{end:%m%d}"


DIALECT = Dialect(
    header=("VERSION:2.0", "CALSCALE:GREGORIAN", "PRODID:-//HomeAway.com, Inc.//EN"),
    order=("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"),
    events=events,
)
