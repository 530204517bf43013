"""The background process of a sandbox: serves every stand-in on loopback until it is told to end; it seeds nothing."""

import asyncio
import logging
import signal
from pathlib import Path

from aiohttp import web

from changeover_sandbox.airtable.app import Account
from changeover_sandbox.airtable.app import create_app as create_airtable
from changeover_sandbox.cloudmailin.app import create_app as create_cloudmailin
from changeover_sandbox.deployment import Folder, Order, Serving
from changeover_sandbox.evolve.app import create_app as create_evolve
from changeover_sandbox.evolve.state import Account as PortalAccount
from changeover_sandbox.feeds.app import create_app as create_feeds
from changeover_sandbox.housecallpro.app import Account as Company
from changeover_sandbox.housecallpro.app import create_app as create_housecallpro
from changeover_sandbox.process import Process

log = logging.getLogger(__name__)
HOST = "127.0.0.1"
GRACE_SECONDS = 0.5
"""How long a stopping server waits for requests that still run."""


def serve(root: Path) -> None:
    """Serves the sandbox in the folder until SIGTERM or SIGINT."""
    folder = Folder(root)
    order = Order.read(folder.order)
    if order is None:
        message = f"no sandbox was ordered in {root}"
        raise FileNotFoundError(message)
    asyncio.run(_serve(folder, order))


def _stand_ins(folder: Folder, order: Order) -> dict[str, web.Application]:
    """Every stand-in by the name under which `up` answers it; a further one is a line here."""
    accounts = [
        Account(base_id=keys.base_id, api_key=keys.airtable_key, base_name=f"Changeover {environment}")
        for environment, keys in order.credentials.items()
    ]
    partners = [PortalAccount(keys.portal_user, keys.portal_password) for keys in order.credentials.values()]
    companies = [
        Company(keys.hcp_company, keys.hcp_key, keys.hcp_webhook_secret, environment, f"Example Cleaning {environment}")
        for environment, keys in order.credentials.items()
    ]
    return {
        "airtable": create_airtable(folder.own / "airtable", accounts),
        "housecallpro": create_housecallpro(folder.own / "housecallpro", companies),
        "evolve": create_evolve(folder.own / "evolve", partners),
        "feeds": create_feeds(folder.own / "feeds", None),
        "cloudmailin": create_cloudmailin(),
    }


async def _serve(folder: Folder, order: Order) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    before = Serving.read(folder.serving)
    runners: list[web.AppRunner] = []
    ports: dict[str, int] = {}
    try:
        for name, app in _stand_ins(folder, order).items():
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_SECONDS)
            runners.append(runner)
            await runner.setup()
            ports[name] = await _listen(runner, before.ports.get(name, 0) if before else 0)
        me = Process.current()
        Serving(pid=me.pid, started=me.started, ports=ports).write(folder.serving)
        await ended.wait()
    finally:
        for runner in runners:
            await runner.cleanup()


async def _listen(runner: web.AppRunner, wanted: int) -> int:
    """The port it listens on: the wanted one, so that addresses in a base stay true, or a free one."""
    try:
        return await _bind(runner, wanted)
    except OSError as exc:
        log.warning("port %d cannot be had, another one is used: %s", wanted, exc)
        return await _bind(runner, 0)


async def _bind(runner: web.AppRunner, port: int) -> int:
    await web.TCPSite(runner, HOST, port, reuse_address=True).start()
    return int(runner.addresses[-1][1])
