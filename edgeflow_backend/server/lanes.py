"""Which thread handles a request: small talk never waits behind clicks, nor clicks behind bulk."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Protocol

from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]

from edgeflow_backend.server.limits import LARGE_BODY
from edgeflow_backend.server.parser import RequestParser

HEALTH_PATHS = ("/", "/health")
PAGE_PATHS = ("/metrics", "/status")
"""Made from memory, and asked for when all else is busy."""

PAGE_REST = 9.0
"""How long the thread of pages rests after each, in processor times of that page."""


class Served(Protocol):
    """A connection whose oldest request is whole."""

    requests: list[RequestParser]

    def service(self) -> None:
        """Answer that request."""
        ...

    def cancel(self) -> None:
        """Give it up."""
        ...


class _Large:
    """A request with a large body, on its way through a thread."""

    def __init__(self, lanes: Lanes, channel: Served, size: int) -> None:
        self.channel, self.size, self._lanes = channel, size, lanes

    def service(self) -> None:
        try:
            self.channel.service()
        finally:
            self._lanes.release(self.size)

    def cancel(self) -> None:
        self.channel.cancel()


class _Page:
    """A page, after which its thread rests.

    Hundreds asked for at once would otherwise take turns with clicks at Python's interpreter lock.
    """

    def __init__(self, channel: Served) -> None:
        self._channel = channel

    def service(self) -> None:
        begun = time.thread_time()
        self._channel.service()
        time.sleep(PAGE_REST * (time.thread_time() - begun))

    def cancel(self) -> None:
        self._channel.cancel()


class Lanes:
    """Threads for requests, in waitress's interface of a task dispatcher.

    Args:
        threads: Number of threads for requests that may take long.
        large_bytes: Bytes of large bodies that are handled at once; one alone may be larger.
    """

    def __init__(self, threads: int, large_bytes: int) -> None:
        self._health = _threads(1)
        self._pages = _threads(1)
        self._main = _threads(threads)
        self._room = self._large_bytes = large_bytes
        self._waiting: deque[_Large] = deque()
        self._lock = threading.Lock()

    def add_task(self, channel: Served) -> None:
        """Have a connection's oldest request answered."""
        request = channel.requests[0]
        size = request.held
        if request.error is not None or request.path in HEALTH_PATHS:
            self._health.add_task(channel)
        elif request.path in PAGE_PATHS:
            self._pages.add_task(_Page(channel))
        elif size < LARGE_BODY:
            self._main.add_task(channel)
        else:
            with self._lock:
                self._waiting.append(_Large(self, channel, size))
            self.release(0)

    def release(self, size: int) -> None:
        """Take back the room of a large body, and start what waited for it."""
        with self._lock:
            self._room += size
            while self._waiting and (
                self._room >= self._waiting[0].size or self._room == self._large_bytes
            ):
                large = self._waiting.popleft()
                self._room -= large.size
                self._main.add_task(large)

    def shutdown(self) -> None:
        """End the threads; give up what still waits."""
        for dispatcher in (self._health, self._pages, self._main):
            dispatcher.shutdown(timeout=1)


def _threads(count: int) -> ThreadedTaskDispatcher:
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(count)
    return dispatcher
