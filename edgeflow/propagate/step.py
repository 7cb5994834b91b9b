"""From one page to the next: the mask moves with the image, and the network looks at it again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MASK_THRESHOLD, bounding_box, check_shape
from edgeflow.propagate.colours import Colours
from edgeflow.propagate.fusion import fuse
from edgeflow.propagate.motion import motion_between
from edgeflow.propagate.pages import Pages
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
        image: Gives the page; raises PageError if that cannot be read any more.
        mask: H×W, not empty.
        origin: Where it comes from.
        colours: On this page.
        signs: Of how good the mask is, on all pages since.
        score: Estimate of its IoU with the object, 0 to 1.
        way: Digest of all that led here; empty where no steps are kept.
    """

    image: Callable[[], EncodedImage]
    mask: BoolMask
    origin: Origin
    colours: Colours
    signs: Signs
    score: float
    way: str = ""


class PageSteps(Protocol):
    """What takes an object from page to page of one sequence."""

    def start(self, index: int, mask: BoolMask) -> Tracked:
        """An object on the page where it was marked.

        Args:
            index: Of the page.
            mask: H×W, not empty.

        Raises:
            PageError: The page cannot be read.
            PromptError: The mask is not of its size.
        """
        ...

    def next(self, before: Tracked, index: int) -> Tracked | None:
        """The object on a neighbouring page; None where nothing is left of it.

        Raises:
            PageError: A page cannot be read.
        """
        ...


class LiveSteps:
    """See :class:`PageSteps`: each step is taken by the network when it is asked for.

    Args:
        predictor: Looks at the pages.
        pages: Of the sequence.
    """

    def __init__(self, predictor: Predictor, pages: Pages) -> None:
        self._predictor, self._pages = predictor, pages

    def start(self, index: int, mask: BoolMask) -> Tracked:
        """See :class:`PageSteps`."""
        page = self._pages[index]
        check_shape(f"mask of page {index + 1}", mask, page.size)
        return start(self._predictor, page, mask)

    def next(self, before: Tracked, index: int) -> Tracked | None:
        """See :class:`PageSteps`."""
        return next_page(self._predictor, before, self._pages[index])


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
    signs = Signs(reliability=origin.reliability)
    return Tracked(partial(_same, page), mask, origin, colours, signs, 1.0)


def next_page(predictor: Predictor, before: Tracked, page: EncodedImage) -> Tracked | None:
    """Carry an object to the next page; None where nothing is left of it."""
    box = bounding_box(before.mask)
    if box is None:
        return None
    motion = motion_between(before.image(), page, box, predictor.policy.sampling)
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
    colours = Colours.of(view.rgb, found)
    return Tracked(partial(_same, page), mask, before.origin, colours, signs, score_of(signs))


def _same(page: EncodedImage) -> EncodedImage:
    return page


def iou(one: BoolMask, other: BoolMask) -> float:
    """Intersection over union of two h×w masks, not both empty."""
    union = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / union if union else 0.0
