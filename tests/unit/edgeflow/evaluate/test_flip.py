from __future__ import annotations

import torch
from torch import Tensor

from edgeflow.evaluate.flip import FlippedRuntime
from edgeflow.nn.interface import Feedback
from edgeflow.runtime.base import StepOutput


class LeftIsRight:
    """A network that believes its left half, whatever it sees."""

    name = "left"
    device = torch.device("cpu")
    feedback: Feedback = "edge"

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        ramp = torch.linspace(1, 0, image.shape[-1]).expand(1, 1, image.shape[-2], -1)
        return StepOutput(ramp * image[:, :1], prompt[:, :1])


def test_the_answer_is_the_mean_over_the_image_and_its_mirror_image() -> None:
    runtime = FlippedRuntime(LeftIsRight())
    image = torch.rand(1, 3, 4, 6)
    prompt = torch.rand(1, 3, 4, 6)
    output = runtime.run(image, prompt)
    assert torch.allclose(output.mask, image[:, :1] / 2)
    assert torch.equal(output.feedback, prompt[:, :1])
    assert runtime.name == "left, flip"
    assert runtime.feedback == "edge"
