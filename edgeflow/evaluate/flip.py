"""Flip augmentation, as in RITM's published evaluation: the image and its mirror image, averaged.

It doubles the time of a click, and serves to compare with figures that were measured this way.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgeflow.nn.interface import Feedback
from edgeflow.runtime.base import Runtime, StepOutput


class FlippedRuntime:
    """Runs another runtime on an input and on its mirror image, and takes the mean."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def name(self) -> str:
        """The other runtime's name, marked as flipping."""
        return f"{self._runtime.name}, flip"

    @property
    def device(self) -> torch.device:
        """See :class:`edgeflow.runtime.base.Runtime`."""
        return self._runtime.device

    @property
    def feedback(self) -> Feedback:
        """See :class:`edgeflow.runtime.base.Runtime`."""
        return self._runtime.feedback

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One step; see :class:`edgeflow.runtime.base.Runtime`."""
        straight = self._runtime.run(image, prompt)
        mirrored = self._runtime.run(image.flip(-1), prompt.flip(-1))
        return StepOutput(
            (straight.mask + mirrored.mask.flip(-1)) / 2,
            (straight.feedback + mirrored.feedback.flip(-1)) / 2,
        )
