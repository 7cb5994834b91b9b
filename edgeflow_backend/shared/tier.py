"""Sealed values in Redis or Valkey, which may be lost, wrong or slow at any time.

Whatever goes wrong here is counted and said on the status page, and never raised: the caller
computes what it did not get.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edgeflow_backend.log import get_logger
from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.breaker import Breaker, BreakerState
from edgeflow_backend.shared.connection import RedisConnection, Server, reason_of
from edgeflow_backend.shared.links import Links
from edgeflow_backend.shared.packing import SpoiledValueError
from edgeflow_backend.shared.sealing import OVERHEAD_BYTES, Seal
from edgeflow_backend.shared.writer import Writer
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.report import SharedTier

MAX_VALUE_BYTES = 16_000_000
"""No larger value is stored, or read."""

MAX_FIELDS = 512
"""Most values under one name; more are dropped together."""

LINKS = 8
"""Connections of a process to Redis, for requests."""

BACKGROUND_S = 1.0
"""How long one write in the background may take; nobody waits for it."""

MAX_DEPTH = 1000
"""Most writes that wait, whatever their size."""


class Tier:
    """One use of Redis, with its own connections and its own breaker. Thread-safe.

    Args:
        use: What it is used for, in words, such as ``click states``.
        server: Where Redis is.
        seal: Makes and checks digests.
        metrics: Counts what happens.
        queue_bytes: Most bytes that wait to be written.
        clock: Seconds; ``time.monotonic`` unless a test says otherwise.
    """

    def __init__(
        self,
        use: str,
        server: Server,
        seal: Seal,
        metrics: Metrics,
        *,
        queue_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        patient = Server(server.url, server.ca_bundle, server.connect_s, BACKGROUND_S)
        self._use, self._seal, self._metrics, self._clock = use, seal, metrics.shared, clock
        self._links = _links(server, LINKS)
        self._background = _links(patient, 1)
        self._writer = Writer(queue_bytes, MAX_DEPTH, self._dropped)
        self._breaker = Breaker()
        self._lock = threading.Lock()
        self._trouble = ""

    def name(self, kind: str, *parts: str | bytes) -> str:
        """See :meth:`.Seal.name`."""
        return self._seal.name(kind, *parts)

    def first(self, names: Sequence[str]) -> tuple[int, bytes] | None:
        """The first of several values that is there, and its index; sizes are asked before."""
        if not names:
            return None
        sizes = self._ask("look up", *(("STRLEN", name) for name in names)) or []
        found = (n for n, size in enumerate(sizes) if _believable(size))
        number = next(found, None) if len(sizes) == len(names) else None
        if number is None:
            self._count("miss" if sizes else None)
            return None
        body = self.get(names[number])
        return None if body is None else (number, body)

    def get(self, name: str) -> bytes | None:
        """The value under a name; None if there is none that can be believed."""
        answers = self._ask("read", ("GET", name))
        if answers is None:
            return None
        if answers[0] is None:
            self._count("miss")
            return None
        return self._opened(name, answers[0])

    def fields(self, name: str) -> Mapping[str, bytes]:
        """The values under one name, by field; those that can be believed."""
        answers = self._ask("read", ("HGETALL", name))
        found = answers[0] if answers else None
        if found is None:
            return {}
        if not isinstance(found, dict) or len(found) > MAX_FIELDS:
            self._count("refused")
            self._writer.add(lambda: self._in_background(("DEL", name)), 0)
            return {}
        bodies = {}
        for code, value in found.items():
            field = code.decode("ascii", "replace") if isinstance(code, bytes) else ""
            body = self._opened(f"{name}:{field}", value)
            if body is not None:
                bodies[field] = body
        if not found:
            self._count("miss")
        return bodies

    def put(self, name: str, body: bytes, ttl_s: float) -> None:
        """Store a value before this returns, if Redis answers in time."""
        value = self._sealed(name, body)
        if value is not None:
            self._ask("write", ("SET", name, value, "PX", round(ttl_s * 1000)))

    def put_field(self, name: str, field: str, body: bytes, ttl_s: float) -> None:
        """Store one of several values under a name before this returns, if Redis answers in time.

        All of them stay for ``ttl_s`` from now.
        """
        value = self._sealed(f"{name}:{field}", body)
        if value is not None:
            self._ask(
                "write",
                ("HSET", name, field, value),
                ("PEXPIRE", name, round(ttl_s * 1000)),
            )

    def drop_fields(self, name: str, fields: Sequence[str]) -> None:
        """Drop some of the values under a name, when there is time."""
        self._writer.add(
            lambda: self._in_background(("HDEL", name, *fields)), sum(map(len, fields))
        )

    def put_later(self, name: str, make: Callable[[], bytes], nbytes: int, ttl_s: float) -> None:
        """Store a value when there is time; the oldest that wait are dropped for the newest.

        Args:
            name: Name of the value.
            make: Makes it, in another thread.
            nbytes: About its size.
            ttl_s: Seconds that it stays.
        """

        def write() -> None:
            value = self._sealed(name, make()) if self.reached else None
            if value is not None:
                self._in_background(("SET", name, value, "PX", round(ttl_s * 1000)))

        self._writer.add(write, nbytes)

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing waits to be written; False if that takes too long."""
        return self._writer.flush(timeout_s)

    @property
    def reached(self) -> bool:
        """Whether Redis answered lately, as far as is known."""
        with self._lock:
            return self._breaker.state == BreakerState.CLOSED

    def describe(self) -> SharedTier:
        """What the status page says of it."""
        with self._lock:
            state, trouble = self._breaker.state, self._trouble
        reached = state == BreakerState.CLOSED
        message = "reached" if reached else f"not reached ({trouble}); all is computed here"
        if not self._seal.authenticates:
            message += "; without EDGEFLOW_REDIS_KEY, whoever can write to it can change masks"
        return SharedTier(self._use, reached, message)

    def close(self) -> None:
        """Stop the threads; what waits to be written is lost."""
        self._writer.close()
        self._links.close()
        self._background.close()

    def _in_background(self, command: Sequence[Any]) -> None:
        if self.reached:  # where it is not, those try again who want to know something
            self._ask("write", command, links=self._background)

    def _ask(
        self, operation: str, *commands: Sequence[Any], links: Links | None = None
    ) -> list[Any] | None:
        """Send commands; None if Redis was not asked, or did not answer as it should."""
        with self._lock:
            if not self._breaker.allows(self._clock()):
                return None
            self._observe()
        started = self._clock()
        try:
            answers: list[Any] = (links or self._links).call(lambda c: c.ask(*commands))
        except Exception as error:  # noqa: BLE001 - of whatever kind: the caller computes instead
            self._failed(error)
            return None
        finally:
            seconds = self._clock() - started
            self._metrics.seconds.labels(self._use, operation).observe(seconds)
        with self._lock:
            back = self._breaker.state != BreakerState.CLOSED
            self._breaker.succeeded()
            self._observe()
        if back:
            get_logger().info("redis is reached again", use=self._use)
        written = sum(len(part) for c in commands for part in c if isinstance(part, bytes))
        self._metrics.nbytes.labels(self._use, "written").inc(written)
        return answers

    def _failed(self, error: Exception) -> None:
        reason = reason_of(error)
        self._metrics.errors.labels(self._use, reason).inc()
        with self._lock:
            before = self._breaker.state
            if reason in ("refused", "full"):  # it answers; others may be served
                self._breaker.succeeded()
            else:
                self._breaker.failed(self._clock())
            self._trouble = reason
            opened = before == BreakerState.CLOSED != self._breaker.state
            self._observe()
        if opened:  # the error's text may hold the URL's parts
            get_logger().warning("redis is not reached", use=self._use, reason=reason)

    def _opened(self, name: str, value: object) -> bytes | None:
        try:
            body = self._seal.open(name, value)
        except SpoiledValueError:
            self._count("refused")
            return None
        self._metrics.nbytes.labels(self._use, "read").inc(len(body))
        self._count("hit")
        return body

    def _sealed(self, name: str, body: bytes) -> bytes | None:
        if len(body) + OVERHEAD_BYTES > MAX_VALUE_BYTES:
            self._metrics.errors.labels(self._use, "too large").inc()
            return None
        return self._seal.seal(name, body)

    def refuse(self) -> None:
        """Count a value that was sealed well and still makes no sense."""
        self._count("refused")

    def _count(self, outcome: str | None) -> None:
        if outcome is not None:
            self._metrics.lookups.labels(self._use, outcome).inc()

    def _dropped(self) -> None:
        self._metrics.errors.labels(self._use, "dropped").inc()

    def _observe(self) -> None:
        self._metrics.breaker.labels(self._use).set(self._breaker.state)


def open_tier(settings: Settings, use: str, metrics: Metrics) -> Tier | None:
    """The tier that is configured; None for none.

    Redis need not be there: it is asked when it is first needed.

    Args:
        settings: Settings of the backend.
        use: See :class:`Tier`.
        metrics: Counts what happens.

    Raises:
        RedisMissingError: The package ``redis`` is not installed.
    """
    url = settings.redis_url.get_secret_value()
    if not url:
        return None
    server = Server(
        url, settings.ca_bundle, settings.redis_connect_timeout_s, settings.redis_timeout_s
    )
    RedisConnection(server)  # so that a missing package is found at the start
    seal = Seal(settings.redis_key.get_secret_value())
    return Tier(use, server, seal, metrics, queue_bytes=settings.redis_queue_bytes)


def _links(server: Server, limit: int) -> Links:
    return Links(
        lambda: RedisConnection(server), limit, connect_s=server.connect_s, call_s=server.call_s
    )


def _believable(size: object) -> bool:
    return isinstance(size, int) and OVERHEAD_BYTES <= size <= MAX_VALUE_BYTES
