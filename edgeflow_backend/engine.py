"""One queue in front of the device: network steps run one after the other, in order of arrival.

Two network runs at once on the same cores take longer than one after the other, so requests wait
here, at most ``queue_limit`` of them, and never past their deadline.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

from edgeflow.predictor import EncodedImage, Prediction, Predictor
from edgeflow.prompts import Click
from edgeflow.starts import Start
from edgeflow_backend.cache import PrefixStates
from edgeflow_backend.errors import DeadlineError, OverloadedError


class Engine:
    """Runs a predictor on its device, with its prefix states. Thread-safe."""

    def __init__(self, predictor: Predictor, states: PrefixStates, *, queue_limit: int) -> None:
        self.predictor = predictor
        self.states = states
        self._queue_limit = queue_limit
        self._waiting = 0
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="network")

    def predict(
        self,
        image: EncodedImage,
        clicks: Sequence[Click],
        *,
        deadline: float,
        predictor: Predictor | None = None,
        start: Start | None = None,
    ) -> Prediction:
        """Answer a sequence of clicks.

        Args:
            image: the picture, on the predictor's device.
            clicks: in image pixels.
            deadline: on ``time.monotonic``'s clock.
            predictor: another model on the same device; the engine's own by default.
            start: what the object begins with, instead of nothing.

        Raises:
            OverloadedError: too many requests wait already.
            DeadlineError: the answer is not there in time.
        """
        with self._lock:
            if self._waiting >= self._queue_limit:
                raise OverloadedError(
                    f"{self._waiting} predictions are waiting already",
                    hint="try again in a moment, or add a backend",
                )
            self._waiting += 1
        try:
            run = (predictor or self.predictor).predict
            future = self._worker.submit(run, image, clicks, self.states, start=start)
            try:
                return future.result(timeout=max(deadline - time.monotonic(), 0.0))
            except FutureTimeoutError as error:
                future.cancel()
                raise DeadlineError(
                    "the prediction was not there in time",
                    hint="too many annotators for this machine, or too many clicks on one object",
                ) from error
        finally:
            with self._lock:
                self._waiting -= 1

    @property
    def waiting(self) -> int:
        """Predictions that wait for the network, with the one that runs."""
        with self._lock:
            return self._waiting

    def close(self) -> None:
        """Stop; what runs may finish."""
        self._worker.shutdown(wait=False, cancel_futures=True)
