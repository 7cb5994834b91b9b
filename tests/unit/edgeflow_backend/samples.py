"""Images with one plain object, and requests for them."""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.geometry import Size
from edgeflow.label_studio.api.records import Project
from edgeflow_backend.label_studio.projects import Projects
from tests.contract.wire import JSONObject, keypoint, request

SIZE = Size(120, 160)
CENTRE = (50.0, 50.0)


def disk_image(size: Size = SIZE) -> npt.NDArray[np.uint8]:
    """A red disk in the middle of a green meadow, H×W×3 RGB."""
    image = np.full((*size, 3), (30, 90, 40), dtype=np.uint8)
    image[disk(size)] = (230, 60, 50)
    return image


def disk(size: Size = SIZE) -> npt.NDArray[np.bool_]:
    """Where the disk is."""
    rows, cols = np.mgrid[: size.height, : size.width]
    centre = (size.height / 2, size.width / 2)
    inside: npt.NDArray[np.bool_] = (rows - centre[0]) ** 2 + (cols - centre[1]) ** 2 < (
        size.height / 4
    ) ** 2
    return inside


@cache
def disk_png(size: Size = SIZE) -> bytes:
    """The image as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(disk_image(size)).save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def click(x: float = 50, y: float = 50, *, positive: bool = True, **changes: object) -> JSONObject:
    """A keypoint on the disk, of a request for the image."""
    size = {"original_width": SIZE.width, "original_height": SIZE.height}
    return {**keypoint(x, y, positive=positive), **size, **changes}


def disk_request(*points: JSONObject, **changes: object) -> JSONObject:
    """An interactive request for the image, which comes inline."""
    return {**request(*(points or (click(),)), image=data_uri(disk_png())), **changes}


def projects_with_overlap(overlap: int | None, **changes: Any) -> Projects:
    """Projects of which Label Studio has said at once how many people annotate each task."""
    project = Project(1, "", "", overlap, **changes)
    return Projects(lambda _: project, submit=lambda ask: ask())
