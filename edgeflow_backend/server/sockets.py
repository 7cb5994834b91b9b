"""Waits for thousands of sockets at the price of those where something happens.

Waitress's own loop asks every connection before each wait whether it wants to read or to write.
With 500 connections that takes longer than the work itself. Here a connection is asked again only
after something happened to it.
"""

from __future__ import annotations

import contextlib
import selectors
from typing import Protocol


class Dispatcher(Protocol):
    """A socket of waitress: the listening one, a connection, or the trigger that wakes the loop."""

    accepting: bool

    def readable(self) -> bool:
        """Whether it wants to read."""
        ...

    def writable(self) -> bool:
        """Whether it wants to write."""
        ...

    def handle_read_event(self) -> None:
        """Read."""
        ...

    def handle_write_event(self) -> None:
        """Write."""
        ...

    def handle_error(self) -> None:
        """Log the exception under way, and close."""
        ...


class Sockets(dict[int, Dispatcher]):
    """Waitress's map of file descriptors to sockets, which also waits for them."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = selectors.DefaultSelector()
        self._changed: set[int] = set()

    def __setitem__(self, file: int, dispatcher: Dispatcher) -> None:
        super().__setitem__(file, dispatcher)
        self.note(file)

    def __delitem__(self, file: int) -> None:
        super().__delitem__(file)
        self._unwatch(file)

    def note(self, file: int | None) -> None:
        """Ask this socket again before the next wait. Thread-safe."""
        if file is not None:
            self._changed.add(file)

    def wait(self, timeout_s: float) -> None:
        """Wait until something happens, at most this long, and let the sockets handle it."""
        while self._changed:
            self._watch(self._changed.pop())
        for key, events in self._selector.select(timeout_s):
            dispatcher = self.get(key.fd)
            if dispatcher is None:
                continue  # closed by one before it
            self.note(key.fd)
            try:
                if events & selectors.EVENT_READ:
                    dispatcher.handle_read_event()
                if events & selectors.EVENT_WRITE and self.get(key.fd) is dispatcher:
                    dispatcher.handle_write_event()
            except Exception:  # noqa: BLE001 - logged there; one connection must not end the others
                dispatcher.handle_error()

    def close(self) -> None:
        """Free the selector."""
        self._selector.close()

    def _watch(self, file: int) -> None:
        dispatcher = self.get(file)
        if dispatcher is None:
            return
        wanted = selectors.EVENT_READ if dispatcher.readable() else 0
        if dispatcher.writable() and not dispatcher.accepting:
            wanted |= selectors.EVENT_WRITE
        watched = self._selector.get_map().get(file)
        if wanted == 0:
            self._unwatch(file)
        elif watched is None:
            self._selector.register(file, wanted)
        elif watched.events != wanted:
            self._selector.modify(file, wanted)

    def _unwatch(self, file: int) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(file)
