"""Views of images as the network is shown them: drawn, cropped, warped, jittered, on the device.

At inference a first click sees the whole image and later ones a region around the object; so do
views. Everything here is a batch at once; nothing leaves the device.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from edgeflow.train.chance import happens, uniform
from edgeflow.train.config_views import Views
from edgeflow.train.image_store import IGNORE, ImageStore

MULTIPLE = 32
WARP_POINTS = 5
CUT_SHIFT = 0.3
"""Largest distance of a cut from the object's middle, relative to the square root of its area."""

PART_SHIFT = 0.35
"""Largest distance of an object's middle from that of a view which shows a part, relative to its
sides."""


class Batch(NamedTuple):
    """The views that a step learns from.

    Attributes:
        image: B×3×H×W float32 RGB in [0, 1].
        truth: B×1×H×W bool, the object.
        valid: B×1×H×W bool, false where the annotation does not say.
        number: B int64, which of the store's objects each view shows.
    """

    image: Tensor
    truth: Tensor
    valid: Tensor
    number: Tensor

    def part(self, views: slice) -> Batch:
        """Some of the views."""
        return Batch(*(each[views] for each in self))


def view_size(views: Views, random: Random) -> tuple[int, int]:
    """Height and width of a batch: about ``side²`` pixels, sides multiples of 32, random shape."""
    side = views.side if isinstance(views.side, int) else random.choice(views.side)
    ratio = math.exp(random.uniform(-1, 1) * math.log(views.aspect) / 2)
    step = MULTIPLE
    height, width = side / ratio, side * ratio
    return max(step, round(height / step) * step), max(step, round(width / step) * step)


def draw_batch(
    store: ImageStore,
    weights: Tensor,
    count: int,
    size: tuple[int, int],
    views: Views,
    generator: Generator,
) -> Batch:
    """Draw objects and show each in a view of its image.

    Args:
        store: Images.
        weights: O, the likelihood of each object; see
            :func:`edgeflow.train.image_store.object_weights`.
        count: Number of views, B.
        size: Height and width of the views.
        views: Settings of the views.
        generator: Source of randomness on the device.
    """
    device = store.objects.device
    drawn = torch.multinomial(weights, count, replacement=True, generator=generator)
    rows = store.objects[drawn]
    which = rows[:, 0].long()
    where = which.to(store.images.device)
    images = store.images[where].to(device, non_blocking=True).float().div_(255)
    labels = store.labels[where].to(device, non_blocking=True)
    truth = labels == rows[:, 1, None, None]
    truth |= _companions(labels, rows[:, 1], views.merge, generator)
    grid = _grid(rows[:, 2:].float(), store.sizes[which].float(), size, views, generator)
    canvas = images.shape[-1]
    sampled = F.grid_sample(
        images, _normalised(grid, canvas), padding_mode="border", align_corners=False
    )
    nearest = _normalised(grid.round(), canvas)
    planes = torch.stack((truth, labels != IGNORE), dim=1).float()
    planes = F.grid_sample(planes, nearest, mode="nearest", align_corners=False) > 0.5
    batch = Batch(sampled, planes[:, :1], planes[:, 1:], drawn)
    if views.cut:
        batch = batch._replace(truth=_cut(batch.truth, views.cut, generator))
    batch = _paste(batch, views.paste, generator)
    image = _jitter(batch.image, views, generator)
    flip = happens(count, 0.5, generator)[:, None, None, None]
    image, truth, valid = (
        torch.where(flip, each.flip(-1), each) for each in (image, batch.truth, batch.valid)
    )
    return Batch(image, truth, valid, drawn)


def _companions(labels: Tensor, label: Tensor, share: float, generator: Generator) -> Tensor:
    """Another object of the same image, for some: B×S×S bool."""
    count, side = len(labels), labels.shape[-1]
    spots = torch.randint(side * side, (count,), generator=generator, device=labels.device)
    other = labels.flatten(1).gather(1, spots[:, None])[:, 0]
    usable = (other != 0) & (other != IGNORE) & (other != label)
    usable &= happens(count, share, generator)
    companions: Tensor = (labels == other[:, None, None]) & usable[:, None, None]
    return companions


