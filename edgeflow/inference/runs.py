"""Network runs as generators; running the network is left to the caller.

Whoever needs the network yields what it is to see and is sent its output. The caller may run the
network at once (:func:`drive`), or keep many waiting and run them together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from edgeflow.runtime.base import StepOutput


class StepInput(NamedTuple):
    """Input of one network run, on the runtime's device.

    Attributes:
        image: N×3×h×w float32 RGB in [0, 1]; N views of one click, mostly one.
        prompt: N×3×h×w float32: previous map, positive disks, negative disks.
    """

    image: Tensor
    prompt: Tensor


T = TypeVar("T")
Steps = Generator[StepInput, StepOutput, T]
"""Network runs, one after the other, and the result of them all."""


@torch.inference_mode()
def drive(steps: Steps[T], run: Callable[[Tensor, Tensor], StepOutput]) -> T:
    """Make each network run as soon as it is asked for.

    Args:
        steps: A generator that has not begun yet.
        run: A runtime's :meth:`edgeflow.runtime.base.Runtime.run`.
    """
    output: StepOutput | None = None
    while True:
        try:
            step = next(steps) if output is None else steps.send(output)
        except StopIteration as done:
            result: T = done.value
            return result
        output = run(step.image, step.prompt)
