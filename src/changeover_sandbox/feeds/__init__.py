"""The feeds stand-in: calendars of the made-up business in each platform's dialect over HTTP."""

from changeover_sandbox.feeds.ical import Template
from changeover_sandbox.feeds.render import events_of, template

__all__ = ["Template", "events_of", "template"]
