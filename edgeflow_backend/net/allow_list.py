"""Hosts with private IPs from which images may be fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from urllib3.util import parse_url

from edgeflow_backend.net.public_ips import IPAddress
from edgeflow_backend.redact.texts import hide_secrets

_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^\s/@:*?#\[\]\\%]+)(:(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class _Rule:
    """One entry: hosts by name, or IPs by network; on one port, or on all."""

    name: str = ""
    suffix: str = ""
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    def permits(self, host: str, port: int, ip: IPAddress | None) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return ip is not None and ip in self.network
        return host.endswith(self.suffix) if self.suffix else host == self.name


@dataclass(frozen=True)
class AllowList:
    """Hosts and networks outside the public internet from which images may be fetched."""

    rules: tuple[_Rule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AllowList:
        """Parse names, ``name:port``, ``*.suffix``, IPs and networks, separated by commas.

        ``.suffix`` is another way to write ``*.suffix``.

        Raises:
            ValueError: An entry is none of these; the message names it.
        """
        entries = (entry.strip() for entry in text.split(","))
        return cls(tuple(_parse_rule(entry) for entry in entries if entry))

    def permits(self, host: str, port: int, ip: IPAddress | None) -> bool:
        """Whether ``ip``, to which the name ``host`` resolves, is allowed on ``port``.

        Without an IP, where the name does not resolve, only entries with names count.
        """
        return any(rule.permits(host, port, ip) for rule in self.rules)


def _parse_rule(entry: str) -> _Rule:
    network = _parse_network(entry)
    if network is not None:
        return _Rule(network=network)
    if entry.startswith("."):
        entry = f"*{entry}"
    match = _HOST_AND_PORT.fullmatch(entry.removeprefix("*."))
    port = int(match["port"]) if match and match["port"] else None
    if match is None or port == 0 or (port or 0) > 65535:
        raise ValueError(
            f"'{hide_secrets(entry)}' is not a name, name:port, *.suffix, IP or network like "
            "10.0.0.0/8"
        )
    network = _parse_network(match["host"].strip("[]"))
    if network is not None:
        return _Rule(network=network, port=port)
    # A connection has its host's name in lower case and IDNA; urllib3 converts the entry's too.
    name = (parse_url(f"http://{match['host']}").host or "").rstrip(".")
    if entry.startswith("*."):
        return _Rule(suffix=f".{name}", port=port)
    return _Rule(name=name, port=port)


def _parse_network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None
