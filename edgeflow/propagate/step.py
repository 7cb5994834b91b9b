"""From one page to the next: the mask moves with the image, and the network looks at it again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MASK_THRESHOLD, bounding_box
from edgeflow.propagate.colours import Colours
from edgeflow.propagate.fusion import fuse
from edgeflow.propagate.motion import motion_between
from edgeflow.propagate.score import Signs, score_of
from edgeflow.propagate.view import View


class Origin(NamedTuple):
    """What is known of an object from the page where it was marked.

    Attributes:
        reliability: IoU of what the network sees there with the mask.
        colours: Of the object and its surroundings.
    """

    reliability: float
    colours: Colours


class Tracked(NamedTuple):
    """An object on one page.

    Attributes:
        image: The page.
        mask: H×W, not empty.
        origin: Where it comes from.
        colours: On this page.
        signs: Of how good the mask is, on all pages since.
        score: Estimate of its IoU with the object, 0 to 1.
    """

    image: EncodedImage
    mask: BoolMask
    origin: Origin
    colours: Colours
    signs: Signs
    score: float


def start(predictor: Predictor, page: EncodedImage, mask: BoolMask) -> Tracked:
    """An object on the page where it was marked.

    Args:
        predictor: Looks at it.
        page: The page.
        mask: H×W, not empty.
    """
    box = bounding_box(mask)
    if box is None:
        raise ValueError("an empty mask cannot be carried")
    view = View.around(predictor, page, box)
    shown = view.shown(mask)
    seen = view.look(shown) > MASK_THRESHOLD
    colours = Colours.of(view.rgb, shown)
    origin = Origin(iou(seen, shown), colours)
    return Tracked(page, mask, origin, colours, Signs(reliability=origin.reliability), 1.0)


def next_page(predictor: Predictor, before: Tracked, page: EncodedImage) -> Tracked | None:
    """Carry an object to the next page; None where nothing is left of it."""
    box = bounding_box(before.mask)
    if box is None:
        return None
    motion = motion_between(before.image, page, box, predictor.policy.sampling)
    moved = motion.carry(before.mask)
    box = motion.box_of(moved)
    if box is None:
        return None
    view = View.around(predictor, page, box)
    carried, trust = (
        motion.seen_in(values, view.frame, view.size) for values in (moved, motion.trust)
    )
    expected = carried > MASK_THRESHOLD
    if not expected.any():
        return None
    seen = view.look(expected)
    evidence = before.origin.colours.mean(before.colours).evidence(view.rgb)
    fused = fuse(seen, carried, trust, evidence, before.origin.reliability)
    found = fused > MASK_THRESHOLD
    mask = view.mask(fused)
    if not found.any() or not mask.any():
        return None
    likeness = float(before.origin.colours.evidence(view.rgb)[found].mean())
    signs = before.signs.after(
        certainty=float(fused[found].mean()),
        agreement=iou(seen > MASK_THRESHOLD, found),
        steadiness=iou(expected, found),
        likeness=likeness,
    )
    return Tracked(page, mask, before.origin, Colours.of(view.rgb, found), signs, score_of(signs))


def iou(one: BoolMask, other: BoolMask) -> float:
    """Intersection over union of two h×w masks, not both empty."""
    union = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / union if union else 0.0
