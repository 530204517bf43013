"""Turns a calendar of the world into the events and bytes of its platform's dialect; it keeps nothing."""

from changeover_sandbox.feeds.dialects import DIALECTS
from changeover_sandbox.feeds.dialects.scene import Scene
from changeover_sandbox.feeds.ical import Event, Template, write
from changeover_sandbox.world import Feed, World


def events_of(world: World, feed: Feed) -> tuple[Event, ...]:
    """The events of the calendar now, in the order in which they are written."""
    scene = Scene(world.seed, world.moment.day, feed, world.listings[feed.listing], world.sights(feed))
    return tuple(DIALECTS[feed.platform].events(scene))


def template(world: World, feed: Feed) -> Template:
    """The calendar as bytes but for the instant of the download."""
    dialect = DIALECTS[feed.platform]
    return write(dialect.header, dialect.order, events_of(world, feed))
