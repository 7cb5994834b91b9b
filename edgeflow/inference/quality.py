"""What an answer may cost: one look at the image, or a second one at its mirror image.

The mean of both is flip augmentation, as in RITM's published evaluation (Sofiiuk et al.,
arXiv:2102.06583). ``docs/quality.md`` says what it is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch

from edgeflow.inference.runs import StepInput, Steps
from edgeflow.runtime.base import StepOutput

ALWAYS = 2.0
"""A score that no mask reaches."""


class Looked(NamedTuple):
    """What a click's looks came to, and the network runs that they took."""

    output: StepOutput
    runs: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How much of the network's time a click may take.

    Attributes:
        name: As people choose it; one of :data:`QUALITIES`.
        sure: Score from which on the first look is enough: 0 never takes a second one,
            :data:`ALWAYS` takes both at once, in one network run.
    """

    name: str = "fast"
    sure: float = 0.0

    @property
    def asks(self) -> bool:
        """Whether an answer depends on how sure the score says that the first look is."""
        return 0 < self.sure < ALWAYS

    def look(self, step: StepInput, score: Callable[[StepOutput], float]) -> Steps[Looked]:
        """Look at a view once or twice.

        Args:
            step: The view: one image.
            score: Estimates the IoU of an output's mask, 0 to 1; only asked where it decides.
        """
        if self.sure >= ALWAYS:
            both = yield _together(step, _mirrored(step))
            return Looked(_mean(_part(both, 0), _part(both, 1)), 1)
        output = yield step
        if not self.asks or score(output) >= self.sure:
            return Looked(output, 1)
        return Looked(_mean(output, (yield _mirrored(step))), 2)


QUALITIES = {
    quality.name: quality
    for quality in (Quality(), Quality("auto", sure=0.75), Quality("best", sure=ALWAYS))
}
"""``fast``: one look. ``auto``: a second one where the first is unsure. ``best``: always two."""


def _mirrored(step: StepInput) -> StepInput:
    return StepInput(step.image.flip(-1), step.prompt.flip(-1))


def _together(one: StepInput, other: StepInput) -> StepInput:
    return StepInput(torch.cat((one.image, other.image)), torch.cat((one.prompt, other.prompt)))


def _part(output: StepOutput, index: int) -> StepOutput:
    return StepOutput(output.mask[index : index + 1], output.feedback[index : index + 1])


def _mean(straight: StepOutput, mirrored: StepOutput) -> StepOutput:
    """The mean of a view's maps and its mirror image's, which are turned back."""
    return StepOutput(
        (straight.mask + mirrored.mask.flip(-1)) / 2,
        (straight.feedback + mirrored.feedback.flip(-1)) / 2,
    )
