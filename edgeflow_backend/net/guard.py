"""Restricts the IPs that a task's image URL may make the backend connect to.

Task data comes from anybody who may import tasks. Without a guard they could read, through the
backend, what only its machine can reach: services on loopback, a cloud's credentials, the intranet.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.origins import origin
from edgeflow_backend.net.public_ips import is_public, parse_ip


class Guard:
    """Decides which IPs the backend connects to. Public ones are always permitted.

    Args:
        label_studio_urls: URLs of the configured Label Studios, whose exact origins are permitted
            whatever their IPs; empty ones are ignored.
        allowed: Further hosts and networks that are permitted.
    """

    def __init__(
        self, label_studio_urls: Iterable[str] = (), allowed: AllowList | None = None
    ) -> None:
        self._label_studios = frozenset(origin(url) for url in label_studio_urls if url)
        self._allowed = allowed or AllowList()

    def permits(self, scheme: str, host: str, port: int, ip: str) -> bool:
        """Whether the backend may connect to one of a host's IPs.

        Args:
            scheme: ``http`` or ``https``.
            host: Host as the connection looks it up: a name, or an IP without brackets.
            port: Port of the connection.
            ip: Text of the IP, as the resolver returned it.
        """
        host = host.lower()
        if (scheme, host, port) in self._label_studios:
            return True
        try:
            parsed = parse_ip(ip)
        except ValueError:
            return False
        return is_public(parsed) or self._allowed.permits(host.rstrip("."), port, parsed)


def refusal(host: str) -> FetchError:
    """The error for a host none of whose IPs is permitted; it does not disclose them."""
    host = host[:100]
    return FetchError(
        f"{host} may not be fetched from: it has a private IP",
        hint=f"to allow its images, add {host} to EDGEFLOW_ALLOWED_HOSTS",
    )
