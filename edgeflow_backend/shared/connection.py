"""A connection to Redis or Valkey; the only module that imports the package ``redis``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import certifi

from edgeflow.errors import EdgeFlowError

SCHEMES = ("redis", "rediss")


class RedisMissingError(EdgeFlowError):
    """Redis is configured, but its package is not installed."""

    code = "redis_missing"


@dataclass(frozen=True)
class Server:
    """Where Redis is, and how long it may take.

    Attributes:
        url: ``redis://`` or, for TLS, ``rediss://``, with user, password and database.
        ca_bundle: PEM file, or folder of PEM files, of authorities besides the public ones.
        connect_s: Seconds to connect.
        call_s: Seconds for one answer.
    """

    url: str
    ca_bundle: str = ""
    connect_s: float = 0.2
    call_s: float = 0.05


class RedisConnection:
    """One connection, made when it is first used and again after it broke.

    Args:
        server: What to connect to.

    Raises:
        RedisMissingError: The package ``redis`` is not installed.
    """

    def __init__(self, server: Server) -> None:
        try:
            import redis  # noqa: PLC0415 - nobody else pays for it
            from redis.backoff import NoBackoff  # noqa: PLC0415
            from redis.retry import Retry  # noqa: PLC0415
        except ImportError as error:
            raise RedisMissingError(
                "EDGEFLOW_REDIS_URL is set, but the package 'redis' is not installed",
                hint="pip install '.[redis]'",
            ) from error
        secured: dict[str, Any] = {}
        if urlsplit(server.url).scheme == "rediss":
            secured = {
                "ssl_cert_reqs": "required",
                "ssl_check_hostname": True,
                "ssl_ca_data": _authorities(server.ca_bundle),
            }
        self._pool = redis.ConnectionPool.from_url(
            server.url,
            max_connections=1,
            protocol=2,
            decode_responses=False,
            socket_connect_timeout=server.connect_s,
            socket_timeout=server.call_s,
            retry=Retry(NoBackoff(), 0),
            **secured,
        )
        self._client: Any = redis.Redis(connection_pool=self._pool)
        self.connected = False

    def ask(self, *commands: Sequence[Any]) -> list[Any]:
        """Send commands together; the answer to each.

        Raises:
            redis.RedisError: The server cannot be reached, or refuses one of them.
            Exception: It answered what no server answers.
        """
        try:
            if len(commands) == 1:
                answers = [self._client.execute_command(*commands[0])]
            else:
                pipeline = self._client.pipeline(transaction=False)
                for command in commands:
                    pipeline.execute_command(*command)
                answers = pipeline.execute()
        except Exception as error:
            if not refused(error):  # who knows what is still on its way
                self.hang_up()
            raise
        self.connected = True
        return answers

    def hang_up(self) -> None:
        """Close it; a call under way in another thread fails."""
        self.connected = False
        with contextlib.suppress(Exception):  # closing what is being closed
            self._pool.disconnect()


def refused(error: Exception) -> bool:
    """Whether the server is well and refused a command, as for want of memory or rights."""
    return reason_of(error) in ("refused", "full")


def reason_of(error: Exception) -> str:
    """What went wrong, in a word; one of few, for the metric."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    named = {
        "TimeoutError": "timeout",
        "AuthenticationError": "authentication",
        "OutOfMemoryError": "full",
        "ResponseError": "refused",
        "InvalidResponse": "garbage",
        "ConnectionError": "connection",
        "OSError": "connection",
    }
    return next((reason for kind, reason in named.items() if kind in kinds), "garbage")


def _authorities(ca_bundle: str) -> str:
    """The public authorities and further ones, as PEM text."""
    files = [Path(certifi.where())]
    if ca_bundle:
        path = Path(ca_bundle).expanduser()
        files += sorted(path.iterdir()) if path.is_dir() else [path]
    texts = (file.read_text("utf-8", "replace") for file in files if file.is_file())
    return "\n".join(text for text in texts if "-----BEGIN CERTIFICATE-----" in text)
