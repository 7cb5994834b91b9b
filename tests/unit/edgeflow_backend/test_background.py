from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from edgeflow.errors import CheckpointError
from edgeflow_backend.background import Background
from edgeflow_backend.errors import NotReadyError

PATIENCE_S = 10.0


def failing() -> str:
    raise ValueError("no weights")


def test_a_value_is_there_once_it_is_made() -> None:
    background = Background(lambda: "value")
    assert background.wait(PATIENCE_S) == "value"
    assert background.ready()
    assert background.failure() is None


def test_nobody_waits_for_the_constructor() -> None:
    release = threading.Event()
    started = time.monotonic()
    background = Background(lambda: release.wait(PATIENCE_S))
    assert time.monotonic() - started < PATIENCE_S / 2
    assert not background.ready()
    assert background.failure() is None
    assert background.wait(0) is None
    release.set()
    assert background.wait(PATIENCE_S) is True


def test_who_waits_gets_the_value_as_soon_as_it_is_there() -> None:
    release = threading.Event()

    def make() -> str:
        release.wait(PATIENCE_S)
        return "value"

    background = Background(make)
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(background.wait, PATIENCE_S) for _ in range(5)]
        time.sleep(0.05)
        assert not any(future.done() for future in waiting)
        release.set()
        assert [future.result(PATIENCE_S) for future in waiting] == ["value"] * 5


def test_waiting_ends_after_the_given_time() -> None:
    release = threading.Event()
    background = Background(lambda: release.wait(PATIENCE_S))
    started = time.monotonic()
    assert background.wait(0.05) is None
    assert 0.04 < time.monotonic() - started < 2
    release.set()
    background.wait(PATIENCE_S)


def test_a_failure_is_kept_and_ends_all_waiting() -> None:
    with capture_logs() as logs:
        background = Background(failing)
        assert background.wait(PATIENCE_S) is None
    assert not background.ready()
    failure = background.failure()
    assert isinstance(failure, ValueError)
    assert str(failure) == "no weights"
    started = time.monotonic()
    assert background.wait(PATIENCE_S) is None
    assert time.monotonic() - started < PATIENCE_S / 2
    (entry,) = logs
    assert entry["log_level"] == "error"
    assert entry["exc_info"] is failure


@pytest.mark.parametrize("value", [None, 0, "", False])
def test_any_value_counts_as_a_value(value: object) -> None:
    background = Background(lambda: value)
    assert background.wait(PATIENCE_S) == value
    assert background.ready()


def test_it_is_made_once() -> None:
    count = 0

    def make() -> int:
        nonlocal count
        count += 1
        return count

    background = Background(make)
    assert [background.wait(PATIENCE_S) for _ in range(5)] == [1] * 5


def test_a_request_gets_the_value_or_learns_that_it_is_still_loading() -> None:
    release = threading.Event()
    background = Background(lambda: release.wait(PATIENCE_S))
    with pytest.raises(NotReadyError, match="still loading"):
        background.get(patience_s=0.01)
    release.set()
    assert background.get(PATIENCE_S) is True


@pytest.mark.parametrize("value", [None, 0, "", False])
def test_a_request_gets_any_value(value: object) -> None:
    assert Background(lambda: value).get(PATIENCE_S) == value


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (CheckpointError("no model named 'x'", hint="h"), "no model named 'x'"),
        (RuntimeError("secret detail"), "RuntimeError"),
    ],
)
def test_a_request_learns_why_there_will_be_no_value(failure: Exception, reason: str) -> None:
    def make() -> str:
        raise failure

    with capture_logs():
        background = Background(make)
        with pytest.raises(NotReadyError) as caught:
            background.get(PATIENCE_S)
    assert caught.value.message == f"the model could not be loaded: {reason}"
    assert "doctor" in caught.value.hint
