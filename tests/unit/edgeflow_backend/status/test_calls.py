from __future__ import annotations

from datetime import timedelta

from edgeflow_backend.status.calls import MAX_CALLS, Calls
from tests.unit.edgeflow_backend.status.clock import START, Clock


def test_calls_of_a_kind_and_project_are_counted_and_the_last_one_is_told(clock: Clock) -> None:
    calls = Calls(clock)
    calls.note("12", "training", "nothing")
    calls.note("12", "predictions", "0 of 1", "first hint")
    clock.sleep(seconds=5)
    calls.note("12", "predictions", "2 of 3")
    predictions, training = calls.recent()
    assert (predictions.count, predictions.message, predictions.hint) == (2, "2 of 3", "")
    assert predictions.last == START + timedelta(seconds=5)
    assert (training.count, training.kind) == (1, "training")


def test_the_memory_is_bounded() -> None:
    calls = Calls()
    for project in range(MAX_CALLS + 5):
        calls.note(str(project), "training", "x" * 10_000)
    assert len(calls.recent()) == MAX_CALLS
    assert len(calls.recent()[0].message) <= 600
