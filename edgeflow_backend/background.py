"""A value that is made in the background, while the server already answers ``/health``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.errors import NotReadyError
from edgeflow_backend.log import get_logger

PATIENCE_S = 30.0
"""How long a request waits for a model that is still loading, unless it says otherwise."""

T = TypeVar("T")


class Background(Generic[T]):
    """Loads the model, or what is built on it, once and in a thread of its own.

    Args:
        make: Function that makes the value.
        patience_s: How long a request waits for it, unless it says otherwise.
    """

    def __init__(self, make: Callable[[], T], patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
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

    def get(self, patience_s: float | None = None) -> T:
        """The value, for a request that cannot be answered without it.

        Raises:
            NotReadyError: It is not there in time, or could not be made.
        """
        if not self._done.wait(self._patience_s if patience_s is None else patience_s):
            raise NotReadyError("the model is still loading", hint="try again in a few seconds")
        failure = self._failure
        if failure is None:
            return cast("T", self._value)
        reason = failure.message if isinstance(failure, EdgeFlowError) else type(failure).__name__
        raise NotReadyError(
            f"the model could not be loaded: {reason}", hint="run `edgeflow-backend doctor`"
        )

    def _run(self, make: Callable[[], T]) -> None:
        try:
            self._value = make()
        except BaseException as error:  # noqa: BLE001 - reported to callers that ask for the value
            get_logger().error("loading failed", exc_info=error)
            self._failure = error
        self._done.set()
