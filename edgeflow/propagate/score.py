"""The score: an estimate of a carried mask's IoU with the object."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells of a mask's quality, on the way from the first page.

    Attributes:
        reliability: IoU of what the network sees on the first page with the mask there.
        distance: Pages from there.
        certainty: Mean probability in the mask.
        agreement: IoU of what the network sees with the mask.
        steadiness: IoU of what the flow brings with the mask.
        trust: Mean trust in the flow.
        likeness: Mean evidence of the first page's colours in the mask.
        worst: Least agreement on the way.
        slips: Sum of 1 - steadiness on the way.
        losses: Sum of 1 - trust on the way.
    """

    reliability: float = 1.0
    distance: int = 0
    certainty: float = 1.0
    agreement: float = 1.0
    steadiness: float = 1.0
    trust: float = 1.0
    likeness: float = 2.0
    worst: float = 1.0
    slips: float = 0.0
    losses: float = 0.0

    def after(
        self,
        *,
        certainty: float,
        agreement: float,
        steadiness: float,
        trust: float,
        likeness: float,
    ) -> Signs:
        """The signs on the next page."""
        return Signs(
            self.reliability,
            self.distance + 1,
            certainty,
            agreement,
            steadiness,
            trust,
            likeness,
            min(self.worst, agreement),
            self.slips + 1 - steadiness,
            self.losses + 1 - trust,
        )


def score_of(signs: Signs) -> float:
    """Estimate the IoU, 0 to 1."""
    value = 3.0 - 3 * signs.slips - 2 * (1 - signs.agreement) - 0.5 * signs.losses
    return 0.5 * (1 + math.tanh(value / 2))
