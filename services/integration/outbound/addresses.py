"""Where a webhook may be sent: to a host outside, at an address that is looked at anew before each call (SSRF).

Whoever subscribes a webhook chooses where this server connects to. It shall reach nothing that only this server
reaches: itself, its network, the metadata service of its cloud. The operator may name hosts of which that is wanted.
"""

import re
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import eventlet
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES  # type: ignore[import-untyped]  # it ships no types

from shared.errors import Invalid

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host's name; raises OSError where there are none."""

LOOK_UP_SECONDS = 3.0
PORTS = {"http": 80, "https": 443}
FIRST_FREE_PORT = 1024
"""Below are mail, remote shells and their like, which understand more of an HTTP request than one would wish."""
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_METADATA = (*EXTRA_BLOCKED_NET_RANGES, ip_network("168.63.129.16/32"))
"""What is no private range by its number and yet answers from within: relays, translators, a cloud's wire server."""
_NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?", re.ASCII
)
_VISIBLE = re.compile(r"[\x21-\x7e]{1,2000}")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a webhook's address says: `host` as a name or a number without brackets, `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """How the request names the host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class Forbidden(Exception):
    """The host is, or has become, one that is not called."""


class Outside:
    """Finds the addresses of receivers, and refuses those within; `hosts` are the operator's exceptions."""

    def __init__(self, hosts: Collection[str], resolve: Resolve | None = None) -> None:
        self._hosts = {host.lower().strip("[]") for host in hosts}
        self._resolve = resolve or look_up

    def target(self, url: str) -> Target:
        """What an address says; raises Invalid on `url` where it is none that is ever called."""
        try:
            return self._target(url)
        except Forbidden as fault:
            raise Invalid({"url": [str(fault)]}) from fault

    def addresses(self, target: Target) -> list[str]:
        """Where to connect to now: all that the name stands for; raises Forbidden where any of it is within, OSError."""
        found = list(self._resolve(target.host, target.port))
        if target.host not in self._hosts:
            for one in found:
                if not is_outside(ip_address(one)):
                    raise Forbidden(f"expected a host outside, but {target.host} is at the internal address {one}")
        return found

    def must_be_outside(self, url: str) -> None:
        """Raise Invalid on `url` unless it may be called as things stand."""
        target = self.target(url)
        if target.host in self._hosts:
            return
        try:
            self.addresses(target)
        except Forbidden as fault:
            raise Invalid({"url": [str(fault)]}) from fault
        except OSError as fault:
            raise Invalid({"url": [f"expected a host that can be found, and {target.host} cannot: {fault}"]}) from fault

    def _target(self, url: str) -> Target:
        if not _VISIBLE.fullmatch(url):
            raise Forbidden("expected an address of at most 2000 visible ASCII characters")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as fault:
            raise Forbidden(f"expected an address: {fault}") from fault
        if parts.scheme not in PORTS:
            raise Forbidden("expected an address that begins with https:// or http://")
        if "@" in parts.netloc or parts.fragment or "#" in url or "\\" in url:
            raise Forbidden("expected an address without a user, a password, a fragment or a backslash")
        host, port = _host(parts.hostname or ""), PORTS[parts.scheme] if port is None else port
        if host not in self._hosts:
            _must_be_named_plainly(host)
            if port not in PORTS.values() and port < FIRST_FREE_PORT:
                raise Forbidden(f"expected port 80, 443 or one from {FIRST_FREE_PORT} on, not {port}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(scheme=parts.scheme, host=host, port=port, path=path)


def is_outside(address: Address) -> bool:
    """Whether an address is one of the public internet: global, for one receiver, and no way back in."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_outside(address.ipv4_mapped)
        if address not in _GLOBAL_UNICAST:
            return False
    inner = address.is_multicast or address.is_reserved or address.is_unspecified or not address.is_global
    return not inner and not any(address in network for network in _METADATA)


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, each once, in the order in which DNS recommends them; raises OSError."""
    with eventlet.Timeout(LOOK_UP_SECONDS, TimeoutError(f"no answer in {LOOK_UP_SECONDS:.0f} s")):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _host(said: str) -> str:
    """A name in lower case, or a number without brackets in its usual form."""
    if ":" not in said:
        return said.lower()
    try:
        return str(IPv6Address(said))
    except ValueError as fault:
        raise Forbidden(f"expected an IPv6 address in brackets: {fault}") from fault


def _must_be_named_plainly(host: str) -> None:
    """Raise Forbidden for what is no name and no number as one writes it, or is a number within.

    A host whose last part is a number is one that the system's resolver may take for an address: 127.1, 0x7f000001,
    2130706433, 0177.0.0.1 (WHATWG URL, ends in a number).
    """
    if ":" in host:
        address: Address = IPv6Address(host)
    elif re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)", host.rstrip(".").rpartition(".")[2]):
        try:
            address = IPv4Address(host)
        except ValueError as fault:
            raise Forbidden(f"expected an IPv4 address of four decimal numbers: {fault}") from fault
    elif _NAME.fullmatch(host):
        return
    else:
        raise Forbidden("expected the name of a host, or its address")
    if not is_outside(address):
        raise Forbidden(f"expected a host outside, but {host} is an internal address")
