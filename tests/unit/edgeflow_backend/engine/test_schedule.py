"""Whose turn it is, on a clock of our own and without a network."""

from __future__ import annotations

import heapq
import random
import statistics
from collections.abc import Callable, Hashable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.inference.predictor import Prediction
from edgeflow.inference.runs import StepInput, Steps
from edgeflow.runtime.base import StepOutput
from edgeflow_backend.engine.schedule import LATELY_S, Job, Schedule, Stream
from tests.unit.edgeflow.samples import FakeRuntime

RUNTIME = FakeRuntime()
OTHER_RUNTIME = FakeRuntime()


def no_steps() -> Steps[Prediction]:
    output: StepOutput = yield StepInput(torch.zeros(0), torch.zeros(0))
    raise AssertionError(output)


def job(
    who: Hashable = "ann",
    *marks: Hashable,
    at: float = 0.0,
    deadline: float = 1000.0,
    runtime: FakeRuntime = RUNTIME,
    side: int | None = 32,
    place: Hashable = None,
) -> Job:
    """A job that is begun and wants a step of ``side``; None for one that is not begun."""
    made = Job(
        stream=Stream(place or f"task of {who}", who),
        steps=no_steps(),
        runtime=runtime,
        arrived=at,
        deadline=deadline,
        marks=frozenset(marks),
    )
    if side is not None:
        made.next_step = StepInput(torch.zeros(1, 3, side, 64), torch.zeros(1, 3, side, 64))
    return made


def schedule(*jobs: Job, max_batch: int = 1, window_s: float = 0.0) -> Schedule:
    made = Schedule(max_batch=max_batch, window_s=window_s)
    for one in jobs:
        made.add(one)
    return made


def names(jobs: list[Job]) -> list[Hashable]:
    return [job.stream.object for job in jobs]


# Turns


def test_nothing_waits_at_first() -> None:
    empty = schedule()
    assert len(empty) == 0
    assert empty.batch() == []
    assert empty.unbegun() == []
    assert empty.patience(5.0) == 0.0


def test_streams_take_turns_a_step_each() -> None:
    turns = schedule(job("ann"), job("ben"), job("cat"))
    assert [names(turns.batch()) for _ in range(7)] == [
        ["ann"], ["ben"], ["cat"], ["ann"], ["ben"], ["cat"], ["ann"],
    ]  # fmt: skip


def test_a_long_replay_holds_up_a_single_click_by_one_step() -> None:
    replay = job("replay")
    turns = schedule(replay)
    for _ in range(5):
        assert turns.batch() == [replay]
    single = job("single")
    turns.add(single)
    assert [names(turns.batch()) for _ in range(2)] == [["replay"], ["single"]]
    turns.finish(single)
    assert turns.batch() == [replay]


def test_within_a_stream_the_first_request_is_answered_first() -> None:
    first, second = job("ann"), job("ann")
    turns = schedule(first, second)
    assert [turns.batch() for _ in range(3)] == [[first]] * 3
    turns.finish(first)
    assert turns.batch() == [second]


def test_many_requests_of_one_stream_do_not_delay_another_streams() -> None:
    flood = [job("flood") for _ in range(10)]
    turns = schedule(*flood, job("ann"))
    for one in flood[:2]:
        assert turns.batch() == [one]
        turns.finish(one)
        assert names(turns.batch()) == ["ann"]


def test_an_answer_that_took_no_run_was_its_streams_turn() -> None:
    known, next_one, other = job("ann"), job("ann"), job("ben")
    turns = schedule(known, next_one, other)
    turns.finish(known)
    assert [turns.batch() for _ in range(2)] == [[other], [next_one]]


def test_what_is_finished_waits_no_more_and_may_be_finished_twice() -> None:
    one = job()
    turns = schedule(one)
    turns.finish(one)
    turns.finish(one)
    assert len(turns) == 0
    assert turns.batch() == []


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(1, 4))
def test_no_stream_waits_longer_than_all_others_take_for_a_turn(
    arrivals: list[int], max_batch: int
) -> None:
    turns = schedule(*(job(who) for who in arrivals), max_batch=max_batch)
    streams = set(arrivals)
    waited = dict.fromkeys(streams, 0)
    for _ in range(20):
        ran = set(names(turns.batch()))
        assert 1 <= len(ran) <= max_batch
        for who in streams:
            waited[who] = 0 if who in ran else waited[who] + 1
            assert waited[who] < len(streams)


STEP_S = 0.06
"""One network step of EdgeFlow-Lite on two cores (docs/throughput.md)."""


