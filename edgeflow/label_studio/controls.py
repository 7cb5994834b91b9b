"""The kinds of controls that Label Studio has for images, and what regions of each hold.

One row a kind: the only place that knows what a tag or a region's type means. What the editor sends
was measured on Label Studio 1.23.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from edgeflow.label_studio.region_masks import (
    ParsedValue,
    parse_bitmask,
    parse_brush,
    parse_polygon,
    parse_rectangle,
)
from edgeflow.label_studio.region_values import (
    PolygonOptions,
    bitmask_values,
    brush_values,
    polygon_values,
    rectangle_values,
)
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch

Sends = Literal["clicks", "shapes", "nothing"]
"""What a kind's smart tool sends to a backend; the icon is shown also where it sends nothing."""

LABELS_TAG = "Labels"
"""The control that labels regions of unlabelled controls."""


@dataclass(frozen=True)
class MaskFormat:
    """How regions of a kind hold masks.

    Attributes:
        encode: A mask to the values of the regions that show it.
        parse: A region's value, untrusted, to what it covers; raises MaskCodecError.
        exact: Whether parsing what was encoded gives the same mask.
        drawn_is_mask: Whether a region drawn by hand covers its object; a rectangle only says where
            it is.
    """

    encode: Callable[[MaskPatch, PolygonOptions], list[JSONObject]]
    parse: Callable[[JSONObject], ParsedValue]
    exact: bool = False
    drawn_is_mask: bool = True


@dataclass(frozen=True)
class ControlKind:
    """One kind of control: the tags ``<name>Labels`` and ``<name>``.

    Attributes:
        name: The unlabelled tag.
        sends: What its smart tool sends to a backend.
        mask: How its regions hold masks; None where they cannot.
    """

    name: str
    sends: Sends = "nothing"
    mask: MaskFormat | None = None

    @property
    def tags(self) -> tuple[str, str]:
        """Its tags, the labelled one first."""
        return f"{self.name}Labels", self.name

    @property
    def region_types(self) -> tuple[str, str]:
        """The ``type`` of its regions, by tag; a labelled one is also the key of their labels."""
        labelled, plain = self.tags
        return labelled.lower(), plain.lower()


CONTROLS = {
    kind.name: kind
    for kind in (
        ControlKind("KeyPoint", sends="clicks"),
        ControlKind("Brush", mask=MaskFormat(brush_values, parse_brush, exact=True)),
        ControlKind("Bitmask", mask=MaskFormat(bitmask_values, parse_bitmask, exact=True)),
        ControlKind("Polygon", mask=MaskFormat(polygon_values, parse_polygon)),
        ControlKind(
            "Rectangle",
            sends="shapes",
            mask=MaskFormat(rectangle_values, parse_rectangle, drawn_is_mask=False),
        ),
        ControlKind("Ellipse"),
        ControlKind("Vector"),
    )
}
"""Where several controls could hold an answer, one of the kind that stands first here does."""


def kind_of_tag(tag: str) -> ControlKind | None:
    """The kind of a control; None for tags that draw nothing."""
    return CONTROLS.get(tag.removesuffix("Labels"))


def kind_of_region(region_type: str) -> ControlKind | None:
    """The kind of a region by its ``type``; None for what is not drawn on an image."""
    return next((kind for kind in CONTROLS.values() if region_type in kind.region_types), None)
