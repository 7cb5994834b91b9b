"""From one page to the next: the mask moves with the image, and the network looks at it again."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import Box
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.runs import StepInput
from edgeflow.inference.state import EncodedImage
from edgeflow.inference.transfer import upload
from edgeflow.masks.patch import MASK_THRESHOLD, MaskPatch, bounding_box
from edgeflow.prompts.click import Click
from edgeflow.prompts.disks import disk_pixels
from edgeflow.prompts.prior_mask import feedback_of
from edgeflow.propagate.hints import negative_clicks, positive_clicks
from edgeflow.propagate.motion import motion_between, reduced, reduced_size


class Tracked(NamedTuple):
    """An object on one page, and what is known of how good its mask is.

    Attributes:
        image: The page.
        mask: H×W.
        distance: Pages from the start.
        score: Estimate of its IoU with the object, 0 to 1.
    """

    image: EncodedImage
    mask: BoolMask
    distance: int
    score: float


def next_page(predictor: Predictor, before: Tracked, page: EncodedImage) -> Tracked | None:
    """Carry an object to the next page; None where nothing is left of it."""
    size = reduced_size(page.size)
    motion = motion_between(reduced(before.image, size), reduced(page, size))
    carried = motion.carry(before.mask, page.size) > MASK_THRESHOLD
    box = bounding_box(carried)
    if box is None:
        return None
    frame = predictor.policy.around(box, page.size)
    clicks = [*positive_clicks(carried), *negative_clicks(carried, frame)]
    probability = look(predictor, page, carried, clicks, frame)
    found = np.zeros(page.size, dtype=np.bool_)
    found[frame.slices] = near(probability > MASK_THRESHOLD, carried[frame.slices])
    if not found.any():
        return None
    certain = predictor.calibration.of(float(probability[found[frame.slices]].mean()), 1)
    agreement = MaskPatch.of(found).iou(MaskPatch.of(carried))
    score = before.score * (0.9 + 0.1 * min(certain, agreement))
    return Tracked(page, found, before.distance + 1, min(score, certain**0.5, agreement**0.5))


@torch.inference_mode()
def look(
    predictor: Predictor, page: EncodedImage, mask: BoolMask, clicks: list[Click], frame: Box
) -> FloatMap:
    """What the network sees in a frame, being told where the object should be.

    Returns:
        h×w float32 of the frame's size, 0 to 1.
    """
    policy, runtime = predictor.policy, predictor.runtime
    size = policy.network_size(frame.size)
    view = policy.sampling.view(page.pixels, frame, size)
    located = [(policy.sampling.locate(c.point, frame, size), c.positive) for c in clicks]
    fed_back = feedback_of(mask, frame, size, runtime.feedback).to(view.device)
    disks = view.new_zeros((1, 2, *size))
    disks.view(-1).index_fill_(0, upload(disk_pixels(located, size), view.device), 1.0)
    step = StepInput(view, torch.cat((fed_back, disks), dim=1))
    output = runtime.run(step.image, step.prompt)
    values: FloatMap = policy.sampling.enlarge(output.mask, frame.size).cpu().numpy()
    return values


def near(found: BoolMask, carried: BoolMask) -> BoolMask:
    """The components of an h×w mask that touch another one."""
    _, labels = cv2.connectedComponents(found.astype(np.uint8))
    touched = np.unique(labels[carried & found])
    kept: BoolMask = np.isin(labels, touched[touched > 0])
    return kept
