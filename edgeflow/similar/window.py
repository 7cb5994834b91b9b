"""One network step on the surroundings of a click, at a scale that the caller chooses."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.closer import CUT, cut_length
from edgeflow.inference.runs import StepInput
from edgeflow.inference.sampling import Sampling
from edgeflow.inference.state import EncodedImage
from edgeflow.inference.transfer import upload
from edgeflow.masks.patch import MASK_THRESHOLD, MaskPatch
from edgeflow.prompts.disks import disk_pixels

MULTIPLE = 32
WINDOW = 1.8
"""Side of a window over the longer side of the object that is expected in it."""

NETWORK_SIDE, SMALL_SIDE = 256, 192
"""Network pixels of a window's sides: an object gets about 140 of them, as in training. A window of
few image pixels shows no more at 256, which takes nearly twice the time of 192."""

SMALL_WINDOW = 96
"""Side of a window that is small, image pixels."""

LOOSE, FIRM = 0.3, 0.7
"""Probabilities at which a component's area is compared."""


class Window(NamedTuple):
    """A part of an image, and its size at the network."""

    box: Box
    size: Size


def window_around(point: ImagePoint, length: float, image: Size) -> Window:
    """The window for an object at a point, moved into the image.

    Args:
        point: Image pixels.
        length: Longer side of the object that is expected there, image pixels.
        image: Image size.
    """
    length *= WINDOW
    scale = (SMALL_SIDE if length < SMALL_WINDOW else NETWORK_SIDE) / length
    box = Box.around(point, length, image)
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
        certainty: Mean probability on it, 0 to 1.
        firmness: Its area at :data:`FIRM` over its area at :data:`LOOSE`, 0 to 1: small where the
            network is not sure of the outline.
        cut: Whether it ends at the window's border inside the image, so that there may be more.
    """

    mask: MaskPatch
    certainty: float
    firmness: float
    cut: bool


def segmented(
    probability: FloatMap, window: Window, point: ImagePoint, image: Size, sampling: Sampling
) -> Segmented:
    """The component at a click in the network's h×w probability map."""
    enlarged = sampling.enlarge(torch.from_numpy(probability)[None, None], window.box.size)
    values: FloatMap = enlarged.numpy()
    box = window.box
    row = min(max(round(point.y) - box.top, 0), values.shape[0] - 1)
    col = min(max(round(point.x) - box.left, 0), values.shape[1] - 1)
    part = _component(values > MASK_THRESHOLD, row, col)
    mask = MaskPatch.within_frame(part, box, image)
    if mask.empty:
        return Segmented(mask, 0.0, 0.0, cut=False)
    loose = _component(values > LOOSE, row, col)
    firmness = np.count_nonzero(values[loose] > FIRM) / np.count_nonzero(loose)
    cut = cut_length(part, box, image) > CUT
    return Segmented(mask, float(values[part].mean()), firmness, cut)


def _component(solid: BoolMask, row: int, col: int) -> BoolMask:
    """The connected pixels around one of an h×w mask's; none where that one is not set."""
    if not solid[row, col]:
        return np.zeros_like(solid)
    _, labels = cv2.connectedComponents(solid.view(np.uint8))
    part: BoolMask = labels == labels[row, col]
    return part
