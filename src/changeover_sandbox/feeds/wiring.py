"""The application's keys, so that its modules find what it holds; nothing else stands here."""

from aiohttp import web

from changeover_sandbox.feeds.latency import Latency
from changeover_sandbox.feeds.state import FeedsState

STATE = web.AppKey("feeds_state", FeedsState)
LATENCY = web.AppKey("latency", Latency)
