"""COCO's compressed run-length codes, made of a mask's bounding box alone."""

from __future__ import annotations

import numpy as np
from pycocotools import mask as coco

from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.masks.runs import run_starts


def encode_counts(mask: MaskPatch) -> str:
    """A mask's ``counts``, as ``pycocotools.mask.encode`` gives them for the whole image.

    Args:
        mask: The mask; may be empty.
    """
    height, width = mask.image_size
    box = mask.box
    # COCO counts down columns: along the rows of the mask on its side.
    turned = MaskPatch(
        mask.pixels.T, Box(box.left, box.top, box.right, box.bottom), Size(width, height)
    )
    counts = np.diff(run_starts(turned), prepend=0, append=height * width)
    code = coco.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
    text: bytes = code["counts"]
    return text.decode("ascii")
