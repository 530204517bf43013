"""Keeps feed URLs, which come from a table, away from private networks (P-11, X-6); it sends nothing."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

PRIVATE = "private address"
_PORTS = frozenset({80, 443})
_SCHEMES = frozenset({"http", "https"})
_LOOKUPS = 16  # names that answer slowly must not hold up the others

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Outside the ranges that the standard library calls private, yet never a calendar.
_REFUSED = (
    ipaddress.ip_network("168.63.129.16/32"),  # a cloud's metadata service
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments, another cloud's metadata among them
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(Exception):
    """An address that must not be asked; `cause` is safe to show."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def check_url(url: URL, *, allow_private: bool) -> None:
    """Refuses a URL by what it says: scheme, port, an address in place of a name. Raises Refused."""
    if url.scheme not in _SCHEMES:
        raise Refused("not a web address")
    if allow_private:
        return
    if url.port not in _PORTS:
        raise Refused("port refused")
    try:
        address = ipaddress.ip_address((url.host or "").strip("[]").partition("%")[0])
    except ValueError:
        return  # a name: the resolver checks what it stands for
    if not is_public(address):
        raise Refused(PRIVATE)


def is_public(address: IpAddress) -> bool:
    """Whether an address is on the open internet; one that carries another is judged by that one too."""
    if address in _NAT64:  # how a network without IPv4 writes an IPv4 address
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if any(address in network for network in _REFUSED if network.version == address.version):
        return False
    return all(is_public(inner) for inner in _carried(address))


def _carried(address: IpAddress) -> list[ipaddress.IPv4Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    return [inner for inner in found if inner is not None]


class GuardedResolver(AbstractResolver):
    """Resolves names and hands on public addresses only, so that the connection goes to what was checked."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="feed-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises OSError when it has none, Refused when none may be asked."""
        look_up = partial(socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        allowed = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=int(kind),
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in found
            if self._allow_private or is_public(ipaddress.ip_address(str(address[0]).partition("%")[0]))
        ]
        if not allowed:
            raise Refused(PRIVATE)
        return allowed

    async def close(self) -> None:
        """Lets look-ups that nobody waits for run out."""
        self._threads.shutdown(wait=False, cancel_futures=True)
