"""Decides whose network step is next, without threads and without a clock.

A *stream* is one object that somebody is clicking. Streams take turns, a step each, so that a
replay of twenty clicks does not hold up another annotator's single one. Within a stream, requests
are answered one after the other, since a later one needs the states of the earlier ones.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edgeflow.inference.runs import StepInput, Steps
from edgeflow.runtime.base import Runtime
from edgeflow_backend.tracing.spans import NO_SPAN, Span

LATELY_S = 1.0
"""A place whose last request is younger than this may send another within the window."""


class Stream(NamedTuple):
    """One object that somebody is clicking.

    Attributes:
        place: Task and control that it belongs to.
        object: Distinguishes the objects, and so the annotators, in one place.
    """

    place: Hashable
    object: Hashable


@dataclass(eq=False)
class Job:
    """Something that waits for its network steps: a prediction, or a search for similar objects.

    Attributes:
        stream: Object that it belongs to.
        steps: Network steps that lead to the answer.
        runtime: Runtime that runs the network.
        arrived: Time of arrival, in seconds on the clock of the schedule's caller.
        deadline: Time after which it is not run, on the same clock.
        marks: Identifies its clicks. Empty if nothing does; then it neither supersedes nor is
            superseded.
        span: Where its waiting and its steps are traced.
        answer: Future that its caller waits for.
        next_step: Input of the next network step; None before the steps are begun.
        runs: Network steps taken so far, including the one in progress.
    """

    stream: Stream
    steps: Steps[Any]
    runtime: Runtime
    arrived: float
    deadline: float
    marks: frozenset[Hashable] = frozenset()
    span: Span = NO_SPAN
    answer: Future[Any] = field(default_factory=Future)
    next_step: StepInput | None = None
    runs: int = 0

    @property
    def group(self) -> Hashable:
        """Equal for steps that can run together."""
        return id(self.runtime), self.next_step and tuple(part.shape for part in self.next_step)

    def supersedes(self, older: Job) -> bool:
        """Whether this request makes ``older`` obsolete.

        The older one must be of the same stream, must not have had a network run, and must lack a
        click that this one has. So neither a repeated request nor a late one with fewer clicks
        displaces another.
        """
        return (
            older.stream == self.stream
            and older.runs == 0
            and bool(older.marks)
            and not self.marks <= older.marks
        )


class Schedule:
    """The jobs that wait for one device. Not thread-safe: the caller must hold a lock.

    Args:
        max_batch: Limit of steps that run together.
        window_s: Seconds that a request waits for others to run with.
    """

    def __init__(self, *, max_batch: int, window_s: float) -> None:
        self._max_batch = max_batch
        self._window_s = window_s
        self._turns: OrderedDict[Stream, deque[Job]] = OrderedDict()
        self._last_arrivals: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return sum(map(len, self._turns.values()))

    def add(self, job: Job) -> list[Job]:
        """Queue ``job``; remove and return the jobs that it supersedes."""
        self._last_arrivals = {
            place: when
            for place, when in self._last_arrivals.items()
            if job.arrived - when < LATELY_S
        }
        self._last_arrivals[job.stream.place] = job.arrived
        superseded = self.superseded_by(job)
        jobs = self._turns.setdefault(job.stream, deque())
        for older in superseded:
            jobs.remove(older)
        jobs.append(job)
        return superseded

    def superseded_by(self, job: Job) -> list[Job]:
        """The waiting jobs that ``job`` would supersede."""
        return [older for older in self._turns.get(job.stream, ()) if job.supersedes(older)]

    def finish(self, job: Job) -> None:
        """Remove ``job``, which is answered; nothing happens if it is not queued.

        An answer without a network run counts as its stream's turn, too.
        """
        if job in self._turns.get(job.stream, ()):
            if job.runs == 0:
                self._turns.move_to_end(job.stream)
            self._remove(job)

    def remove_idle(self, now: float) -> list[Job]:
        """Remove and return the jobs whose deadline has passed or whose caller has given up."""
        idle = [job for job in self._jobs() if job.deadline <= now or job.answer.cancelled()]
        for job in idle:
            self._remove(job)
        return idle

    def remove_waiting(self) -> list[Job]:
        """Remove and return the jobs that have not had a network run yet."""
        waiting = [job for job in self._jobs() if job.runs == 0]
        for job in waiting:
            self._remove(job)
        return waiting

    def remove_all(self) -> list[Job]:
        """Remove and return all jobs."""
        jobs = self._jobs()
        self._turns.clear()
        return jobs

    def patience(self, now: float) -> float:
        """Seconds that the next batch should still wait for more steps; 0 to run it now.

        It waits for the window at most, counted from the arrival of the request whose turn it is,
        and only if the batch has room and another place was active lately, which may send a click.
        """
        first = next(iter(self._turns.values()), None)
        if first is None or len(self._turns) >= self._max_batch:
            return 0.0
        here = {stream.place for stream in self._turns}
        expected = any(
            now - when < LATELY_S
            for place, when in self._last_arrivals.items()
            if place not in here
        )
        return max(first[0].arrived + self._window_s - now, 0.0) if expected else 0.0

    def unbegun(self) -> list[Job]:
        """The jobs whose turn it is and that must be begun before a batch can be chosen."""
        return [job for job in self._next() if job.next_step is None]

    def batch(self) -> list[Job]:
        """Choose the steps to run now, in turn order; this counts as their streams' turn.

        The stream that has waited longest is always among them; others whose turn it is join if
        their steps have the same runtime and shapes. All must be begun. Empty if nothing waits.
        """
        ready = self._next()
        chosen = [job for job in ready if job.group == ready[0].group]
        for job in chosen:
            job.runs += 1
            self._turns.move_to_end(job.stream)
        return chosen

    def _remove(self, job: Job) -> None:
        jobs = self._turns[job.stream]
        jobs.remove(job)
        if not jobs:
            del self._turns[job.stream]

    def _next(self) -> list[Job]:
        turns = list(self._turns.values())[: self._max_batch]
        return [jobs[0] for jobs in turns]

    def _jobs(self) -> list[Job]:
        return [job for jobs in self._turns.values() for job in jobs]
