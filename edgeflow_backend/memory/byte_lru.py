"""A thread-safe, byte-capped least-recently-used cache."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from cachetools import LRUCache, TTLCache


class Sized(Protocol):
    """A value that knows its size in bytes."""

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        ...


K = TypeVar("K")
V = TypeVar("V", bound=Sized)


class ByteLRU(Generic[K, V]):
    """Stores values up to a total size; drops the least recently used first.

    Args:
        max_bytes: Limit of all values together.
        ttl_s: Seconds after which a value is dropped in any case.
        copy: Makes the copy that is stored; see :mod:`edgeflow_backend.memory.pages`.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        ttl_s: float | None = None,
        copy: Callable[[V], V] | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._copy = copy
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
        """Store ``value``, unless it alone exceeds the limit."""
        if value.nbytes <= self._max_bytes:
            stored = self._copy(value) if self._copy else value
            with self._lock:
                self._items[key] = stored

    @property
    def nbytes(self) -> int:
        """Size of all stored values in bytes."""
        with self._lock:
            return int(self._items.currsize)

    def __len__(self) -> int:
        with self._lock:
            return len(self._items)
