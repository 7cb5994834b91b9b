"""Restricts the IPs that a task's image URL may make the backend connect to.

Task data comes from anybody who may import tasks. Without a guard they could read, through the
backend, what only its machine can reach: services on loopback, a cloud's credentials, the intranet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.origins import origin
from edgeflow_backend.net.public_ips import is_public, parse_ip

_PUBLIC_NAME = re.compile(
    r"(?:[a-z0-9_-]+\.)+(?!(?:internal|intranet|lan|local|localhost|home|corp|arpa)\.?$)"
    r"[a-z](?:[a-z0-9-]*[a-z0-9])?\.?"
)
"""A name of the public internet, as far as its spelling tells: no IP in disguise, nothing local."""


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
        if self.is_label_studio(scheme, host, port):
            return True
        try:
            parsed = parse_ip(ip)
        except ValueError:
            return False
        return is_public(parsed) or self._allowed.permits(_name(host), port, parsed)

    def permits_unresolved(self, scheme: str, host: str, port: int) -> bool:
        """Whether a proxy may be asked for a host whose name does not resolve here.

        The proxy resolves it, perhaps to what only the proxy reaches; so the name must be a public
        one, or be allowed by name.
        """
        return (
            self.is_label_studio(scheme, host, port)
            or self._allowed.permits(_name(host), port, None)
            or _PUBLIC_NAME.fullmatch(host.lower()) is not None
        )

    def is_label_studio(self, scheme: str, host: str, port: int) -> bool:
        """Whether this is the origin of a configured Label Studio."""
        return (scheme, host.lower(), port) in self._label_studios


def _name(host: str) -> str:
    return host.lower().rstrip(".")


def refusal(host: str) -> FetchError:
    """The error for a host none of whose IPs is permitted; it does not disclose them."""
    host = host[:100]
    return FetchError(
        f"{host} may not be fetched from: it has a private IP",
        hint=f"to allow its images, add {host} to EDGEFLOW_ALLOWED_HOSTS",
    )
