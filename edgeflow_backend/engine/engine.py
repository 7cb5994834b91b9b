"""One queue in front of the device: network steps of all annotators, in turns and in batches.

Two network runs at once on the same cores take longer than one after the other, so requests wait
here, at most ``queue_limit`` of them, and never past their deadline. One thread takes the steps:
:mod:`edgeflow_backend.engine.schedule` chooses them, :mod:`edgeflow_backend.engine.batching` runs
them.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

from edgeflow.inference.predictor import Prediction, Predictor
from edgeflow.inference.runs import Steps
from edgeflow.inference.state import EncodedImage, State
from edgeflow.prompts.click import Click
from edgeflow.prompts.start import Start
from edgeflow.runtime.base import Runtime, StepOutput
from edgeflow_backend.engine.batching import default_batch, run_together
from edgeflow_backend.engine.schedule import Job, Schedule, Stream
from edgeflow_backend.errors import DeadlineError, NotReadyError, OverloadedError, superseded
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.tracing.spans import current, traced

RETRY_AFTER_S = (1, 60)
"""Shortest and longest time that a refused client is asked to wait."""

FIRST_GUESS_S = 0.1
"""Assumed duration of a step before any was measured."""

NEWEST_WEIGHT = 0.2
"""Weight of the newest step in the running mean of durations."""

T = TypeVar("T")
PrefixStates = ByteLRU[bytes, State]
"""States of click prefixes, by digest; a :class:`edgeflow.inference.predictor.StateStore`."""


class Engine:
    """Runs predictors on their device, with their prefix states. Thread-safe.

    Args:
        predictor: Predictor that answers unless a request names another.
        states: Cache of states.
        queue_limit: Limit of waiting predictions, running ones included.
        max_batch: Limit of steps that run together; 0 for the device's default.
        window_s: Seconds that a request waits for others to run with, while others are active.
        metrics: Counts batches and waiting times.
    """

    def __init__(
        self,
        predictor: Predictor,
        states: PrefixStates,
        *,
        queue_limit: int,
        max_batch: int = 0,
        window_s: float = 0.0,
        metrics: Metrics | None = None,
    ) -> None:
        self.predictor = predictor
        self.states = states
        self._queue_limit = queue_limit
        self._metrics = metrics or Metrics()
        self._schedule = Schedule(
            max_batch=max_batch or default_batch(predictor.runtime.device), window_s=window_s
        )
        self._waiting = 0
        self._step_s = FIRST_GUESS_S
        self._working = False
        self._closed = False
        self._changed = threading.Condition()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="network")

    @traced("network")
    def predict(
        self,
        image: EncodedImage,
        clicks: Sequence[Click],
        *,
        deadline: float,
        predictor: Predictor | None = None,
        start: Start | None = None,
        stream: Stream | None = None,
        marks: frozenset[Hashable] = frozenset(),
    ) -> Prediction:
        """Answer a sequence of clicks.

        Args:
            image: Image on the predictor's device.
            clicks: Clicks in image pixels.
            deadline: Latest time on ``time.monotonic``'s clock.
            predictor: Another model on the same device; the engine's own by default.
            start: Outline or prior mask that the object begins with; by default none.
            stream: Object that the clicks belong to; a new one by default.
            marks: Identifies the clicks within the stream; see
                :class:`edgeflow_backend.engine.schedule.Job`.

        Raises:
            PromptError: The clicks are not on the image, or there are none.
            OverloadedError: Too many requests are waiting already.
            SupersededError: A newer request of the same stream came before this one ran.
            DeadlineError: The answer is not there in time.
            NotReadyError: The engine is closed.
        """
        chosen = predictor or self.predictor
        steps = chosen.predicting(image, clicks, self.states, start=start)
        return self.take(steps, chosen.runtime, deadline=deadline, stream=stream, marks=marks)

    def take(
        self,
        steps: Steps[T],
        runtime: Runtime,
        *,
        deadline: float,
        stream: Stream | None = None,
        marks: frozenset[Hashable] = frozenset(),
    ) -> T:
        """Take network steps in turn with all others.

        Args:
            steps: A generator that has not begun yet.
            runtime: Runs them, on the engine's device.
            deadline: As in :meth:`predict`, and so are the others and the errors.
            stream: Who asks; a new one by default.
            marks: Identifies what is asked within the stream.

        Returns:
            What the generator returns.
        """
        job = Job(
            stream=stream or Stream(object(), None),
            steps=steps,
            runtime=runtime,
            arrived=time.monotonic(),
            deadline=deadline,
            marks=marks,
            span=current(),
        )
        self._admit(job)
        try:
            answer: T = job.answer.result(timeout=max(deadline - time.monotonic(), 0.0))
        except FutureTimeoutError as error:
            if job.answer.cancel():
                raise DeadlineError(
                    "the prediction was not there in time",
                    hint="too many annotators for this machine, or too many clicks on one object",
                ) from error
            # It was just answered, or failed with a timeout of its own.
            answer = job.answer.result()
        finally:
            with self._changed:
                self._waiting -= 1
        return answer

    @property
    def waiting(self) -> int:
        """Predictions that wait for the network, running ones included."""
        with self._changed:
            return self._waiting

    def close(self) -> None:
        """Stop; predictions that have had a network run may finish."""
        with self._changed:
            self._closed = True
            for job in self._schedule.remove_waiting():
                self._settle(job, _closed())
            self._changed.notify_all()
        self._worker.shutdown(wait=False)

    def _admit(self, job: Job) -> None:
        with self._changed:
            if self._closed:
                raise _closed()
            leaving = len(self._schedule.superseded_by(job))  # this click takes their place
            if self._waiting - leaving >= self._queue_limit:
                least, most = RETRY_AFTER_S
                drained_s = math.ceil(self._waiting * self._step_s)
                raise OverloadedError(
                    f"{self._waiting} predictions are waiting already",
                    hint="try again in a moment, or add a backend",
                    retry_after_s=min(max(drained_s, least), most),
                )
            if not self._working:
                self._worker.submit(self._work)
                self._working = True
            self._waiting += 1
            for older in self._schedule.add(job):
                self._metrics.superseded.inc()
                self._settle(older, superseded())
            self._changed.notify_all()

    def _work(self) -> None:
        """Take steps until nothing waits."""
        while True:
            try:
                if not self._gather():
                    return
                self._take_steps()
            except Exception as error:  # noqa: BLE001 - a defect here must not hang annotators
                with self._changed:
                    for job in self._schedule.remove_all():
                        self._settle(job, error)

    def _gather(self) -> bool:
        """Wait until steps should be taken; False if nothing waits, so that the work is over."""
        with self._changed:
            while True:
                now = time.monotonic()
                self._schedule.remove_idle(now)  # callers notice the deadline by themselves
                if not len(self._schedule):
                    self._working = False
                    return False
                patience = self._schedule.patience(now)
                if patience <= 0:
                    return True
                self._changed.wait(patience)

    def _take_steps(self) -> None:
        """Take one network run, for as many streams as can share it."""
        started = time.monotonic()
        batch = self._choose()
        if not batch:
            return
        for job in batch:
            if job.runs == 1:
                self._note_waited(job)
        self._metrics.batch_size.observe(len(batch))
        inputs = [job.next_step for job in batch if job.next_step is not None]
        begun = time.monotonic()
        outputs = run_together(batch[0].runtime, inputs)
        ran_s = time.monotonic() - begun
        for job in batch:
            job.span.past("network step", ran_s, number=job.runs, batch=len(batch))
        for job, output in zip(batch, outputs, strict=True):
            self._advance(job, output)
        newest = (time.monotonic() - started) / len(batch)
        with self._changed:
            self._step_s += NEWEST_WEIGHT * (newest - self._step_s)

    def _choose(self) -> list[Job]:
        while True:
            with self._changed:
                unbegun = self._schedule.unbegun()
                if not unbegun:
                    return self._schedule.batch()
            for job in unbegun:
                self._advance(job)

    def _advance(self, job: Job, output: StepOutput | Exception | None = None) -> None:
        """Bring a job to its next network step, or to its end."""
        outcome: object
        try:
            if output is None:
                job.next_step = next(job.steps)
            elif isinstance(output, Exception):
                job.next_step = job.steps.throw(output)
            else:
                job.next_step = job.steps.send(output)
        except StopIteration as done:
            outcome = done.value
            if job.runs == 0:
                self._note_waited(job)
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            outcome = error
        else:
            return
        with self._changed:
            self._schedule.finish(job)
            self._settle(job, outcome)

    def _note_waited(self, job: Job) -> None:
        waited_s = time.monotonic() - job.arrived
        self._metrics.queue_seconds.observe(waited_s)
        job.span.past("queue", waited_s)

    @staticmethod
    def _settle(job: Job, outcome: object) -> None:
        """Answer a job once, unless its caller has given up. The lock must be held."""
        if job.answer.done() or not job.answer.set_running_or_notify_cancel():
            return
        if isinstance(outcome, Exception):
            job.answer.set_exception(outcome)
        else:
            job.answer.set_result(outcome)


def _closed() -> NotReadyError:
    return NotReadyError("the backend is being stopped", hint="try again in a few seconds")
