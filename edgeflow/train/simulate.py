"""Simulated annotation: clicks, the network's answer fed back, more clicks where it was wrong."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.interface import Feedback, NetworkOutput
from edgeflow.train.augment import Batch
from edgeflow.train.chance import Chance
from edgeflow.train.clicks import Clicks, corrective_clicks, first_clicks
from edgeflow.train.config import ClickSimulation

MASK_LOGIT = 0.0
SOFTEST = 0.4


@dataclass(frozen=True)
class Prompt:
    """What the network is shown beside the image.

    Attributes:
        clicks: Of each sample.
        feedback: B×1×H×W float32: its own map of the round before; zeros at the first.
    """

    clicks: Clicks
    feedback: Tensor

    def tensor(self) -> Tensor:
        """B×3×H×W float32, as the network takes it."""
        size = (int(self.feedback.shape[-2]), int(self.feedback.shape[-1]))
        return torch.cat((self.feedback, self.clicks.maps(size)), dim=1)


@torch.no_grad()
def simulate(
    network: nn.Module,
    batch: Batch,
    simulation: ClickSimulation,
    feedback: Feedback,
    chance: Chance,
) -> Prompt:
    """Click each object, for zero or more rounds.

    The network answers in evaluation mode and is left in the mode it was in. Rounds are sorted, so
    that a round runs only the samples that have one.

    Args:
        network: Gives :class:`edgeflow.nn.interface.NetworkOutput`.
        batch: The views.
        simulation: How.
        feedback: Which map is fed back.
        chance: All that is random.
    """
    image, truth, valid = batch
    clicks = first_clicks(truth, valid, simulation, chance.device)
    fed_back = torch.zeros_like(truth, dtype=torch.float32)
    counts = range(len(simulation.rounds))
    rounds = sorted(chance.host.choices(counts, simulation.rounds, k=len(image)), reverse=True)
    was_training = network.training
    network.eval()
    for number in counts[1:]:
        going_on = sum(each >= number for each in rounds)
        if going_on == 0:
            break
        part = Prompt(
            Clicks(clicks.points[:going_on], clicks.signs[:going_on]), fed_back[:going_on]
        )
        output: NetworkOutput = network(image[:going_on], part.tensor())
        points, signs = corrective_clicks(
            output.mask.float() > MASK_LOGIT,
            truth[:going_on],
            valid[:going_on],
            simulation,
            chance.device,
        )
        rest = len(image) - going_on
        clicks = clicks.followed_by(F.pad(points, (0, 0, 0, rest)), F.pad(signs, (0, rest)))
        seen = _fed_back(output, feedback)
        fed_back = torch.cat((_altered(seen, simulation, chance), fed_back[going_on:]))
    network.train(was_training)
    return Prompt(clicks, fed_back)


def _fed_back(output: NetworkOutput, feedback: Feedback) -> Tensor:
    logits = output.edge if feedback == "edge" else output.mask
    if logits is None:
        raise ValueError("the network has no edges to feed back")
    return logits.float().sigmoid()


def _altered(seen: Tensor, simulation: ClickSimulation, chance: Chance) -> Tensor:
    """Forget some, and blur some as a change of the zoom-in region does."""
    generator = chance.device
    draws = torch.rand(2, len(seen), 1, 1, 1, generator=generator, device=generator.device)
    factor = chance.host.uniform(SOFTEST, 1)
    small = F.interpolate(seen, scale_factor=factor, mode="bilinear", align_corners=False)
    soft = F.interpolate(small, size=seen.shape[-2:], mode="bilinear", align_corners=False)
    blurred = torch.where(draws[0] < simulation.soften, soft, seen)
    return torch.where(draws[1] < simulation.forget, 0.0, blurred)
