from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edgeflow.annotated import DrawnBox, Outlines, Shape
from edgeflow.arrays import BoolMask
from edgeflow.data.drawn_regions import read_regions, render
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import recommended_config
from edgeflow.label_studio.object_ids import object_of
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.mask_controls import KINDS, mask_controls
from edgeflow.preannotation.regions import (
    Encoded,
    MaskedObject,
    Placed,
    encode_object,
    region_id,
)

LABELS = ("cat", "a/b é")
EXACT = PolygonOptions(tolerance=0)
MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)).filter(
    lambda mask: bool(mask.any())
)


def placed(kind: str, item: int | None = None, labels: tuple[str, ...] = LABELS) -> Placed:
    xml = recommended_config(kind, [Label(each) for each in labels])
    return Placed(mask_controls(parse_label_config(xml).for_task(None), kind), item)


def encode(shape: Shape, size: Size, kind: str, **options: object) -> Encoded:
    each = MaskedObject("k", ("a/b é",), shape, **options)  # type: ignore[arg-type]
    return encode_object(each, size, placed(kind), "own", EXACT)


def shown(encoded: Encoded, size: Size) -> BoolMask:
    """What the regions show together, read as exports are; each with its label."""
    drawn = read_regions(encoded.regions, "test")
    assert drawn.left_out == ()
    whole = np.zeros(size, dtype=np.bool_)
    for region in drawn.regions:
        assert region.labels == ("a/b é",)
        mask = render(region, size, "test")
        assert isinstance(mask, np.ndarray)
        whole |= mask
    return whole


@given(mask=MASKS, kind=st.sampled_from(["Brush", "Bitmask"]))
def test_brushes_and_bitmasks_are_exact(mask: BoolMask, kind: str) -> None:
    size = Size(*mask.shape)
    encoded = encode(MaskPatch.of(mask), size, kind)
    assert encoded.iou == 1
    assert (shown(encoded, size) == mask).all()


@given(mask=MASKS)
def test_polygons_tell_how_much_of_the_mask_they_keep(mask: BoolMask) -> None:
    size = Size(*mask.shape)
    encoded = encode(MaskPatch.of(mask), size, "Polygon")
    found = shown(encoded, size)
    assert encoded.iou == pytest.approx((found & mask).sum() / (found | mask).sum())


def test_the_parts_of_an_object_are_regions_that_say_whose_they_are() -> None:
    mask = np.zeros((20, 30), dtype=np.bool_)
    mask[2:9, 2:9] = mask[12:18, 12:25] = True
    encoded = encode(MaskPatch.of(mask), Size(20, 30), "Polygon", score=0.5, meta={"x": 1})
    ids = [each["id"] for each in encoded.regions]
    assert ids == ["own", "own-2"]
    assert [object_of(each) for each in encoded.regions] == ["own", "own"]
    assert {each["score"] for each in encoded.regions} == {0.5}
    assert all(each["meta"]["x"] == 1 for each in encoded.regions)


def test_a_whole_object_has_no_meta_of_its_own() -> None:
    (region, labels) = encode(
        MaskPatch.of(np.ones((4, 4), dtype=np.bool_)), Size(4, 4), "Brush"
    ).regions
    assert "meta" not in region
    assert "score" not in region
    assert "item_index" not in region
    assert (labels["type"], labels["id"]) == ("labels", "own")


def test_what_was_drawn_as_polygons_stays_as_it_is() -> None:
    ring = np.array([[1.25, 1.0], [5.5, 1.0], [3.0, 3.75]])
    mask = np.zeros((4, 8), dtype=np.bool_)
    mask[1:3, 2:4] = True
    outlines = Outlines((ring,), MaskPatch.of(mask))
    (region,) = encode(outlines, Size(4, 8), "Polygon").regions
    assert np.allclose(np.array(region["value"]["points"]) * [0.08, 0.04], ring)
    assert region["value"]["closed"] is True
    encoded = encode(outlines, Size(4, 8), "Brush")
    assert (shown(encoded, Size(4, 8)) == mask).all()


def test_the_page_of_a_task_is_told() -> None:
    each = MaskedObject("k", ("cat",), MaskPatch.of(np.ones((4, 4), dtype=np.bool_)))
    regions = encode_object(each, Size(4, 4), placed("Brush", item=3), "own", EXACT).regions
    assert {region["item_index"] for region in regions} == {3}


def test_a_box_is_no_mask() -> None:
    with pytest.raises(ValueError, match="box"):
        encode(DrawnBox(0, 0, 1, 1), Size(4, 4), "Brush")


@given(st.text(), st.text(), st.text(), st.text())
def test_ids_depend_on_image_and_object(a: str, b: str, c: str, d: str) -> None:
    assert region_id(a, b) == region_id(a, b)
    if (f"{a}\n{b}") != (f"{c}\n{d}"):
        assert region_id(a, b) != region_id(c, d)


def test_every_kind_is_tried() -> None:
    assert set(KINDS.values()) == {"Brush", "Bitmask", "Polygon"}
