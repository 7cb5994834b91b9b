"""EISeg's own files: a bare list of polygons an image (EISeg 1.1.1, ``app.py``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from edgeflow.data.annotation_files.numbers import Points, point_list
from edgeflow.data.base import DatasetError
from edgeflow.data.json_files import read_json
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import MaskCodecError
from edgeflow.label_studio.values import whole_number

KEY = "labelIdx"
MAX_POINTS = 1_000_000


class EisegPolygon(NamedTuple):
    """A polygon; holes are spliced into it.

    Attributes:
        label: Class name, or its index as text where the name is empty.
        points: N×2 (x, y), pixels.
    """

    label: str | None
    points: Points


def read_eiseg(path: Path) -> tuple[list[EisegPolygon], list[LeftOut]]:
    """A file's polygons, and those that cannot be read.

    Raises:
        DatasetError: It is not such a list.
    """
    document = read_json(path)
    if not isinstance(document, list):
        raise DatasetError(f"{path} is not a file of EISeg", hint="EISeg writes a list of polygons")
    polygons: list[EisegPolygon] = []
    left_out: list[LeftOut] = []
    for place, each in enumerate(document):
        try:
            polygons.append(_polygon(each))
        except MaskCodecError as error:
            left_out.append(LeftOut(error.message, f"{path.name}, polygon {place}"))
    return polygons, left_out


def _polygon(each: Any) -> EisegPolygon:  # noqa: ANN401 - parsed JSON
    if not isinstance(each, dict):
        raise MaskCodecError("it is not an object")
    name, index = each.get("name"), whole_number(each.get(KEY))
    label = name if isinstance(name, str) and name else None
    if label is None and index is not None:
        label = str(index)
    return EisegPolygon(label, point_list(each.get("points"), MAX_POINTS))
