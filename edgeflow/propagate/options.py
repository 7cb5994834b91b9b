"""How far an object is carried."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PropagateOptions:
    """How far an object is carried.

    Attributes:
        least_score: Score below which a page is not answered, and its direction ends.
        most_pages: Pages answered at most; None for all.
        seconds: Time after which no further page is looked at; None for as long as it takes.
        forward: Whether later pages are answered.
        backward: Whether earlier pages are answered.
    """

    least_score: float = 0.5
    most_pages: int | None = 100
    seconds: float | None = None
    forward: bool = True
    backward: bool = True
