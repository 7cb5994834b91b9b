"""A thread-safe, byte-capped least-recently-used cache."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from cachetools import LRUCache, TTLCache


class Sized(Protocol):
    """Anything that knows how many bytes it holds."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...


K = TypeVar("K")
V = TypeVar("V", bound=Sized)


class ByteLRU(Generic[K, V]):
    """Keeps values until their bytes exceed the cap; forgets the least recently used first.

    Args:
        max_bytes: of all values together.
        ttl_s: seconds after which a value is forgotten in any case.
        keep: makes of a value what is kept of it; see :mod:`edgeflow_backend.memory.pages`.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        ttl_s: float | None = None,
        keep: Callable[[V], V] | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._keep = keep
        self._lock = threading.Lock()
        self._items: LRUCache[K, V] | TTLCache[K, V] = (
            LRUCache(max_bytes, getsizeof=lambda value: value.nbytes)
            if ttl_s is None
            else TTLCache(max_bytes, ttl_s, getsizeof=lambda value: value.nbytes)
        )

    def get(self, key: K) -> V | None:
        """Return the value under ``key`` and mark it as used, or None."""
        with self._lock:
            return self._items.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep ``value``, unless it alone exceeds the cap."""
        if value.nbytes <= self._max_bytes:
            kept = self._keep(value) if self._keep else value
            with self._lock:
                self._items[key] = kept

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        with self._lock:
            return int(self._items.currsize)

    def __len__(self) -> int:
        with self._lock:
            return len(self._items)
