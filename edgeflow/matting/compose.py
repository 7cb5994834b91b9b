"""What becomes of a cut-out: laid on a background, or cropped."""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.arrays import RGBAImage, RGBImage
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import bounding_box


def laid_on(rgba: RGBAImage, background: RGBImage | tuple[int, int, int]) -> RGBImage:
    """Lay a cut-out on a background.

    Args:
        rgba: H×W×4 uint8.
        background: H×W×3 uint8, or one colour, 0 to 255 each.

    Returns:
        H×W×3 uint8, a new array.
    """
    height, width, _ = rgba.shape
    below: RGBImage = np.empty((height, width, 3), np.uint8)
    below[:] = background
    rows, columns = np.nonzero(rgba[..., 3])
    alpha = rgba[rows, columns, 3:].astype(np.float32) / 255
    mixed = rgba[rows, columns, :3] * alpha + below[rows, columns] * (1 - alpha)
    below[rows, columns] = np.rint(mixed).astype(np.uint8)
    return below


def covering(image: RGBImage, size: Size) -> RGBImage:
    """An image scaled to cover a size, the middle of it.

    Args:
        image: h×w×3 uint8.
        size: Height and width to cover, at least 1 each.

    Returns:
        size×3 uint8.
    """
    height, width, _ = image.shape
    # What is seen of the image: as large as it goes with the proportions of the size.
    seen_height = min(height, max(1, round(width * size.height / size.width)))
    seen_width = min(width, max(1, round(height * size.width / size.height)))
    top, left = (height - seen_height) // 2, (width - seen_width) // 2
    seen = image[top : top + seen_height, left : left + seen_width]
    smaller = seen_height > size.height
    covered: RGBImage = cv2.resize(
        np.ascontiguousarray(seen),
        (size.width, size.height),
        interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC,
    ).astype(np.uint8)
    return covered


def object_box(rgba: RGBAImage, margin: int = 0) -> Box | None:
    """The smallest box around all that is not wholly transparent.

    Args:
        rgba: H×W×4 uint8.
        margin: Pixels to add on each side, as far as the image goes.

    Returns:
        None if all is transparent.
    """
    box = bounding_box(rgba[..., 3] > 0)
    return None if box is None else grown(box, margin, Size(*rgba.shape[:2]))


def grown(box: Box, margin: int, size: Size) -> Box:
    """A box with a margin on each side, as far as the image goes."""
    wide = Box(box.top - margin, box.left - margin, box.bottom + margin, box.right + margin)
    return wide.intersection(Box.whole(size))
