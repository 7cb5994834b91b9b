"""Concurrent requests for an image share one load, and clicks go before images loaded ahead."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from edgeflow.inference.state import EncodedImage
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.memory.byte_lru import ByteLRU

WORKERS = 64
"""Many, since most only wait: for a host, or for their turn to be decoded."""

AHEAD_WORKERS = 2
"""Few, so that images loaded ahead leave cores and bandwidth to clicks."""

MAX_AHEAD = 32
"""Limit of loads ahead that wait or run; further ones are dropped."""


class SingleFlight:
    """Loads images into a cache. Thread-safe.

    Images that are loaded ahead have workers of their own, so that however many there are, they
    never hold up a click. A click on an image that still waits for those workers takes it over.

    Args:
        cache: Cache that is asked first; ``load`` stores its results there.
        load: Function that loads one image.
    """

    def __init__(
        self, cache: ByteLRU[str, EncodedImage], load: Callable[[Source | AsStored], EncodedImage]
    ) -> None:
        self._cache = cache
        self._load = load
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="image")
        self._ahead_workers = ThreadPoolExecutor(AHEAD_WORKERS, thread_name_prefix="image-ahead")
        # Re-entrant: cancelling a future runs `_forget` in the thread that holds the lock.
        self._lock = threading.RLock()
        self._pending: dict[str, Future[EncodedImage]] = {}
        self._ahead: set[Future[EncodedImage]] = set()

    def ask(self, source: Source | AsStored) -> Future[EncodedImage]:
        """The image as a future: from the cache, from a load in progress, or from a new one."""
        with self._lock:
            cached = self._cache.get(source.key)
            if cached is not None:
                hit: Future[EncodedImage] = Future()
                hit.set_result(cached)
                return hit
            future = self._pending.get(source.key)
            taken_over = future is not None and future in self._ahead and future.cancel()
            if future is None or taken_over:
                future = self._start(source, self._workers)
            return future

    def ask_ahead(self, source: Source | AsStored) -> Future[EncodedImage] | None:
        """Load an image that may be needed soon.

        Returns:
            The image as a future; None if it is loaded or being loaded already, or if too many
            loads ahead are waiting.

        Raises:
            RuntimeError: The object is closed.
        """
        with self._lock:
            if (
                source.key in self._pending
                or len(self._ahead) >= MAX_AHEAD
                or self._cache.get(source.key) is not None
            ):
                return None
            return self._start(source, self._ahead_workers, ahead=True)

    def follow(self, work: Callable[[EncodedImage], None], image: EncodedImage) -> None:
        """Do something with an image that was loaded ahead, where it was, unless this is closed."""
        with contextlib.suppress(RuntimeError):
            self._ahead_workers.submit(work, image)

    def close(self) -> None:
        """Start no further load; running ones may finish."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._ahead_workers.shutdown(wait=False, cancel_futures=True)

    def _start(
        self, source: Source | AsStored, workers: ThreadPoolExecutor, *, ahead: bool = False
    ) -> Future[EncodedImage]:
        # In the context, and so in the trace, of the request that came first.
        future = workers.submit(contextvars.copy_context().run, self._load, source)
        self._pending[source.key] = future
        if ahead:
            self._ahead.add(future)
        future.add_done_callback(lambda done: self._forget(source.key, done))
        return future

    def _forget(self, key: str, future: Future[EncodedImage]) -> None:
        with self._lock:
            self._ahead.discard(future)
            if self._pending.get(key) is future:
                del self._pending[key]
