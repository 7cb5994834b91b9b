"""Calls to a server with a deadline for the whole of each, however slowly it answers.

A socket's timeout starts anew with every byte, so a server that sends a byte now and then could
hold a caller for ever. Here each connection has a thread of its own, and a caller who has waited
for long enough hangs up and goes on.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Connection(Protocol):
    """What connects itself when it is used."""

    @property
    def connected(self) -> bool:
        """Whether the next call needs no new connection."""
        ...

    def hang_up(self) -> None:
        """End a call under way in another thread, as far as that is possible."""
        ...


C = TypeVar("C", bound=Connection)


class Links:
    """A few connections to one server. Thread-safe.

    Args:
        connect: Makes a connection; may be called in any thread, and must not block.
        limit: Most connections; further calls wait for one.
        connect_s: Seconds that a connection may take.
        call_s: Seconds that a call may take besides.
    """

    def __init__(
        self, connect: Callable[[], Connection], limit: int, *, connect_s: float, call_s: float
    ) -> None:
        self._connect = connect
        self._connect_s, self._call_s = connect_s, call_s
        self._room = threading.BoundedSemaphore(limit)
        self._lock = threading.Lock()
        self._idle: deque[_Link] = deque()

    def call(self, work: Callable[[Any], T]) -> T:
        """Have a connection do some work.

        Raises:
            TimeoutError: No connection was free, or the work was not done in time.
            Exception: The work's own.
        """
        if not self._room.acquire(timeout=self._call_s):
            raise TimeoutError("all connections are busy")
        with self._lock:
            link = self._idle.pop() if self._idle else _Link(self._connect(), self._done)
        patience = self._call_s + (0.0 if link.connection.connected else self._connect_s)
        answer: Future[T] = Future()
        link.tasks.put((work, answer))
        try:
            return answer.result(patience)
        except FutureTimeoutError:
            with self._lock:
                if answer.done():
                    return answer.result()
                link.abandoned = True
        link.connection.hang_up()
        raise TimeoutError("no answer in time")

    def close(self) -> None:
        """End the idle connections; others end with their calls."""
        with self._lock:
            for link in self._idle:
                link.tasks.put(None)
            self._idle.clear()

    def _done(self, link: _Link, settle: Callable[[], None]) -> None:
        with self._lock:
            settle()
            if link.abandoned:
                link.tasks.put(None)
            else:
                self._idle.append(link)
        self._room.release()


class _Link:
    """A connection and the thread that uses it."""

    def __init__(
        self, connection: Connection, done: Callable[[_Link, Callable[[], None]], None]
    ) -> None:
        self.connection = connection
        self.abandoned = False
        self.tasks: SimpleQueue[tuple[Callable[[Any], Any], Future[Any]] | None] = SimpleQueue()
        self._done = done
        threading.Thread(target=self._run, name="redis", daemon=True).start()

    def _run(self) -> None:
        while (task := self.tasks.get()) is not None:
            work, answer = task
            try:
                result = work(self.connection)
            except BaseException as error:  # noqa: BLE001 - raised where the answer is awaited
                failure = error
                self._done(self, lambda: answer.set_exception(failure))  # noqa: B023 - called at once
            else:
                self._done(self, lambda: answer.set_result(result))  # noqa: B023 - called at once
        with contextlib.suppress(Exception):
            self.connection.hang_up()
