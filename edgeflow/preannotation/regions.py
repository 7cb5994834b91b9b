"""Objects as Label Studio's regions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edgeflow.annotated import DrawnBox, Outlines, Shape
from edgeflow.errors import EdgeFlowError, LabelConfigError, PolygonError
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import ControlKind
from edgeflow.label_studio.object_ids import META_KEY, piece_id
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.mask_controls import MaskControls

ID_DIGITS = 14


class Placed(NamedTuple):
    """An image of a task, and where its masks go.

    Attributes:
        controls: Where they go.
        item: The image's index where its tag shows several; None where it shows one.
    """

    controls: MaskControls
    item: int | None = None


@dataclass(frozen=True, eq=False)
class MaskedObject:
    """An object that becomes regions.

    Attributes:
        key: Unique in its image; ids are made of it.
        labels: Class names.
        shape: What it covers; not a box.
        score: Of its mask, 0 to 1; None if there is none.
        meta: What else is to be kept in its regions' ``meta``.
    """

    key: str
    labels: tuple[str, ...]
    shape: Shape
    score: float | None = None
    meta: Mapping[str, object] | None = None


class Encoded(NamedTuple):
    """The regions of an object.

    Attributes:
        regions: As Label Studio stores them.
        iou: How much of the mask they show: 1 if they are exact.
    """

    regions: list[JSONObject]
    iou: float


def region_id(image: str, key: str) -> str:
    """A region's id, the same whenever the same data is read.

    Args:
        image: Key of the image.
        key: The object's in the image.
    """
    text = f"{image}\n{key}".encode("utf-8", "surrogatepass")
    return f"im{hashlib.sha256(text).hexdigest()[:ID_DIGITS]}"


def encode_object(
    each: MaskedObject, size: Size, placed: Placed, own_id: str, polygons: PolygonOptions
) -> Encoded:
    """The regions that show an object: one, or for polygons one for each part.

    Args:
        each: The object.
        size: Of its image.
        placed: Where its mask goes.
        own_id: Id of the first region.
        polygons: How masks become polygons; what was drawn as polygons stays as it is.

    Raises:
        LabelConfigError: There is no control for its labels.
        PolygonError: It is too complex for polygons.
        ValueError: It is a box.
    """
    if isinstance(each.shape, DrawnBox):
        raise ValueError("a box covers nothing")  # noqa: TRY004 - a kind of shape, not a type
    held = placed.controls.hold(each.labels)
    kind = held.control.kind
    if kind is None or kind.mask is None:
        raise LabelConfigError(f"{held.control} holds no masks")
    mask = each.shape.mask if isinstance(each.shape, Outlines) else each.shape
    values, iou = _values(each.shape, mask, kind, polygons)
    meta = dict(each.meta or {})
    if len(values) > 1:
        meta[META_KEY] = {"object": own_id}
    regions: list[JSONObject] = []
    for number, value in enumerate(values, start=1):
        region: JSONObject = {
            "id": piece_id(own_id, number),
            "from_name": held.control.name,
            "to_name": placed.controls.image.name,
            "type": held.control.region_type,
            "original_width": size.width,
            "original_height": size.height,
            "image_rotation": 0,
            "value": value,
        }
        if placed.item is not None:
            region["item_index"] = placed.item
        if each.score is not None:
            region["score"] = each.score
        if meta:
            region["meta"] = meta
        regions += held.results(region)
    return Encoded(regions, iou)


def _values(
    shape: Shape, mask: MaskPatch, kind: ControlKind, polygons: PolygonOptions
) -> tuple[list[JSONObject], float]:
    """The values that show a mask, and the IoU of what they show with it."""
    assert kind.mask is not None  # noqa: S101 - the caller knows
    if isinstance(shape, Outlines) and not kind.mask.exact:
        scale = 100 / np.array([mask.image_size.width, mask.image_size.height], dtype=np.float64)
        rings = [(ring * scale).tolist() for ring in shape.polygons]
        return [{"points": ring, "closed": True} for ring in rings], 1.0
    values = kind.mask.encode(mask, polygons)
    if kind.mask.exact:
        return values, 1.0
    shown = np.zeros(mask.image_size, dtype=np.bool_)
    for value in values:
        try:
            shown |= kind.mask.parse(value).mask(mask.image_size)
        except EdgeFlowError as error:
            raise PolygonError(f"its outline cannot be read back: {error.message}") from error
    return values, mask.iou(MaskPatch.of(shown))
