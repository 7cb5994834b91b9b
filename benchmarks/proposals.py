"""Ways of making several proposals from one click, by looking again and in other ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import torch

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage, State
from edgeflow.inference.transfer import upload
from edgeflow.masks.patch import bounding_box
from edgeflow.prompts.click import Click
from edgeflow.prompts.disks import DISK_RADIUS, disk_pixels
from edgeflow.prompts.implied import deepest_point
from edgeflow.prompts.start import NOTHING

SCALES = (0.35, 0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 8)
"""Above 1 a part of the image around the click, below 1 the whole image at fewer pixels."""
FIRST = "×1"
ORDER = ("×3", "×0.5", "×6", "×0.7", "×2", "×4", "×8", "×1.5", "×0.35")
DISTINCT = 0.7
MAX_CUT = 0.1
SETTLED = (0.5, 1.5, 2, 3, 4, 6)
RADII = (2, 10)
"""Network pixels."""
SURE, POSSIBLE = 0.95, 0.02
NECK = 0.6
"""Parts that hang on by less than this share of the depth at the click are taken off."""


@dataclass(frozen=True)
class Look:
    """One proposal.

    Attributes:
        mask: H×W.
        state: What later clicks go on from.
        cut: Share of the view's outline on which the mask is cut off.
    """

    mask: BoolMask
    state: State
    cut: float = 0.0


Looks = dict[str, Look]
Way = Callable[[Looks], tuple[str, ...]]
"""The names of the proposals, today's answer first."""


def fixed(*names: str) -> Way:
    """The same looks for every click, as far as there are such."""
    return lambda looks: tuple(name for name in names if name in looks)


def distinct_scales(looks: Looks) -> tuple[str, ...]:
    """The first answer and the next two scales whose masks differ and are not cut off."""
    chosen = [FIRST]
    for name in ORDER:
        mask = looks[name].mask
        differs = all(overlap(mask, looks[other].mask) < DISTINCT for other in chosen)
        if len(chosen) < 3 and mask.any() and looks[name].cut <= MAX_CUT and differs:
            chosen.append(name)
    return tuple(chosen)


WAYS: dict[str, Way] = {
    "the first answer": fixed(FIRST),
    "zoom 1, 2, 4": fixed(FIRST, "×2", "×4"),
    "zoom 1, 3, ½": fixed(FIRST, "×3", "×0.5"),
    "distinct scales": distinct_scales,
    "zoom 1, 3, ½, settled": fixed(FIRST, "×3 settled", "×0.5 settled"),
    "thresholds .5, .3, .7": fixed(FIRST, "> .3", "> .7"),
    "disks 5, 2, 10": fixed(FIRST, "disk 2", "disk 10"),
    "implied clicks": fixed(FIRST, "less", "more"),
    "necks cut; zooms united": fixed(FIRST, "necks cut", "united"),
    "any of all": tuple,
}


@torch.inference_mode()
def look(
    predictor: Predictor,
    image: EncodedImage,
    clicks: Sequence[Click],
    *,
    scale: float = 1,
    radius: float = DISK_RADIUS,
) -> Look:
    """One network run on some clicks, without feedback.

    Args:
        predictor: On the CPU.
        image: From its ``encode``.
        clicks: The annotator's, and implied ones.
        scale: See :data:`SCALES`.
        radius: Of the clicks' disks, network pixels.
    """
    size, policy = image.size, predictor.policy
    frame = zoomed(clicks[0].point, size, scale) if scale > 1 else Box.whole(size)
    if scale < 1:
        policy = replace(policy, long_side=round(policy.long_side * scale))
    sides, sampling = policy.network_size(frame.size), policy.sampling
    points = [(sampling.locate(c.point, frame, sides), c.positive) for c in clicks]
    prompt = torch.zeros((1, 3, *sides))
    pixels = upload(disk_pixels(points, sides, radius), prompt.device)
    prompt[:, 1:].view(-1).index_fill_(0, pixels, 1.0)
    run = predictor.runtime.run(sampling.view(image.pixels, frame, sides), prompt)
    region = frame if scale > 1 else None
    state = State(NOTHING, (), tuple(clicks), region, run.mask, run.feedback, None)
    mask = values_of(predictor, image, state) > 0.5
    return Look(mask, replace(state, mask_box=bounding_box(mask)), cut_share(mask, frame))


def settle(predictor: Predictor, image: EncodedImage, first: Look) -> Look:
    """The same click again, seen from around the mask of a look, which cuts off less of it."""
    (click,) = first.state.clicks
    state, probability = predictor.step(image, replace(first.state, clicks=()), click)
    return Look(probability.numpy() > 0.5, state)


def propose(predictor: Predictor, image: EncodedImage, click: Click) -> Looks:
    """All proposals for a first click, by name."""
    looks = {f"×{scale:g}": look(predictor, image, [click], scale=scale) for scale in SCALES}
    for scale in SETTLED:
        looks[f"×{scale:g} settled"] = settle(predictor, image, looks[f"×{scale:g}"])
    for radius in RADII:
        looks[f"disk {radius}"] = look(predictor, image, [click], radius=radius)
    first = looks[FIRST]
    values = values_of(predictor, image, first.state)
    for name, unsure, positive in (
        ("less", (values < SURE) & first.mask, False),
        ("more", (values > POSSIBLE) & ~first.mask, True),
    ):
        if unsure.any():
            implied = Click(deepest_point(unsure), positive)
            looks[name] = look(predictor, image, [click, implied])
    united = np.any([looks[name].mask for name in (FIRST, "×2", "×3", "×4")], axis=0)
    masks = {
        "> .3": values > 0.3,
        "> .7": values > 0.7,
        "necks cut": without_necks(first.mask, click),
        "united": united,
    }
    return looks | {name: replace(first, mask=mask) for name, mask in masks.items()}


def values_of(predictor: Predictor, image: EncodedImage, state: State) -> npt.NDArray[np.float32]:
    """A state's probability, H×W."""
    values: npt.NDArray[np.float32] = predictor.probability(image, state).numpy()
    return values


def zoomed(point: ImagePoint, size: Size, scale: float) -> Box:
    """A part of the image around a point, moved inside it."""
    height, width = (max(1, round(side / scale)) for side in size)
    top = min(max(round(point.y - height / 2), 0), size.height - height)
    left = min(max(round(point.x - width / 2), 0), size.width - width)
    return Box(top, left, top + height, left + width)


def overlap(one: BoolMask, other: BoolMask) -> float:
    """Intersection over union; 1 of two empty masks."""
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 1.0


def cut_share(mask: BoolMask, frame: Box) -> float:
    """Share of a view's outline on which a mask lies, the image's own border left out."""
    inside = mask[frame.slices]
    height, width = mask.shape
    sides = (
        (frame.top > 0, inside[0]),
        (frame.bottom < height, inside[-1]),
        (frame.left > 0, inside[:, 0]),
        (frame.right < width, inside[:, -1]),
    )
    return sum(int(side.sum()) for cuts, side in sides if cuts) / (2 * sum(frame.size))


def without_necks(mask: BoolMask, click: Click) -> BoolMask:
    """The part of a mask around a click that is left once thin connections are cut."""
    depth = cv2.distanceTransform(np.pad(mask.view(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    here = round(click.point.y), round(click.point.x)
    radius = NECK * float(depth[here])
    _, pieces = cv2.connectedComponents((depth > radius).view(np.uint8))
    core = (pieces == pieces[here]) & mask
    near = cv2.distanceTransform((~core).view(np.uint8), cv2.DIST_L2, 5) <= radius
    part: BoolMask = near & mask
    return part
