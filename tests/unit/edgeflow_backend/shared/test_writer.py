from __future__ import annotations

import threading

from edgeflow_backend.shared.writer import Writer


class Held:
    """A writer whose thread is busy until it is let go."""

    def __init__(self, max_bytes: int = 100, max_depth: int = 10) -> None:
        self.written: list[int] = []
        self.dropped = 0
        self.go, self.started = threading.Event(), threading.Event()
        self.writer = Writer(max_bytes, max_depth, self._drop)
        self.writer.add(self._hold, 0)
        assert self.started.wait(5)

    def _hold(self) -> None:
        self.started.set()
        self.go.wait(5)

    def _drop(self) -> None:
        self.dropped += 1

    def add(self, number: int, nbytes: int = 1) -> None:
        self.writer.add(lambda: self.written.append(number), nbytes)

    def finish(self) -> list[int]:
        self.go.set()
        assert self.writer.flush(5)
        return self.written


def test_writes_are_made_in_turn() -> None:
    held = Held()
    for number in range(5):
        held.add(number)
    assert held.finish() == [0, 1, 2, 3, 4]
    assert held.dropped == 0


def test_the_oldest_are_dropped_for_want_of_room() -> None:
    held = Held(max_bytes=100)
    for number in range(5):
        held.add(number, nbytes=40)
    assert held.finish() == [3, 4]
    assert held.dropped == 3


def test_the_oldest_are_dropped_where_there_are_too_many() -> None:
    held = Held(max_depth=2)
    for number in range(5):
        held.add(number)
    assert held.finish() == [3, 4]


def test_what_is_larger_than_all_room_is_dropped() -> None:
    held = Held(max_bytes=100)
    held.add(1, nbytes=101)
    assert held.finish() == []


def test_a_write_that_fails_costs_no_other() -> None:
    held = Held()
    held.writer.add(lambda: held.written.remove(99), 1)
    held.add(1)
    assert held.finish() == [1]


def test_waiting_ends_in_time_and_closing_forgets_the_rest() -> None:
    held = Held()
    held.add(1)
    assert not held.writer.flush(0.01)
    held.writer.close()
    held.go.set()
    held.writer._thread.join(5)
    assert held.written == []
