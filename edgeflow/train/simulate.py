"""Simulated annotation: clicks, the network's answer fed back, more clicks where it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.interface import Feedback, NetworkOutput
from edgeflow.train.augment import Batch
from edgeflow.train.chance import Chance
from edgeflow.train.clicks import Clicks, corrective_clicks, first_clicks, take_back
from edgeflow.train.config_views import ClickSimulation

MASK_LOGIT = 0.0
SOFTEST = 0.4


@dataclass(frozen=True)
class Prompt:
    """Input of the network beside the image.

    Attributes:
        clicks: Clicks of each sample.
        feedback: B×1×H×W float32, the network's own map of the round before; zeros at the first.
        void: B bool, samples whose first click was taken back, so that there is nothing to find;
            None without such.
    """

    clicks: Clicks
    feedback: Tensor
    void: Tensor | None = None

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

    The network answers in evaluation mode and is left in the mode it was in. The first samples have
    the most rounds, so that a round runs only the samples that have one.

    Args:
        network: Network that returns :class:`edgeflow.nn.interface.NetworkOutput`.
        batch: Views.
        simulation: Settings of the clicks.
        feedback: Map that is fed back.
        chance: Randomness of the step.
    """
    image, truth, valid, _ = batch
    clicks = first_clicks(truth, valid, simulation, chance.device)
    fed_back = torch.zeros_like(truth, dtype=torch.float32)
    void = None
    if simulation.taken_back:
        size = (int(image.shape[-2]), int(image.shape[-1]))
        clicks, void = take_back(clicks, simulation.taken_back, size, chance.device)
        truth = truth & ~void[:, None, None, None]
    was_training = network.training
    network.eval()
    for count in samples_of_rounds(len(image), simulation.rounds, chance.host.random()):
        if count == 0:
            break
        mask, answer = _answers(
            network, image, Prompt(clicks, fed_back), count, simulation.at_once, feedback
        )
        points, signs = corrective_clicks(
            mask > MASK_LOGIT,
            truth[:count],
            valid[:count],
            simulation,
            chance.device,
        )
        rest = len(image) - count
        clicks = clicks.followed_by(F.pad(points, (0, 0, 0, rest)), F.pad(signs, (0, rest)))
        fed_back = torch.cat((_altered(answer, simulation, chance), fed_back[count:]))
    network.train(was_training)
    return Prompt(clicks, fed_back, void)


def samples_of_rounds(count: int, shares: Sequence[float], start: float) -> list[int]:
    """How many samples of a batch have a first round, a second, and so on.

    Each number of rounds gets its share of every batch, up to one sample that chance decides. Free
    chance would give ever new sizes, and a GPU's convolution library plans anew for each.

    Args:
        count: Samples of the batch.
        shares: Likelihood of 0, 1, 2, … rounds, up to a common factor.
        start: Random number in [0, 1).
    """
    expected = (count * sum(shares[least:]) / sum(shares) for least in range(1, len(shares)))
    return [int(round(number, 6) + start) for number in expected]


def _answers(
    network: nn.Module,
    image: Tensor,
    prompt: Prompt,
    count: int,
    at_once: int | None,
    feedback: Feedback,
) -> tuple[Tensor, Tensor]:
    """Mask logits and the map to feed back for the first samples, count×1×H×W float32 each.

    The network is shown ``at_once`` samples at a time, always as many: the last time also some that
    are not asked for, or once more some that were. In evaluation mode samples do not meet.
    """
    maps = prompt.tensor()
    size = min(at_once or count, len(image))
    masks, maps_back = [], []
    for begin in range(0, count, size):
        start = min(begin, len(image) - size)
        output: NetworkOutput = network(image[start : start + size], maps[start : start + size])
        wanted = slice(begin - start, count - start)
        masks.append(output.mask.float()[wanted])
        maps_back.append(_feedback_map(output, feedback)[wanted])
    return torch.cat(masks), torch.cat(maps_back)


def _feedback_map(output: NetworkOutput, feedback: Feedback) -> Tensor:
    logits = output.edge if feedback == "edge" else output.mask
    if logits is None:
        raise ValueError("the network has no edges to feed back")
    return logits.float().sigmoid()


def _altered(answer: Tensor, simulation: ClickSimulation, chance: Chance) -> Tensor:
    """Forget some, and blur some as a change of the zoom-in region does."""
    generator = chance.device
    draws = torch.rand(2, len(answer), 1, 1, 1, generator=generator, device=generator.device)
    factor = chance.host.uniform(SOFTEST, 1)
    small = F.interpolate(answer, scale_factor=factor, mode="bilinear", align_corners=False)
    soft = F.interpolate(small, size=answer.shape[-2:], mode="bilinear", align_corners=False)
    blurred = torch.where(draws[0] < simulation.soften, soft, answer)
    return torch.where(draws[1] < simulation.forget, 0.0, blurred)
