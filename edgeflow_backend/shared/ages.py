"""How old a value of another process is, by clocks that may jump and differ."""

from __future__ import annotations

from edgeflow_backend.shared.packing import SpoiledValueError

AHEAD_S = 1.0
"""Another machine's clock may be ahead by so much."""


def age_of(made: float, now: float) -> float:
    """Seconds since a value was made; both times are seconds since 1970.

    Raises:
        SpoiledValueError: It comes from the future: a clock was set, and how old it is cannot be
            known.
    """
    if made - now > AHEAD_S:
        raise SpoiledValueError("a value from the future")
    return max(now - made, 0.0)