def _grid(
    box: Tensor, sizes: Tensor, size: tuple[int, int], views: Views, generator: Generator
) -> Tensor:
    """Place of each pixel of a view on its image: B×H×W×2 (x, y), pixel centres at integers.

    Windows lie within the image, as regions do at inference; rotation and warp may leave it,
    where the image's border is repeated.
    """
    count = len(box)
    height, width = size
    limits = sizes.flip(-1)  # (x, y) from here on
    low, high = box[:, [1, 0]], box[:, [3, 2]]

    def between(start: float, stop: float, columns: int = 2) -> Tensor:
        return uniform((count, columns), start, stop, generator)

    least, most = views.expansion
    expansion = torch.exp(between(math.log(least), math.log(most), 1))
    target = (high - low).clamp_min(32.0) * expansion
    if views.least:
        longer = limits.amax(dim=1, keepdim=True)
        small = (high - low).amax(dim=1, keepdim=True) < views.small * longer
        close = small & happens(count, 0.5, generator)[:, None]
        smallest = torch.where(close, views.close * longer, views.least * longer)
        target = torch.maximum(target, smallest)
    whole = happens(count, views.whole, generator)[:, None]
    if views.zoomed_first:  # objects are drawn at random, so any order of their views is as likely
        whole = whole.sort(dim=0).values
    target = torch.where(whole, limits, target)
    shape = torch.tensor([width / height, 1.0], device=box.device)
    shape = shape * torch.exp(between(-views.stretch, views.stretch))
    # A window of the view's shape that covers the target, as far as the image goes.
    scale = (target / shape).amax(dim=1, keepdim=True)
    extent = torch.minimum(torch.minimum(shape * scale, limits), shape * (limits / shape).amin(
        dim=1, keepdim=True) * (1 + views.stretch))  # fmt: skip
    centre = (low + high) / 2 + between(-views.shift, views.shift) * extent
    centre = torch.maximum(torch.minimum(centre, limits - extent / 2), extent / 2)
    if views.part:
        extent, centre = _part(extent, centre, (low + high) / 2, size, views, generator)
    ticks = [
        (torch.arange(side, device=box.device, dtype=torch.float32) + 0.5) / side - 0.5
        for side in (height, width)
    ]
    rows, cols = torch.meshgrid(*ticks, indexing="ij")
    offsets = torch.stack((cols, rows), dim=-1)[None] * extent[:, None, None, :]
    if views.warp:
        coarse = uniform((count, 2, WARP_POINTS, WARP_POINTS), -views.warp, views.warp, generator)
        smooth = F.interpolate(coarse, size=size, mode="bicubic", align_corners=True)
        offsets = offsets + smooth.permute(0, 2, 3, 1) * extent[:, None, None, :]
    angle = torch.deg2rad(between(-views.rotation, views.rotation, 1))
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    x, y = offsets[..., 0], offsets[..., 1]
    turned = torch.stack((cos * x - sin * y, sin * x + cos * y), dim=-1)
    placed = turned + centre[:, None, None, :] - 0.5
    return placed.clamp_min(0).minimum((limits - 1)[:, None, None, :])


def _part(
    extent: Tensor,
    centre: Tensor,
    middle: Tensor,
    size: tuple[int, int],
    views: Views,
    generator: Generator,
) -> tuple[Tensor, Tensor]:
    """Narrow some windows around the objects in them, which keeps the scale of inference."""
    count = len(extent)
    share = min(1.0, max(size) / views.full)
    chosen = happens(count, views.part, generator)[:, None]
    narrow = extent * share
    low, high = centre - (extent - narrow) / 2, centre + (extent - narrow) / 2
    beside = middle + uniform((count, 2), -PART_SHIFT, PART_SHIFT, generator) * narrow
    placed = torch.maximum(torch.minimum(beside, high), low)
    return torch.where(chosen, narrow, extent), torch.where(chosen, placed, centre)


def _normalised(grid: Tensor, side: int) -> Tensor:
    return (grid + 0.5) * (2 / side) - 1


def _cut(truth: Tensor, share: float, generator: Generator) -> Tensor:
    """Leave a part of some objects, on one side of a line through their middle: B×1×H×W bool.

    Nothing in the image shows the line, so that only clicks can tell where the object ends.
    """
    count, _, height, width = truth.shape
    rows = torch.arange(height, device=truth.device, dtype=torch.float32)[:, None]
    cols = torch.arange(width, device=truth.device, dtype=torch.float32)
    area = truth.sum(dim=(2, 3), keepdim=True).clamp_min(1)
    row, col = ((truth * ticks).sum(dim=(2, 3), keepdim=True) / area for ticks in (rows, cols))
    angle = uniform((count, 1, 1, 1), -math.pi, math.pi, generator)
    shift = uniform((count, 1, 1, 1), -CUT_SHIFT, CUT_SHIFT, generator) * area.sqrt()
    kept = truth & ((rows - row) * angle.sin() + (cols - col) * angle.cos() > shift)
    chosen = happens(count, share, generator)[:, None, None, None] & kept.any(3, True).any(2, True)
    return torch.where(chosen, kept, truth)


def _paste(batch: Batch, share: float, generator: Generator) -> Batch:
    """Lay the next sample's object over some: half of these become the object to find."""
    image, truth, valid, number = batch
    count = len(image)
    donor, shape, annotated = (each.roll(1, 0) for each in (image, truth, valid))
    area = shape.float().mean(dim=(1, 2, 3))
    chosen = happens(count, share, generator) & (area > 0.01) & (area < 0.5)
    pasted = shape & annotated & chosen[:, None, None, None]
    becomes = (happens(count, 0.5, generator) & chosen)[:, None, None, None]
    return Batch(
        image=torch.where(pasted, donor, image),
        truth=torch.where(becomes, pasted, truth & ~pasted),
        valid=torch.where(becomes, True, valid | pasted),
        number=number,
    )


def _jitter(image: Tensor, views: Views, generator: Generator) -> Tensor:
    """Change colours, sharpness and noise."""
    count = len(image)

    def shift(spread: float, channels: int = 1) -> Tensor:
        shape = (count, channels, 1, 1)
        return uniform(shape, -spread, spread, generator) * views.colour

    image = image.clamp(0, 1) ** torch.exp(shift(0.4))
    mean = image.mean(dim=(1, 2, 3), keepdim=True)
    image = mean + (image - mean) * torch.exp(shift(0.5))
    grey = image.mean(dim=1, keepdim=True)
    colourless = happens(count, views.grey, generator)[:, None, None, None]
    image = grey + (image - grey) * torch.where(colourless, 0.0, torch.exp(shift(0.6)))
    image = image + shift(0.3) + shift(0.12, 3)
    blurred = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    image = torch.where(happens(count, views.blur, generator)[:, None, None, None], blurred, image)
    noise = torch.randn(image.shape, generator=generator, device=image.device)
    strength = uniform((count, 1, 1, 1), 0, 0.06, generator)
    noisy = happens(count, views.noise, generator)[:, None, None, None]
    return (image + torch.where(noisy, noise * strength, 0.0)).clamp(0, 1)
