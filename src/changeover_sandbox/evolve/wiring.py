"""The application's keys, so that its modules find what it holds; nothing else stands here."""

from aiohttp import web

from changeover_sandbox.evolve.misbehaviour import Misbehaviour
from changeover_sandbox.evolve.state import PortalState

STATE = web.AppKey("evolve_state", PortalState)
MISBEHAVIOUR = web.AppKey("evolve_misbehaviour", Misbehaviour)