def waits(*, think: Callable[[], float], annotators: int = 20, until: float = 600.0) -> list[float]:
    """From click to answer, in steps, where everybody clicks, waits, thinks and clicks again."""
    turns = schedule()
    clicks = [(think(), who) for who in range(annotators)]
    heapq.heapify(clicks)
    now, waited = 0.0, []
    while now < until:
        while clicks and (clicks[0][0] <= now or not len(turns)):
            at, who = heapq.heappop(clicks)
            now = max(now, at)
            turns.add(job(who, at=at))
        (ran,) = turns.batch()
        turns.finish(ran)
        now += STEP_S
        waited.append((now - ran.arrived) / STEP_S)
        heapq.heappush(clicks, (now + think(), int(str(ran.stream.object))))
    return waited


@pytest.mark.parametrize("even", [True, False])
def test_twenty_annotators_who_think_for_two_seconds_wait_four_steps_at_most(*, even: bool) -> None:
    chance = random.Random(5)
    waited = waits(think=lambda: 2.0 + chance.random() / 100 if even else chance.expovariate(0.5))
    assert len(waited) > 5000
    assert statistics.quantiles(waited, n=20)[-1] <= 4
    assert max(waited) <= 20


# Batches


def test_steps_of_different_streams_run_together_up_to_the_limit() -> None:
    turns = schedule(*(job(who) for who in "abcde"), max_batch=3)
    assert [names(turns.batch()) for _ in range(3)] == [list("abc"), list("dea"), list("bcd")]


def test_a_stream_is_once_in_a_batch() -> None:
    turns = schedule(job("ann"), job("ann"), job("ben"), max_batch=8)
    assert names(turns.batch()) == ["ann", "ben"]


def test_only_equal_shapes_run_together_and_the_others_come_next() -> None:
    turns = schedule(
        job("a", side=32), job("b", side=64), job("c", side=32), job("d", side=64), max_batch=8
    )
    assert [names(turns.batch()) for _ in range(3)] == [["a", "c"], ["b", "d"], ["a", "c"]]


def test_only_steps_of_one_runtime_run_together() -> None:
    turns = schedule(job("a"), job("b", runtime=OTHER_RUNTIME), job("c"), max_batch=8)
    assert [names(turns.batch()) for _ in range(2)] == [["a", "c"], ["b"]]


def test_only_the_jobs_whose_turn_it_is_are_to_be_begun() -> None:
    turns = schedule(*(job(who, side=None) for who in "abc"), job("a", side=None), max_batch=2)
    assert names(turns.unbegun()) == ["a", "b"]
    begun = schedule(job("a"), job("b", side=None), max_batch=2)
    assert names(begun.unbegun()) == ["b"]


def test_steps_are_counted() -> None:
    one = job()
    turns = schedule(one)
    for count in (1, 2, 3):
        turns.batch()
        assert one.runs == count


# The window

WINDOW_S = 0.005


def test_a_lone_annotator_never_waits_for_company() -> None:
    alone = schedule(max_batch=8, window_s=WINDOW_S)
    for second in range(5):
        mine = job("ann", at=float(second))
        alone.add(mine)
        assert alone.patience(float(second)) == 0.0
        alone.batch()
        alone.finish(mine)


def company(*, at: float, max_batch: int = 8, window_s: float = WINDOW_S) -> Schedule:
    """Ben's request was answered at 0; Ann's arrives."""
    bens = job("ben", at=0.0)
    made = schedule(bens, max_batch=max_batch, window_s=window_s)
    made.batch()
    made.finish(bens)
    made.add(job("ann", at=at))
    return made


def test_with_others_about_a_request_waits_for_the_window_and_no_longer() -> None:
    waiting = company(at=0.5)
    assert waiting.patience(0.5) == pytest.approx(WINDOW_S)
    assert waiting.patience(0.503) == pytest.approx(0.002)
    assert waiting.patience(0.505) == pytest.approx(0.0)
    assert waiting.patience(0.6) == 0.0


def test_others_that_have_gone_quiet_are_not_waited_for() -> None:
    assert company(at=LATELY_S + 0.01).patience(LATELY_S + 0.01) == 0.0


def test_others_that_are_all_here_are_not_waited_for() -> None:
    waiting = company(at=0.5)
    waiting.add(job("ben", at=0.501))
    assert waiting.patience(0.501) == 0.0


def test_an_annotators_own_last_object_is_no_company() -> None:
    last = job("first object", at=0.0, place="task 7")
    turns = schedule(last, max_batch=8, window_s=WINDOW_S)
    turns.batch()
    turns.finish(last)
    turns.add(job("next object", at=0.5, place="task 7"))
    assert turns.patience(0.5) == 0.0


