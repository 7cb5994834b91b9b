"""Each image is loaded once however many ask, and clicks go before images loaded ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from edgeflow.inference.state import EncodedImage
from edgeflow_backend.images.sources import Source
from edgeflow_backend.memory.byte_lru import ByteLRU

WORKERS = 8
AHEAD_WORKERS = 2
"""Few: images loaded ahead must leave cores and bandwidth to clicks."""

MAX_AHEAD = 32
"""Images loaded ahead that may wait or run; more are dropped."""


class SingleFlight:
    """Loads images into a cache. Thread-safe.

    Images that are loaded ahead have workers of their own, so however many there are, a click
    finds the others free. A click on an image that still waits for those workers takes it over.
    """

    def __init__(
        self, cache: ByteLRU[str, EncodedImage], load: Callable[[Source], EncodedImage]
    ) -> None:
        """Start no thread yet.

        Args:
            cache: asked first; ``load`` puts what it loads there.
            load: what one load does.
        """
        self._cache = cache
        self._load = load
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="image")
        self._ahead_workers = ThreadPoolExecutor(AHEAD_WORKERS, thread_name_prefix="image-ahead")
        # Re-entrant: a future that is cancelled is forgotten by the thread that holds the lock.
        self._lock = threading.RLock()
        self._pending: dict[str, Future[EncodedImage]] = {}
        self._ahead: set[Future[EncodedImage]] = set()

    def ask(self, source: Source) -> Future[EncodedImage]:
        """The image, now or later: from the cache, a load that runs already, or a new one."""
        with self._lock:
            cached = self._cache.get(source.key)
            if cached is not None:
                done: Future[EncodedImage] = Future()
                done.set_result(cached)
                return done
            future = self._pending.get(source.key)
            waits = future is not None and future in self._ahead and future.cancel()
            if future is None or waits:
                future = self._start(source, self._workers)
            return future

    def ask_ahead(self, source: Source) -> Future[EncodedImage] | None:
        """Load an image that may be wanted soon; None where there is nothing to do, or too much.

        Raises:
            RuntimeError: closed.
        """
        with self._lock:
            if (
                source.key in self._pending
                or len(self._ahead) >= MAX_AHEAD
                or self._cache.get(source.key) is not None
            ):
                return None
            return self._start(source, self._ahead_workers, ahead=True)

    def close(self) -> None:
        """Load nothing more; what runs may finish."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._ahead_workers.shutdown(wait=False, cancel_futures=True)

    def _start(
        self, source: Source, workers: ThreadPoolExecutor, *, ahead: bool = False
    ) -> Future[EncodedImage]:
        future = workers.submit(self._load, source)
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
