from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from edgeflow_backend.status.latency import MAX_DURATIONS, Latency, LatencySummary
from tests.unit.edgeflow_backend.status.clock import Clock


def test_without_predictions_there_is_no_summary() -> None:
    assert Latency().summary() == LatencySummary(0, 0, None, None, None)


@pytest.mark.parametrize("count", [1, 2, 7, MAX_DURATIONS, MAX_DURATIONS + 57])
def test_percentiles_are_those_of_the_last_predictions(clock: Clock, count: int) -> None:
    seconds = np.random.default_rng(count).lognormal(-2, 0.5, count)
    latency = Latency(clock)
    for second in seconds:
        clock.sleep(1)
        latency.add(float(second))
    last = seconds[-MAX_DURATIONS:] * 1000
    summary = latency.summary()
    assert (summary.count, summary.measured) == (count, len(last))
    assert summary.last == clock.now
    assert summary.median_ms == pytest.approx(np.median(last))
    assert summary.p95_ms == pytest.approx(np.quantile(last, 0.95))


def test_percentiles_of_known_numbers() -> None:
    latency = Latency()
    for milliseconds in range(101):
        latency.add(milliseconds / 1000)
    summary = latency.summary()
    assert summary.median_ms == pytest.approx(50)
    assert summary.p95_ms == pytest.approx(95)


@pytest.mark.slow
def test_eight_threads_lose_no_prediction() -> None:
    latency = Latency()

    def hammer(_: int) -> None:
        for _ in range(10_000 // 8):
            latency.add(0.1)
            assert latency.summary().measured <= MAX_DURATIONS

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    summary = latency.summary()
    assert (summary.count, summary.measured) == (10_000, MAX_DURATIONS)
