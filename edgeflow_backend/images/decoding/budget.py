"""A budget of memory and processors for all decodes under way.

Images wait for their turn in one of two lanes, each with bytes and places of its own: small images
never wait for large ones, and a stream of small ones never keeps a large one from its turn.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator

from edgeflow.errors import ImageTooLargeError
from edgeflow_backend.errors import OverloadedError

LIGHT_LANE = 8
"""The lane of small images gets one part in so many of the budget."""

LIGHT_IMAGE = 32
"""An image is small if it takes at most one part in so many of the budget."""

WAITING_FILES = 4
"""Files that wait may hold one part in so many of the budget."""


class Lane:
    """Turns in the order of arrival, within a limit of bytes and one of places. Thread-safe."""

    def __init__(self, max_bytes: int, places: int) -> None:
        self.max_bytes = max_bytes
        self._bytes = max_bytes
        self._places = places
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def turn(self, nbytes: int, patience_s: float) -> Iterator[bool]:
        """Wait for a turn, and hold ``nbytes`` and a place inside the ``with``.

        Yields:
            Whether the turn came within ``patience_s``.
        """
        taken = self._take(nbytes, patience_s)
        try:
            yield taken
        finally:
            if taken:
                with self._changed:
                    self._bytes += nbytes
                    self._places += 1
                    self._changed.notify_all()

    def _take(self, nbytes: int, patience_s: float) -> bool:
        ticket, give_up = object(), time.monotonic() + patience_s
        with self._changed:
            self._queue.append(ticket)
            try:
                while not (self._queue[0] is ticket and self._places > 0 and nbytes <= self._bytes):
                    left = give_up - time.monotonic()
                    if left <= 0:
                        return False
                    self._changed.wait(left)
                self._bytes -= nbytes
                self._places -= 1
                return True
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()  # the next one's turn may have come


class Budget:
    """Memory that decodes may hold together. Thread-safe.

    Args:
        max_bytes: Limit of all decodes under way.
        places: Decodes of each lane that run at once.
        patience_s: Seconds that an image waits for its turn.
    """

    def __init__(self, max_bytes: int, *, places: int, patience_s: float) -> None:
        self._light_image = max_bytes // LIGHT_IMAGE
        light = max_bytes // LIGHT_LANE
        self._light = Lane(light, places)
        self._heavy = Lane(max_bytes - light, places)
        self._patience_s = patience_s
        self._room = max_bytes // WAITING_FILES
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def share(self, nbytes: int, file_bytes: int = 0) -> Iterator[None]:
        """Hold a share of the budget inside the ``with``.

        Args:
            nbytes: Memory that the decode takes.
            file_bytes: Memory that the file holds while it waits.

        Raises:
            ImageTooLargeError: The image can never be decoded within the budget.
            OverloadedError: Too many others are being decoded.
        """
        lane = self._light if nbytes <= self._light_image else self._heavy
        if nbytes > lane.max_bytes:
            raise ImageTooLargeError(
                f"decoding the image takes {_megabytes(nbytes)} MB of memory, the limit is "
                f"{_megabytes(lane.max_bytes)}",
                hint="save it as a JPEG or PNG with 8 bits and no alpha, resize it, or raise "
                "EDGEFLOW_DECODE_MEMORY_MB",
            )
        with contextlib.ExitStack() as stack:
            with self._waiting(file_bytes):
                taken = stack.enter_context(lane.turn(nbytes, self._patience_s))
            if not taken:
                raise _overloaded(f"the image waited {self._patience_s:g} s for its turn")
            yield

    @contextlib.contextmanager
    def _waiting(self, file_bytes: int) -> Iterator[None]:
        with self._lock:
            if file_bytes > self._room:
                raise _overloaded("the images that wait fill the memory for them")
            self._room -= file_bytes
        try:
            yield
        finally:
            with self._lock:
                self._room += file_bytes


def _overloaded(reason: str) -> OverloadedError:
    return OverloadedError(
        f"too many large images are being opened at once: {reason}",
        hint="try again in a moment, resize the images, or raise EDGEFLOW_DECODE_MEMORY_MB",
        retry_after_s=10,
    )


def _megabytes(nbytes: int) -> int:
    return -(-nbytes // 1_000_000)
