"""Leaves a failing server alone for a while; without threads and without a clock of its own."""

from __future__ import annotations

import enum

FAILURES = 3
"""So many failures on end open the breaker."""

PAUSE_S = 5.0
"""How long the server is left alone before one call tries it again."""


class BreakerState(enum.IntEnum):
    """The numbers are those of the metric."""

    CLOSED = 0
    """Calls are made."""
    PROBING = 1
    """One call tries whether the server is back."""
    OPEN = 2
    """No calls are made."""


class Breaker:
    """Whether calls should be made. Not thread-safe. Times are seconds on any one clock."""

    def __init__(self) -> None:
        self.state = BreakerState.CLOSED
        self._failures = 0
        self._asks_again = 0.0

    def allows(self, now: float) -> bool:
        """Whether to make a call; its outcome must be reported."""
        if self.state == BreakerState.CLOSED:
            return True
        if now < self._asks_again:
            return False
        # Should the probe never be reported, another one may follow.
        self.state, self._asks_again = BreakerState.PROBING, now + PAUSE_S
        return True

    def succeeded(self) -> None:
        """Report a call that the server answered."""
        self.state, self._failures = BreakerState.CLOSED, 0

    def failed(self, now: float) -> None:
        """Report a call that failed."""
        self._failures += 1
        if self.state == BreakerState.PROBING or self._failures >= FAILURES:
            self.state, self._asks_again = BreakerState.OPEN, now + PAUSE_S
