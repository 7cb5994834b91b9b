"""Children that decode, kept for the next image."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

from edgeflow_backend.errors import NotReadyError
from edgeflow_backend.images.decoding.worker import Decoded, Job, Worker


class Pool:
    """Starts a child when all others are busy, and keeps some that are not. Thread-safe.

    Args:
        keep: Most idle children.
        start: Function that starts one.
    """

    def __init__(self, keep: int, start: Callable[[], Worker] = Worker) -> None:
        self._keep = keep
        self._start = start
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = False
        weakref.finalize(self, _close, self._idle)  # where nobody calls close()

    def decode(self, file: int, job: Job) -> Decoded:
        """Decode in a child; see :meth:`edgeflow_backend.images.decoding.worker.Worker.decode`.

        Raises:
            NotReadyError: The pool is closed.
        """
        worker = self._take()
        try:
            return worker.decode(file, job)
        finally:
            self._give_back(worker)

    def warm_up(self) -> None:
        """Have one child ready."""
        self._give_back(self._take())

    def close(self) -> None:
        """End all children, also those that decode."""
        with self._lock:
            self._closed = True
            idle = self._idle.copy()
            self._idle.clear()
            for worker in self._busy:
                worker.kill()
        _close(idle)

    def _take(self) -> Worker:
        while True:
            with self._lock:
                if self._closed:
                    raise NotReadyError(
                        "the backend is being stopped", hint="try again in a few seconds"
                    )
                worker = self._idle.pop() if self._idle else None
                if worker is not None and worker.alive:
                    self._busy.add(worker)
                    return worker
            if worker is None:
                break
            worker.close()
        worker = self._start()
        with self._lock:
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if worker.alive and len(self._idle) < self._keep and not self._closed:
                self._idle.append(worker)
                return
        worker.close()


def _close(workers: list[Worker]) -> None:
    for worker in workers:
        worker.close()
