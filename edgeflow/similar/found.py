"""What is asked of a search, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click

STEPS_AN_OBJECT = 2
"""Network steps for each object that may be found: some places hold none."""

FEWEST_STEPS = 120
"""Network steps that a search may take whatever its limit is."""


@dataclass(frozen=True, slots=True)
class SimilarOptions:
    """How far a search goes.

    Attributes:
        limit: Most candidates in an answer; with as many finds, the search ends.
        seconds: Time after which no further place is looked at, the image's features included.
        steps: Most network steps; None for as many as the limit needs.
        least_score: Least score of a candidate.
        most_overlap: Greatest part of a candidate, or of what it lies on, that it may share with
            a better candidate or with a mask that exists.
    """

    limit: int = 40
    seconds: float = 3.0
    steps: int | None = None
    least_score: float = 0.45
    most_overlap: float = 0.3

    @property
    def most_steps(self) -> int:
        """Network steps after which no further place is looked at."""
        if self.steps is not None:
            return self.steps
        return max(FEWEST_STEPS, STEPS_AN_OBJECT * self.limit)


@dataclass(frozen=True)
class Candidate:
    """An object that may be another one like the example.

    Attributes:
        click: The click that the network answered with it.
        mask: The object.
        score: Estimate of its IoU with an object of the kind, 0 to 1.
        similarity: How much its features resemble those of the nearest example, 0 to 1.
    """

    click: Click
    mask: MaskPatch
    score: float
    similarity: float


@dataclass(frozen=True)
class Found:
    """The answer to a search.

    Attributes:
        candidates: Best first; no two overlap by more than was asked for.
        steps: Network steps.
        seconds: Time that it took, waiting for the network included.
        complete: Whether neither time nor a limit cut it short.
    """

    candidates: tuple[Candidate, ...]
    steps: int
    seconds: float
    complete: bool
