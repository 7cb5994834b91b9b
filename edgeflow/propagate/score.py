"""The score: an estimate of a carried mask's IoU with the object.

A logistic curve over signs of quality, fitted to sequences made of the training mix and of code;
see ``docs/experiments.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeflow.masks.score import logit

BIAS = 3.19
RELIABILITY = 1.07
DISTANCE = -0.11
CERTAINTY = 0.21
AGREEMENT = 1.01
LIKENESS = 0.49
WORST = 0.87
SLIPS = -1.59

LASTING = 0.95
"""What counts of a slip a page later. With nothing forgotten, a long way would seem a failure."""

SURE = 0.98
"""Certainty beyond which more says nothing."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells of a mask's quality, on the way from the first page.

    Attributes:
        reliability: IoU of what the network sees on the first page with the mask there.
        distance: Pages from there.
        certainty: Mean probability in the mask.
        agreement: IoU of what the network sees with the mask.
        likeness: Mean evidence of the first page's colours in the mask.
        worst: Least agreement on the way.
        slips: Sum over the way of 1 - the IoU of what the flow brought with the mask, each worth
            :data:`LASTING` of it at every further page.
    """

    reliability: float
    distance: int = 0
    certainty: float = 1.0
    agreement: float = 1.0
    likeness: float = 1.0
    worst: float = 1.0
    slips: float = 0.0

    def after(
        self, *, certainty: float, agreement: float, likeness: float, steadiness: float
    ) -> Signs:
        """The signs on the next page.

        Args:
            certainty: See :class:`Signs`.
            agreement: See :class:`Signs`.
            likeness: See :class:`Signs`.
            steadiness: IoU of what the flow brings with the mask.
        """
        return Signs(
            self.reliability,
            self.distance + 1,
            certainty,
            agreement,
            likeness,
            min(self.worst, agreement),
            LASTING * self.slips + 1 - steadiness,
        )


def score_of(signs: Signs) -> float:
    """Estimate the IoU, 0 to 1."""
    value = (
        BIAS
        + RELIABILITY * (signs.reliability - 0.9)
        + DISTANCE * math.log(max(signs.distance, 1))
        + CERTAINTY * (logit(min(max(signs.certainty, 1 - SURE), SURE)) - 2)
        + AGREEMENT * (signs.agreement - 1)
        + LIKENESS * (signs.likeness - 1)
        + WORST * (signs.worst - 1)
        + SLIPS * signs.slips
    )
    return 0.5 * (1 + math.tanh(value / 2))
