"""labelme's files, versions 3 to 6: the shapes that were drawn on one image.

Source: wkentaro/labelme, ``_label_file.py`` and ``_utils/shape.py``. Points are (x, y) in pixels
from the image's top left corner. A shape of type ``mask`` has the corners of its box, inclusive,
and in ``mask`` the box's content as a PNG.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any, NamedTuple

from edgeflow.data.annotation_files.numbers import Points, point_list, size_of
from edgeflow.data.base import DatasetError
from edgeflow.data.json_files import read_json
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import MaskCodecError, brief
from edgeflow.geometry import Size
from edgeflow.label_studio.values import finite_number, whole_number

KEY = "shapes"
MAX_POINTS = 1_000_000


class LabelmeShape(NamedTuple):
    """A shape.

    Attributes:
        kind: Its ``shape_type``; ``polygon`` where old files have none.
        label: Class name; None if it is empty.
        points: N×2.
        group: Shapes of one object share it; None for a shape that stands alone.
        png: Of a mask, the PNG as base64; empty otherwise.
        score: Confidence, as X-AnyLabeling writes it.
    """

    kind: str
    label: str | None
    points: Points
    group: int | None
    png: str
    score: float | None


class LabelmeFile(NamedTuple):
    """What a file says.

    Attributes:
        image: The image's path, as written; perhaps with folders and backslashes.
        size: The image's, if it is given.
        shapes: In their order.
        left_out: Shapes that cannot be read.
    """

    image: str
    size: Size | None
    shapes: tuple[LabelmeShape, ...]
    left_out: tuple[LeftOut, ...]


def read_labelme(path: Path) -> LabelmeFile:
    """Read a file.

    Raises:
        DatasetError: It is not labelme's.
    """
    document = read_json(path)
    shapes = document.get(KEY) if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(shapes, list):
        raise DatasetError(
            f"{path} is not a file of labelme", hint='labelme writes the list "shapes"'
        )
    read: list[LabelmeShape] = []
    left_out: list[LeftOut] = []
    for place, shape in enumerate(shapes):
        try:
            read.append(_shape(shape))
        except MaskCodecError as error:
            left_out.append(LeftOut(error.message, f"{path.name}, shape {place}"))
    image = document.get("imagePath")
    size = size_of(document.get("imageHeight"), document.get("imageWidth"))
    return LabelmeFile(image if isinstance(image, str) else "", size, tuple(read), tuple(left_out))


def _shape(shape: Any) -> LabelmeShape:  # noqa: ANN401 - parsed JSON
    if not isinstance(shape, dict):
        raise MaskCodecError("it is not an object")
    kind, label, png = shape.get("shape_type") or "polygon", shape.get("label"), shape.get("mask")
    if not isinstance(kind, str):
        raise MaskCodecError(f"its type is {brief(kind)!a}")
    return LabelmeShape(
        kind,
        label if isinstance(label, str) and label else None,
        point_list(shape.get("points"), MAX_POINTS),
        whole_number(shape.get("group_id")),
        png if isinstance(png, str) else "",
        finite_number(shape.get("score")),
    )


def embedded_image(path: Path) -> bytes | None:
    """The image that a file holds, if it does.

    Raises:
        DatasetError: The file is not JSON.
    """
    document = read_json(path)
    code = document.get("imageData") if isinstance(document, dict) else None
    if not isinstance(code, str) or not code:
        return None
    try:
        return base64.b64decode(code, validate=True)
    except (binascii.Error, ValueError):
        return None
