from __future__ import annotations

from edgeflow_backend.shared.breaker import FAILURES, PAUSE_S, Breaker, BreakerState


def failing(times: int) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        assert breaker.allows(0.0)
        breaker.failed(0.0)
    return breaker


def test_some_failures_on_end_open_it() -> None:
    assert failing(FAILURES - 1).allows(0.0)
    assert not failing(FAILURES).allows(PAUSE_S - 0.01)


def test_a_success_between_them_starts_the_count_anew() -> None:
    breaker = failing(FAILURES - 1)
    breaker.succeeded()
    breaker.failed(0.0)
    assert breaker.state == BreakerState.CLOSED


def test_after_a_pause_one_call_tries_again() -> None:
    breaker = failing(FAILURES)
    assert breaker.allows(PAUSE_S)
    assert breaker.state == BreakerState.PROBING
    assert not breaker.allows(PAUSE_S), "others wait for what it finds"


def test_it_closes_if_that_call_succeeds_and_opens_again_if_not() -> None:
    breaker = failing(FAILURES)
    assert breaker.allows(PAUSE_S)
    breaker.failed(PAUSE_S)
    assert not breaker.allows(2 * PAUSE_S - 0.01)
    assert breaker.allows(2 * PAUSE_S)
    breaker.succeeded()
    assert breaker.allows(2 * PAUSE_S)
    assert breaker.state == BreakerState.CLOSED


def test_a_call_whose_outcome_nobody_tells_blocks_it_for_a_pause_only() -> None:
    breaker = failing(FAILURES)
    assert breaker.allows(PAUSE_S)
    assert breaker.allows(2 * PAUSE_S)
