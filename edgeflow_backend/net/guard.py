"""What a task's image may make the backend connect to.

A task's data is written by whoever may import tasks. Without a guard they could read, through the
backend, what only its machine reaches: services on loopback, a cloud's credentials, the intranet.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.origins import origin
from edgeflow_backend.net.public_ips import is_public, parse_ip


class Guard:
    """Decides to which addresses the backend connects."""

    def __init__(self, homes: Iterable[str] = (), allowed: AllowList | None = None) -> None:
        """Public addresses are permitted always.

        Args:
            homes: addresses of configured Label Studios; their exact origins are permitted
                wherever they are.
            allowed: what else is permitted.
        """
        self._homes = frozenset(origin(url) for url in homes if url)
        self._allowed = allowed or AllowList()

    def permits(self, scheme: str, host: str, port: int, address: str) -> bool:
        """Whether one of a host's addresses may be connected to.

        Args:
            scheme: ``http`` or ``https``.
            host: as the connection looks it up, a name or a literal without brackets.
            port: of the connection.
            address: numeric, as the resolver gave it.
        """
        host = host.lower()
        if (scheme, host, port) in self._homes:
            return True
        try:
            parsed = parse_ip(address)
        except ValueError:
            return False
        return is_public(parsed) or self._allowed.permits(host.rstrip("."), port, parsed)


def refusal(host: str) -> FetchError:
    """The error for a host of which no address is permitted; it does not tell the addresses."""
    host = host[:100]
    return FetchError(
        f"{host} may not be fetched from: it has a private address",
        hint=f"if its images are wanted, add {host} to EDGEFLOW_ALLOWED_HOSTS",
    )
