"""Whose network step is next: plain decisions over what waits, without threads and without a clock.

A *stream* is one object that somebody is clicking. Streams take turns, a step each, so that twenty
clicks that must be replayed do not hold up anybody's single one; within a stream requests are
answered one after the other, since a later one needs the states that an earlier one leaves.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from edgeflow.inference.predictor import Prediction
from edgeflow.inference.steps import StepInput, Steps
from edgeflow.runtime.base import Runtime

LATELY_S = 1.0
"""A place whose last request is younger may well send the next one within the window."""


class Stream(NamedTuple):
    """One object that somebody is clicking.

    Attributes:
        place: the task and control in which it is.
        object: tells apart the objects, and so the annotators, in one place.
    """

    place: Hashable
    object: Hashable


@dataclass(eq=False)
class Job:
    """A prediction that waits for its network steps.

    Attributes:
        stream: whose it is.
        steps: what the network is to be shown.
        runtime: which runs the network.
        arrived: seconds on the clock that the schedule is asked with.
        deadline: likewise; it is not run after that.
        marks: what identifies its clicks; empty where nothing does, and then it is neither
            superseded nor supersedes.
        answer: where the answer is awaited.
        wanted: what the network is to be shown next; None before the steps are begun.
        runs: network steps taken so far, with the one that is being taken.
    """

    stream: Stream
    steps: Steps[Prediction]
    runtime: Runtime
    arrived: float
    deadline: float
    marks: frozenset[Hashable] = frozenset()
    answer: Future[Prediction] = field(default_factory=Future)
    wanted: StepInput | None = None
    runs: int = 0

    @property
    def group(self) -> Hashable:
        """Equal for steps that can run together."""
        return id(self.runtime), self.wanted and tuple(part.shape for part in self.wanted)

    def supersedes(self, older: Job) -> bool:
        """Whether nobody waits for ``older`` any more once this request is there.

        It must be of the same stream, not have had the network, and lack a click that this one
        has. So neither a repeated request nor a late one with fewer clicks displaces another.
        """
        return (
            older.stream == self.stream
            and older.runs == 0
            and bool(older.marks)
            and not self.marks <= older.marks
        )


class Schedule:
    """What waits for one device. Not thread-safe: who asks holds a lock.

    Args:
        max_batch: steps that run together at most.
        window_s: how long a request waits for others to run with.
    """

    def __init__(self, *, max_batch: int, window_s: float) -> None:
        self._max_batch = max_batch
        self._window_s = window_s
        self._turns: OrderedDict[Stream, deque[Job]] = OrderedDict()
        self._seen: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return sum(map(len, self._turns.values()))

    def add(self, job: Job) -> list[Job]:
        """Let ``job`` wait; return the jobs that it supersedes, which wait no more."""
        self._seen = {
            place: when for place, when in self._seen.items() if job.arrived - when < LATELY_S
        }
        self._seen[job.stream.place] = job.arrived
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
        """Forget ``job``, which is answered; nothing happens if it does not wait.

        An answer that took no network run was its stream's turn, too.
        """
        if job in self._turns.get(job.stream, ()):
            if job.runs == 0:
                self._turns.move_to_end(job.stream)
            self._remove(job)

    def remove_idle(self, now: float) -> list[Job]:
        """Forget and return the jobs whose deadline has passed or whose answer nobody awaits."""
        idle = [job for job in self._jobs() if job.deadline <= now or job.answer.cancelled()]
        for job in idle:
            self._remove(job)
        return idle

    def remove_waiting(self) -> list[Job]:
        """Forget and return the jobs that have not had the network yet."""
        waiting = [job for job in self._jobs() if job.runs == 0]
        for job in waiting:
            self._remove(job)
        return waiting

    def remove_all(self) -> list[Job]:
        """Forget and return everything."""
        jobs = self._jobs()
        self._turns.clear()
        return jobs

    def patience(self, now: float) -> float:
        """Seconds for which the next batch should still wait for company; 0 to run it now.

        It waits at most the window from the arrival of the request whose turn it is, and only
        where the batch has room and somebody else was active lately, who may send a click.
        """
        first = next(iter(self._turns.values()), None)
        if first is None or len(self._turns) >= self._max_batch:
            return 0.0
        here = {stream.place for stream in self._turns}
        expected = any(
            now - when < LATELY_S for place, when in self._seen.items() if place not in here
        )
        return max(first[0].arrived + self._window_s - now, 0.0) if expected else 0.0

    def unbegun(self) -> list[Job]:
        """Of the jobs whose turn it is, those that must be begun before a batch can be chosen."""
        return [job for job in self._next() if job.wanted is None]

    def batch(self) -> list[Job]:
        """The steps to run now, in turn order; their streams have had their turn.

        The stream that has waited longest is always in it; others whose turn it is join if their
        steps have the same runtime and shapes. All must be begun. Empty if nothing waits.
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
