"""One network step on the surroundings of a click, at a scale that the caller chooses."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch

from edgeflow.arrays import FloatMap
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.runs import StepInput
from edgeflow.inference.sampling import Sampling
from edgeflow.inference.state import EncodedImage
from edgeflow.inference.transfer import upload
from edgeflow.masks.patch import MASK_THRESHOLD, MaskPatch
from edgeflow.prompts.disks import disk_pixels

MULTIPLE = 32
WINDOW = 2.2
"""Side of a window over the longer side of the object that is expected in it."""

NETWORK_SIDE = 224


class Window(NamedTuple):
    """A part of an image, and its size at the network."""

    box: Box
    size: Size


def window_around(point: ImagePoint, length: float, image: Size, side: int) -> Window:
    """The window around a point, moved into the image.

    Args:
        point: Image pixels.
        length: Side of the window, image pixels.
        image: Image size.
        side: Network pixels of a whole window's sides.
    """
    scale = side / length
    top, bottom = _span(point.y, length, image.height)
    left, right = _span(point.x, length, image.width)
    box = Box(top, left, bottom, right)
    rows, cols = (max(MULTIPLE, round(s * scale / MULTIPLE) * MULTIPLE) for s in box.size)
    return Window(box, Size(rows, cols))


def step_input(
    image: EncodedImage, window: Window, point: ImagePoint, sampling: Sampling
) -> StepInput:
    """What the network is to see: the window, and a positive click in it."""
    view = sampling.view(image.pixels, window.box, window.size)
    located = sampling.locate(point, window.box, window.size)
    pixels = disk_pixels([(located, True)], window.size)
    prompt = view.new_zeros((1, 3, *window.size))
    prompt[0, 1:].view(-1).index_fill_(0, upload(pixels, view.device), 1.0)
    return StepInput(view, prompt)


class Segmented(NamedTuple):
    """The object at a click.

    Attributes:
        mask: The component at the click; empty where the network sees nothing there.
        certainty: Mean probability on it, network pixels.
        cut: Part of the mask's outline that lies on the window's border but not on the image's.
    """

    mask: MaskPatch
    certainty: float
    cut: float


def segmented(
    probability: FloatMap, window: Window, point: ImagePoint, image: Size, sampling: Sampling
) -> Segmented:
    """The component at a click in the network's h×w probability map."""
    enlarged = sampling.enlarge(torch.from_numpy(probability)[None, None], window.box.size)
    values = enlarged.numpy()
    solid = values > MASK_THRESHOLD
    row = min(max(round(point.y) - window.box.top, 0), solid.shape[0] - 1)
    col = min(max(round(point.x) - window.box.left, 0), solid.shape[1] - 1)
    _, labels = cv2.connectedComponents(solid.view(np.uint8))
    if not labels[row, col]:
        return Segmented(MaskPatch.of(np.zeros(image, dtype=np.bool_)), 0.0, 0.0)
    part = labels == labels[row, col]
    mask = MaskPatch.within_frame(part, window.box, image)
    return Segmented(mask, float(values[part].mean()), _cut(part, window.box, image))


def _cut(part: np.ndarray, box: Box, image: Size) -> float:
    borders = (
        (box.top > 0, part[0]),
        (box.bottom < image.height, part[-1]),
        (box.left > 0, part[:, 0]),
        (box.right < image.width, part[:, -1]),
    )
    on_border = sum(int(np.count_nonzero(line)) for inner, line in borders if inner)
    contours, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    length = sum(len(contour) for contour in contours)
    return on_border / length if length else 0.0


def _span(centre: float, length: float, side: int) -> tuple[int, int]:
    whole = min(max(round(length), 1), side)
    start = min(max(round(centre - length / 2), 0), side - whole)
    return start, start + whole
