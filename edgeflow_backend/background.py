"""A value that is made in the background, while the server already answers ``/health``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from edgeflow_backend.log import get_logger

T = TypeVar("T")


class Background(Generic[T]):
    """Runs ``make`` once, in a thread of its own."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._done = threading.Event()
        self._value: T | None = None
        self._failure: BaseException | None = None
        threading.Thread(target=self._run, args=(make,), name="loading", daemon=True).start()

    def ready(self) -> bool:
        """Whether the value is there."""
        return self._done.is_set() and self._failure is None

    def failure(self) -> BaseException | None:
        """Why there will be no value; None while it is being made, or once it is there."""
        return self._failure

    def wait(self, timeout_s: float) -> T | None:
        """The value, or None if it is not there in time (or never will be)."""
        self._done.wait(timeout_s)
        return self._value

    def _run(self, make: Callable[[], T]) -> None:
        try:
            self._value = make()
        except BaseException as error:  # noqa: BLE001 - kept for whoever asks for the value
            get_logger().error("loading failed", exc_info=error)
            self._failure = error
        self._done.set()
