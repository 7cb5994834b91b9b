"""Simulated clicks for a whole batch, on the device.

After RITM (Sofiiuk et al., arXiv:2102.06583, section 4): some clicks are random, others correct
what the network got wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from edgeflow.prompts.disks import DISK_RADIUS
from edgeflow.train.chance import happens, uniform
from edgeflow.train.config_views import ClickSimulation
from edgeflow.train.distance import distance_transform

STRIDE = 2
"""Clicks and depths are on every other row and column, which takes an eighth of the work."""


@dataclass(frozen=True)
class Clicks:
    """Clicks of a batch, in order.

    Attributes:
        points: B×K×2 int64 (row, col) in network pixels; arbitrary where the sign is 0.
        signs: B×K int64: 1 positive, -1 negative, 0 no click.
    """

    points: Tensor
    signs: Tensor

    def followed_by(self, points: Tensor, signs: Tensor) -> Clicks:
        """These clicks and one more for each sample: B×2 and B."""
        return Clicks(
            torch.cat((self.points, points[:, None]), dim=1),
            torch.cat((self.signs, signs[:, None]), dim=1),
        )

    def take(self, rows: Tensor) -> Clicks:
        """The clicks of some samples."""
        return Clicks(self.points[rows], self.signs[rows])

    def maps(self, size: tuple[int, int]) -> Tensor:
        """Disks as the network takes them: B×2×H×W float32; see :func:`.disk_pixels`.

        Args:
            size: Height and width, H and W.
        """
        count = len(self.signs)
        height, width = size
        device = self.signs.device
        reach = int(DISK_RADIUS)
        ticks = torch.arange(-reach, reach + 1, device=device)
        rows, cols = torch.meshgrid(ticks, ticks, indexing="ij")
        inside = rows * rows + cols * cols <= DISK_RADIUS * DISK_RADIUS
        disk = torch.stack((rows[inside], cols[inside]), dim=-1)
        pixels = self.points[:, :, None] + disk  # B×K×D×2
        visible = (self.signs != 0)[:, :, None] & (pixels >= 0).all(-1)
        visible &= (pixels[..., 0] < height) & (pixels[..., 1] < width)
        sample = torch.arange(count, device=device)[:, None, None]
        channel = (self.signs < 0).long()[:, :, None]
        flat = ((sample * 2 + channel) * height + pixels[..., 0]) * width + pixels[..., 1]
        spare = count * 2 * height * width
        canvas = torch.zeros(spare + 1, device=device)
        canvas[torch.where(visible, flat, spare).flatten()] = 1.0
        return canvas[:spare].view(count, 2, height, width)


def first_clicks(
    truth: Tensor, valid: Tensor, simulation: ClickSimulation, generator: Generator
) -> Clicks:
    """A first positive click on each object, and some random clicks beside it.

    Args:
        truth: B×1×H×W bool.
        valid: B×1×H×W bool; negatives do not fall outside it.
        simulation: Settings of the clicks.
        generator: Source of randomness on the device.

    Returns:
        1 + 2·max_extra slots a sample; a sample without an object has no positive click.
    """
    inside = truth[:, 0, ::STRIDE, ::STRIDE]
    outside = valid[:, 0, ::STRIDE, ::STRIDE] & ~inside
    depth = distance_transform(inside)
    middle = depth > 0.5 * depth.amax(dim=(1, 2), keepdim=True)
    centred = happens(len(inside), simulation.centred, generator)[:, None, None]
    first, on_object = _pick(torch.where(centred, middle, inside).float(), 1, generator)
    slots = simulation.max_extra
    if slots == 0:
        return Clicks(first * STRIDE, on_object.long())
    margin = round(simulation.margin / STRIDE)
    close = F.max_pool2d(inside[:, None].float(), 2 * margin + 1, stride=1, padding=margin)[:, 0]
    near = happens(len(inside), simulation.near, generator)[:, None, None]
    around = torch.where(near, outside & (close > 0), outside).float()
    positives, any_inside = _pick(inside.float(), slots, generator)
    negatives, any_outside = _pick(around, slots, generator)
    some = happens(len(inside), simulation.extra, generator)[:, None]
    extra = [
        some & _geometric(len(inside), slots, simulation.decay, generator) & possible
        for possible in (any_inside, any_outside)
    ]
    return Clicks(
        torch.cat((first, positives, negatives), dim=1) * STRIDE,
        torch.cat((on_object.long(), extra[0].long(), -extra[1].long()), dim=1),
    )


def take_back(
    clicks: Clicks, share: float, size: tuple[int, int], generator: Generator
) -> tuple[Clicks, Tensor]:
    """Put a negative click beside some first clicks, so near that its disk covers them.

    Args:
        clicks: First clicks, the one on the object before all others.
        share: Likelihood of a sample to be taken back.
        size: Height and width of the views.
        generator: Source of randomness on the device.

    Returns:
        Clicks with one slot more, in which a sample that is taken back has no positive click but
        the first, and some, up to all slots, negative ones anywhere; and which samples these are,
        B bool.
    """
    count, slots = clicks.signs.shape
    chosen = happens(count, share, generator) & (clicks.signs[:, 0] > 0)
    angle = uniform((count, 1), -math.pi, math.pi, generator)
    distance = uniform((count, 1), 1, DISK_RADIUS, generator)
    offset = torch.cat((angle.sin(), angle.cos()), dim=1) * distance
    beside = (clicks.points[:, 0] + offset.round().long()).clamp_min(0)
    anywhere = uniform((count, slots, 2), 0, 1, generator)
    anywhere = (anywhere * anywhere.new_tensor(size)).long()
    anywhere[:, 0] = clicks.points[:, 0]
    some = uniform((count, slots), 0, 1, generator) < uniform((count, 1), 0, 1, generator)
    refused = -some.long()
    refused[:, 0] = 1
    changed = Clicks(
        torch.where(chosen[:, None, None], anywhere, clicks.points),
        torch.where(chosen[:, None], refused, clicks.signs),
    )
    return changed.followed_by(beside, -chosen.long()), chosen


def corrective_clicks(
    predicted: Tensor,
    truth: Tensor,
    valid: Tensor,
    simulation: ClickSimulation,
    generator: Generator,
) -> tuple[Tensor, Tensor]:
    """The next click of each sample: in the larger error region, ties negative.

    Args:
        predicted: B×1×H×W bool.
        truth: B×1×H×W bool.
        valid: B×1×H×W bool; other pixels do not count as errors.
        simulation: Settings of the clicks.
        generator: Source of randomness on the device.

    Returns:
        Points B×2 (row, col) int64 and signs B; 0 where nothing is wrong.
    """
    stride = (slice(None), 0, slice(None, None, STRIDE), slice(None, None, STRIDE))
    missed = (truth & ~predicted & valid)[stride]
    excess = (~truth & predicted & valid)[stride]
    depths = distance_transform(torch.cat((missed, excess)))
    missed_depth, excess_depth = depths[: len(missed)], depths[len(missed) :]
    positive = missed_depth.amax(dim=(1, 2)) > excess_depth.amax(dim=(1, 2))
    depth = torch.where(positive[:, None, None], missed_depth, excess_depth)
    limit = depth.amax(dim=(1, 2), keepdim=True)
    exact = happens(len(depth), simulation.deepest, generator)[:, None, None]
    candidates = torch.where(exact, depth >= limit, depth > 0.5 * limit) & (limit > 0)
    points, possible = _pick(candidates.float(), 1, generator)
    signs = torch.where(positive, 1, -1) * possible[:, 0]
    return points[:, 0] * STRIDE, signs


def _pick(weights: Tensor, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Draw points from B×h×w weights: B×count×2 (row, col), and whether there are any: B×count."""
    flat = weights.flatten(1)
    possible = flat.sum(dim=1) > 0
    usable = torch.where(possible[:, None], flat, 1.0)
    index = torch.multinomial(usable, count, replacement=True, generator=generator)
    width = weights.shape[-1]
    points = torch.stack((index // width, index % width), dim=-1)
    return points, possible[:, None].expand(-1, count)


def _geometric(count: int, slots: int, decay: float, generator: Generator) -> Tensor:
    """B×slots bool: the first n of each row, n geometrically distributed from 0."""
    followed = torch.rand(count, slots, generator=generator, device=generator.device) < decay
    return followed.cummin(dim=1).values
