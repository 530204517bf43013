"""Only addresses of the open internet are asked (P-11, X-6)."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from yarl import URL

from changeover.sources.ics.guard import GuardedResolver, Refused, check_url, is_public

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "192.88.99.1",
    "0.0.0.0",  # noqa: S104 - refused, not bound
    "224.0.0.1",
    "239.1.1.1",
    "255.255.255.255",
    "240.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_on_the_open_internet_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Refused, match="private address"):
        check_url(URL(f"http://{host}/"), allow_private=False)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_not(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    check_url(URL(f"https://{f'[{address}]' if ':' in address else address}/"), allow_private=False)


def test_ports_other_than_the_usual_two_are_refused() -> None:
    with pytest.raises(Refused, match="port refused"):
        check_url(URL("https://calendar.example:8443/"), allow_private=False)
    check_url(URL("http://calendar.example:443/"), allow_private=False)


def test_allowing_private_feeds_lifts_address_and_port_and_nothing_else() -> None:
    check_url(URL("http://127.0.0.1:8443/"), allow_private=True)
    with pytest.raises(Refused, match="not a web address"):
        check_url(URL("file:///etc/passwd"), allow_private=True)


def resolved(host: str, *, allow_private: bool) -> list[str]:
    async def ask() -> list[str]:
        resolver = GuardedResolver(allow_private=allow_private)
        try:
            return [each["host"] for each in await resolver.resolve(host, 80)]
        finally:
            await resolver.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "2130706433"])
def test_a_name_that_stands_for_loopback_is_refused(host: str) -> None:
    with pytest.raises(Refused, match="private address"):
        resolved(host, allow_private=False)


def test_a_name_that_stands_for_loopback_is_allowed_for_private_feeds() -> None:
    assert "127.0.0.1" in resolved("localhost", allow_private=True)
