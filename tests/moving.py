"""A sequence of pages made by code: an ellipse that moves over a textured ground."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.geometry import Size

SIZE = Size(120, 160)

BoolMask = npt.NDArray[np.bool_]


def middle(page: int) -> tuple[float, float]:
    """Middle of the shape on a page: x and y in pixels."""
    return 80 + 30 * float(np.sin(page / 9)), 60 + 18 * float(np.cos(page / 7))


def shape(page: int) -> BoolMask:
    """Where the shape is on a page: H×W."""
    x, y = middle(page)
    rows, cols = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    found: BoolMask = ((cols - x) / 22) ** 2 + ((rows - y) / 16) ** 2 <= 1
    return found


def picture(page: int) -> npt.NDArray[np.uint8]:
    """A page: H×W×3."""
    random = np.random.default_rng(7)
    ground = random.normal(90, 12, (SIZE.height, SIZE.width, 1)) + np.array([0.0, 6.0, -8.0])
    grain = random.normal(0, 8, ground.shape)
    ground = np.where(shape(page)[..., None], np.array([205.0, 170.0, 60.0]) + grain, ground)
    found: npt.NDArray[np.uint8] = np.clip(ground, 0, 255).astype(np.uint8)
    return found


def png(page: int) -> bytes:
    """A page as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture(page)).save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(page: int) -> str:
    """A page inside a task."""
    return "data:image/png;base64," + base64.b64encode(png(page)).decode()


def iou(mask: BoolMask, page: int) -> float:
    """How well a mask shows the shape on a page."""
    true = shape(page)
    return float((mask & true).sum() / (mask | true).sum())
