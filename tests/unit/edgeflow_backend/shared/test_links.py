from __future__ import annotations

import threading
import time

import pytest

from edgeflow_backend.shared.links import Links


class Line:
    """A connection whose work waits until somebody hangs up."""

    def __init__(self) -> None:
        self.connected = True
        self.ended = threading.Event()

    def hang_up(self) -> None:
        self.ended.set()

    def wait(self) -> str:
        self.ended.wait(10)
        return "too late"


class Exchange:
    def __init__(self, limit: int) -> None:
        self.lines: list[Line] = []
        self.links = Links(self._connect, limit, connect_s=0.0, call_s=0.05)

    def _connect(self) -> Line:
        self.lines.append(Line())
        return self.lines[-1]


def test_a_connection_is_used_again() -> None:
    exchange = Exchange(2)
    assert [exchange.links.call(lambda _: n) for n in range(3)] == [0, 1, 2]  # noqa: B023
    assert len(exchange.lines) == 1
    exchange.links.close()
    assert exchange.lines[0].ended.wait(5)


def test_the_works_own_error_arrives() -> None:
    exchange = Exchange(1)
    with pytest.raises(ZeroDivisionError):
        exchange.links.call(lambda _: 1 / 0)
    assert exchange.links.call(lambda _: "well") == "well"


def test_who_has_waited_long_enough_hangs_up_and_goes_on() -> None:
    exchange = Exchange(1)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        exchange.links.call(Line.wait)
    assert time.monotonic() - started < 5, "not until the work is done"
    assert exchange.lines[0].ended.is_set()
    deadline = time.monotonic() + 5
    while True:  # the next call gets another connection, once there is room
        try:
            assert exchange.links.call(lambda line: line) is not exchange.lines[0]
            break
        except TimeoutError:
            assert time.monotonic() < deadline


def test_calls_that_never_end_take_no_more_than_their_connections() -> None:
    exchange = Exchange(2)
    forever = threading.Event()
    for _ in range(5):
        with pytest.raises(TimeoutError):
            exchange.links.call(lambda _: forever.wait(30))
    assert len(exchange.lines) == 2
    forever.set()
