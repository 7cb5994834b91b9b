"""How far two objects of an image are the same: IoU and boundary IoU of what was drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeflow.annotated import DrawnBox, Shape, box_of, mask_of
from edgeflow.evaluate.boundary import rim, rim_width
from edgeflow.geometry import Box
from edgeflow.masks.patch import MaskPatch

Overlaps = dict[tuple[int, int], float]
"""IoU by the places of two objects, each in its own list."""


def corners_of(shape: Shape) -> tuple[float, float, float, float]:
    """Left, upper, right and lower border, in pixels from the image's top left corner."""
    left, top, width, height = box_of(shape)
    return left, top, left + width, top + height


def overlaps(ones: Sequence[Shape], others: Sequence[Shape], least: float) -> Overlaps:
    """Pairs of objects of one image whose IoU reaches a limit.

    Two masks are compared pixel by pixel; where only a box was drawn of one of them, their boxes
    are.

    Args:
        ones: Of one annotation.
        others: Of another annotation of the same image.
        least: The limit, above 0.
    """
    found: Overlaps = {}
    if not others:
        return found
    boxes, areas = _boxes(others), _areas(others)
    drawn_box = np.array([isinstance(each, DrawnBox) for each in others])
    for row, shape in enumerate(ones):
        box = _boxes([shape])[0]
        low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
        common = np.prod(np.clip(high - low, 0, None), axis=1)
        by_box = common / (_box_areas(boxes) + _box_areas(box[None])[0] - common)
        mask = mask_of(shape)
        if mask is None:
            most = by_box
        else:  # masks share no more pixels than their boxes, so few need to be looked at
            area = _areas([shape])[0]
            shared = np.minimum(np.minimum(common, areas), area)
            most = np.where(drawn_box, by_box, shared / (areas + area - shared))
        for col in np.flatnonzero(most >= least).tolist():
            other = mask_of(others[col])
            iou = float(by_box[col]) if mask is None or other is None else mask.iou(other)
            if iou >= least:
                found[row, col] = iou
    return found


def boundary_iou(one: MaskPatch, other: MaskPatch) -> float:
    """IoU of the rims of two masks of one image, 0 to 1 (Cheng et al., arXiv:2103.16562)."""
    width = rim_width(one.image_size)
    return _rim(one, width).iou(_rim(other, width))


def placed(mask: MaskPatch, frame: Box) -> npt.NDArray[np.bool_]:
    """A mask in a frame that holds its box: h×w of the frame's size."""
    pixels = np.zeros(frame.size, dtype=np.bool_)
    pixels[mask.box.shifted(-frame.top, -frame.left).slices] = mask.pixels
    return pixels


def _rim(mask: MaskPatch, width: int) -> MaskPatch:
    return mask._replace(pixels=rim(mask.pixels, width))  # outside its box a mask has no pixel


def _boxes(shapes: Sequence[Shape]) -> npt.NDArray[np.float64]:
    return np.array([corners_of(shape) for shape in shapes], dtype=np.float64).reshape(-1, 4)


def _box_areas(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    areas: npt.NDArray[np.float64] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return areas


def _areas(shapes: Sequence[Shape]) -> npt.NDArray[np.float64]:
    """Pixels of each mask; 1 for a box, which is compared by its sides."""
    masks = [mask_of(shape) for shape in shapes]
    counts = [1 if mask is None else np.count_nonzero(mask.pixels) for mask in masks]
    return np.array(counts, dtype=np.float64)
