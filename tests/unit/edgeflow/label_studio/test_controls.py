from __future__ import annotations

import numpy as np
import pytest

from edgeflow.arrays import BoolMask
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import (
    CONTROLS,
    ControlKind,
    kind_of_region,
    kind_of_tag,
)
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch

SIZE = Size(30, 40)
MASK_KINDS = [kind for kind in CONTROLS.values() if kind.mask is not None]


def ring() -> BoolMask:
    rows, cols = np.mgrid[: SIZE.height, : SIZE.width]
    far = np.hypot(rows - 15, cols - 20)
    mask: BoolMask = (far > 4) & (far < 12)
    return mask


@pytest.mark.parametrize(
    ("tag", "name", "region_type"),
    [
        ("BrushLabels", "Brush", "brushlabels"),
        ("Brush", "Brush", "brush"),
        ("KeyPointLabels", "KeyPoint", "keypointlabels"),
        ("Rectangle", "Rectangle", "rectangle"),
    ],
)
def test_a_kind_is_found_by_its_tags_and_by_its_regions(
    tag: str, name: str, region_type: str
) -> None:
    assert kind_of_tag(tag) is CONTROLS[name]
    assert kind_of_region(region_type) is CONTROLS[name]


@pytest.mark.parametrize("tag", ["Labels", "Image", "Choices", "", "LabelsBrush", "brush"])
def test_what_draws_nothing_is_no_kind(tag: str) -> None:
    assert kind_of_tag(tag) is None


@pytest.mark.parametrize("kind", MASK_KINDS, ids=lambda kind: kind.name)
def test_an_exact_kind_gives_back_its_mask_and_no_other_does_worse_than_its_box(
    kind: ControlKind,
) -> None:
    assert kind.mask is not None
    values = kind.mask.encode(MaskPatch.of(ring()), PolygonOptions(tolerance=0))
    covered = np.logical_or.reduce([kind.mask.parse(value).mask(SIZE) for value in values])
    if kind.mask.exact:
        np.testing.assert_array_equal(covered, ring())
    else:
        assert covered[ring()].mean() > 0.99


@pytest.mark.parametrize("kind", MASK_KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "value", [{}, {"rle": 5}, {"points": [[1e9, 0]] * 3}, {"imageDataURL": "x"}, {"x": None}]
)
def test_a_value_of_another_form_is_a_typed_error(kind: ControlKind, value: JSONObject) -> None:
    assert kind.mask is not None
    with pytest.raises(EdgeFlowError):
        kind.mask.parse(value).mask(SIZE)