@pytest.mark.parametrize("changes", [{"max_batch": 1}, {"window_s": 0.0}], ids=str)
def test_without_batches_or_without_a_window_nobody_waits(changes: dict[str, int]) -> None:
    assert company(at=0.5, **changes).patience(0.5) == 0.0


def test_a_full_batch_waits_for_nobody() -> None:
    waiting = company(at=0.5, max_batch=2)
    waiting.add(job("cat", at=0.501))
    assert waiting.patience(0.501) == 0.0


def test_later_steps_of_a_replay_do_not_wait_again() -> None:
    waiting = company(at=0.5)
    waiting.batch()
    waiting.add(job("cat", at=0.6, side=None))
    waiting.add(job("dan", at=0.6, side=None))
    assert waiting.patience(0.6) == 0.0


# What is superseded


def test_a_newer_click_supersedes_the_request_before_it() -> None:
    older, newer = job("ann", 1), job("ann", 1, 2)
    turns = schedule(older)
    assert turns.add(newer) == [older]
    assert turns.batch() == [newer]
    assert len(turns) == 1


def test_a_moved_point_supersedes_the_request_with_it_in_its_old_place() -> None:
    older, newer = job("ann", ("p", 10), ("q", 5)), job("ann", ("p", 20), ("q", 5))
    assert schedule(older).add(newer) == [older]


def test_a_click_after_an_undo_supersedes_what_was_undone() -> None:
    older, newer = job("ann", 1, 2, 3), job("ann", 1, 4)
    assert schedule(older).add(newer) == [older]


def test_all_older_requests_of_the_stream_are_superseded_at_once() -> None:
    older = [job("ann", 1), job("ann", 2)]
    turns = schedule(older[0])
    assert turns.add(older[1]) == older[:1]
    older_still_there = job("ann", 1, 2, 3)
    assert turns.add(older_still_there) == older[1:]


def test_a_repeated_request_displaces_nobody() -> None:
    """Label Studio repeats a request whose connection broke; whoever waits wants that answer."""
    first, again = job("ann", 1, 2), job("ann", 1, 2)
    assert schedule(first).add(again) == []


def test_a_request_that_was_overtaken_on_its_way_displaces_nobody() -> None:
    assert schedule(job("ann", 1, 2)).add(job("ann", 1)) == []


def test_another_annotators_request_is_never_superseded() -> None:
    turns = schedule(job("ben", 1, place="task 7"))
    assert turns.add(job("ann", 1, 2, place="task 7")) == []
    assert turns.add(job("ann", 9, 8, place="task 8")) == []


def test_requests_without_marks_are_neither_superseded_nor_do_they_supersede() -> None:
    unmarked = job("ann")
    turns = schedule(unmarked)
    marked = job("ann", 1)
    assert turns.add(marked) == []
    assert turns.add(job("ann")) == []


def test_what_has_had_the_network_is_not_superseded() -> None:
    older = job("ann", 1)
    turns = schedule(older)
    turns.batch()
    assert turns.add(job("ann", 1, 2)) == []
    assert turns.batch() == [older]


def test_what_is_begun_and_has_not_had_the_network_is_superseded() -> None:
    turns = schedule(job("ben"), older := job("ann", 1))
    turns.batch()
    assert turns.add(job("ann", 2)) == [older]


# What leaves


def test_requests_past_their_deadline_and_abandoned_ones_leave() -> None:
    late, abandoned, fine = job("late", deadline=5.0), job("abandoned"), job("fine")
    turns = schedule(late, abandoned, fine)
    assert turns.remove_idle(4.9) == []
    abandoned.answer.cancel()
    assert turns.remove_idle(5.0) == [late, abandoned]
    assert turns.batch() == [fine]


def test_a_replay_that_is_abandoned_between_two_steps_leaves() -> None:
    replay = job()
    turns = schedule(replay)
    turns.batch()
    replay.answer.cancel()
    assert turns.remove_idle(0.0) == [replay]
    assert len(turns) == 0


def test_those_who_have_not_had_the_network_can_be_sent_away() -> None:
    running, waiting, behind = job("ann"), job("ben"), job("ann")
    turns = schedule(running, waiting, behind)
    turns.batch()
    assert set(turns.remove_waiting()) == {waiting, behind}
    assert turns.batch() == [running]


def test_everybody_can_be_sent_away() -> None:
    jobs = [job("ann"), job("ben"), job("ann")]
    turns = schedule(*jobs)
    turns.batch()
    assert set(turns.remove_all()) == set(jobs)
    assert len(turns) == 0
