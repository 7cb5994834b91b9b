"""Hosts with private IPs that may be asked all the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from urllib3.util import parse_url

from edgeflow_backend.net.public_ips import IPAddress

_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^\s/@:*?#\[\]\\%]+)(:(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class _Rule:
    """One entry: hosts by name, or addresses by network; on one port, or on all."""

    name: str = ""
    suffix: str = ""
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    def permits(self, host: str, port: int, address: IPAddress) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address in self.network
        return host.endswith(self.suffix) if self.suffix else host == self.name


@dataclass(frozen=True)
class AllowList:
    """Hosts and networks that are no part of the public internet and may be fetched from."""

    rules: tuple[_Rule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AllowList:
        """Read names, ``name:port``, ``*.suffix``, IP addresses and networks, between commas.

        Raises:
            ValueError: an entry is none of these; the message names it.
        """
        entries = (entry.strip() for entry in text.split(","))
        return cls(tuple(_parse_rule(entry) for entry in entries if entry))

    def permits(self, host: str, port: int, address: IPAddress) -> bool:
        """Whether ``address``, found under the name ``host``, is allowed on ``port``."""
        return any(rule.permits(host, port, address) for rule in self.rules)


def _parse_rule(entry: str) -> _Rule:
    network = _parse_network(entry)
    if network is not None:
        return _Rule(network=network)
    match = _HOST_AND_PORT.fullmatch(entry.removeprefix("*."))
    port = int(match["port"]) if match and match["port"] else None
    if match is None or port == 0 or (port or 0) > 65535:
        raise ValueError(
            f"'{entry}' is no name, name:port, *.suffix, IP address or network like 10.0.0.0/8"
        )
    network = _parse_network(match["host"].strip("[]"))
    if network is not None:
        return _Rule(network=network, port=port)
    # The connection's name is in lower case and IDNA; urllib3 brings the entry's there too.
    name = (parse_url(f"http://{match['host']}").host or "").rstrip(".")
    if entry.startswith("*."):
        return _Rule(suffix=f".{name}", port=port)
    return _Rule(name=name, port=port)


def _parse_network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None
