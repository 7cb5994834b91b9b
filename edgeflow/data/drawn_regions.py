"""The regions of a Label Studio task: those that say where an object is, and what else is there.

One thing that cannot be read, such as a point that the editor left behind or a mask without its
code, costs nothing but itself: it is left out, and told.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from edgeflow.arrays import BoolMask
from edgeflow.data.json_files import objects_in
from edgeflow.data.left_out import LeftOut
from edgeflow.data.task_images import Place
from edgeflow.errors import EdgeFlowError, MaskCodecError, brief
from edgeflow.geometry import Size
from edgeflow.images import MAX_PIXELS
from edgeflow.label_studio.controls import ControlKind, kind_of_region
from edgeflow.label_studio.object_ids import object_of
from edgeflow.label_studio.region_masks import ParsedValue
from edgeflow.label_studio.values import as_text, side

LABELS = "labels"
"""Type of results that only label a region of the same id."""


class DrawnRegion(NamedTuple):
    """A region that says where an object is.

    Attributes:
        id: Its own; empty if it has none.
        object_id: Id of the object that it is a piece of; None if it stands alone.
        kind: Of control that it was drawn with.
        size: Size of the image that it was drawn on, if the export says so.
        value: Its value, checked, but not rendered yet.
        labels: As stored; empty for a region without one.
        place: The image that it was drawn on.
    """

    id: str
    object_id: str | None
    kind: ControlKind
    size: Size | None
    value: ParsedValue
    labels: tuple[str, ...]
    place: Place

    @property
    def label(self) -> str | None:
        """Its first label."""
        return self.labels[0] if self.labels else None


class Drawn(NamedTuple):
    """What stands in one annotation.

    Attributes:
        regions: In the order in which they were drawn.
        left_out: All the rest.
    """

    regions: tuple[DrawnRegion, ...]
    left_out: tuple[LeftOut, ...]


def read_regions(results: list[Any], source: str) -> Drawn:
    """Read an annotation's regions.

    Args:
        results: The annotation's ``result``, untrusted.
        source: Where it was read, for messages.
    """
    carried: dict[str, tuple[str, ...]] = {}
    for result in objects_in(results):
        if result.get("type") == LABELS:
            carried.setdefault(str(result.get("id")), _labels(result))
    regions: list[DrawnRegion] = []
    left_out: list[LeftOut] = []
    for result in results:
        read = _read(result, carried, source)
        if isinstance(read, DrawnRegion):
            regions.append(read)
        elif read is not None:
            left_out.append(read)
    drawn = {region.id for region in regions}
    left_out += [
        LeftOut("labels of nothing that is drawn")
        for result in objects_in(results)
        if result.get("type") == LABELS and _is_alone(result, results, drawn)
    ]
    return Drawn(tuple(regions), tuple(left_out))


def render(region: DrawnRegion, size: Size, source: str) -> BoolMask | LeftOut:
    """What a region covers of an image: H×W with at least one pixel, or why there is nothing.

    Args:
        region: As read.
        size: Size of the image.
        source: Where the region was read, for messages.
    """
    if (fault := wrong_size(region, size, source)) is not None:
        return fault
    try:
        mask = region.value.mask(size)
    except EdgeFlowError as error:
        return LeftOut(error.message, source)
    return mask if mask.any() else LeftOut("regions without a pixel")


def wrong_size(region: DrawnRegion, size: Size, source: str) -> LeftOut | None:
    """The fault of a region for another size than its image's; arguments as for :func:`render`."""
    if region.size is None or region.size == size:
        return None
    drawn_on = f"{region.size.width}×{region.size.height}"
    return LeftOut(f"a region for {drawn_on} pixels on an image of another size", source)


def _read(
    result: object, carried: dict[str, tuple[str, ...]], source: str
) -> DrawnRegion | LeftOut | None:
    """A result of an annotation: a region, or why it is none; None for labels of another one."""
    if not isinstance(result, dict) or not isinstance(result.get("type"), str):
        return LeftOut("a result without type", source)
    if result["type"] == LABELS:
        return None
    kind = kind_of_region(result["type"])
    if kind is None or kind.mask is None:
        return LeftOut(f"results of type {brief(result['type'])!a}")
    raw = result.get("value")
    value = raw if isinstance(raw, dict) else {}
    if is_point(value):
        return LeftOut("points that the editor left behind")
    try:
        if value.get("closed") is False:
            raise MaskCodecError("a polygon that was not closed")
        parsed = kind.mask.parse(value)
        place, size = _place(result), _size(result)
    except EdgeFlowError as error:
        return LeftOut(error.message, source)
    own = result.get("id")
    labels = _labels(result) or carried.get(str(own), ())
    key = own if isinstance(own, str) else ""
    return DrawnRegion(key, object_of(result), kind, size, parsed, labels, place)


def is_point(value: dict[str, Any]) -> bool:
    """Whether a value is a point's, whatever its region's type: it has a place and no shape."""
    shape = {"rle", "touches", "imageDataURL", "points", "height", "rotation"}
    return "x" in value and "y" in value and not shape & value.keys()


def _place(result: dict[str, Any]) -> Place:
    item, name = result.get("item_index"), result.get("to_name")
    if item is not None and (not isinstance(item, int) or isinstance(item, bool) or item < 0):
        raise MaskCodecError(f"a region whose item_index is {brief(item)!a}")
    return Place(name if isinstance(name, str) else "", item)


def _size(result: dict[str, Any]) -> Size | None:
    height, width = side(result.get("original_height")), side(result.get("original_width"))
    if height is None or width is None:
        return None
    if height * width > MAX_PIXELS:
        raise MaskCodecError(f"a region for {width}×{height} pixels, the limit is {MAX_PIXELS}")
    return Size(height, width)


def _labels(result: dict[str, Any]) -> tuple[str, ...]:
    """The labels in a result's value.

    A tag such as ``BrushLabels`` writes them into the region's own value; beside one such as
    ``Brush``, ``Labels`` writes them into a result of type ``labels`` with the region's id.
    """
    kind, value = result["type"], result.get("value")
    labels = value.get(kind) if isinstance(value, dict) and kind.endswith(LABELS) else None
    texts = map(as_text, labels) if isinstance(labels, list) else ()
    return tuple(text for text in texts if isinstance(text, str) and text)


def _is_alone(labels: dict[str, Any], results: list[Any], drawn: set[str]) -> bool:
    """Whether a result of type ``labels`` belongs to no other result."""
    own = labels.get("id")
    if not isinstance(own, str):
        return True
    return own not in drawn and not any(
        other.get("id") == own for other in objects_in(results) if other.get("type") != LABELS
    )
