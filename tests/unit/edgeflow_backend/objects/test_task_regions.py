from __future__ import annotations

import base64
import io
import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.label_studio.controls import kind_of_tag
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.task_regions import (
    MaskCache,
    TaskRegion,
    TaskRegions,
    Where,
    code_length,
    region_mask,
)

SIZE = Size(60, 80)
BoolMask = npt.NDArray[np.bool_]


def blob() -> BoolMask:
    mask = np.zeros(SIZE, dtype=np.uint8)
    cv2.ellipse(mask, (40, 30), (22, 14), 20, 0, 360, 1, -1)
    return mask.astype(np.bool_)


def region(kind: str = "brushlabels", value: Any = None, **changes: Any) -> JSONObject:
    code = {"format": "rle", "rle": list(encode_brush(blob())), "brushlabels": ["Object"]}
    return {
        "id": "r",
        "type": kind,
        "from_name": "mask",
        "to_name": "image",
        "original_width": SIZE.width,
        "original_height": SIZE.height,
        "origin": "manual",
        "value": code if value is None else value,
        **changes,
    }


def task(*result: JSONObject, **holders: Any) -> JSONObject:
    return {"id": 1, "data": {}, "drafts": [{"result": list(result)}], **holders}


def open_regions(task: JSONObject, where: Where) -> tuple[TaskRegion, ...]:
    return TaskRegions.of(task, where).open


def only(raw: JSONObject) -> TaskRegion:
    (found,) = open_regions(task(raw), "drafts")
    return found


def decoded(raw: JSONObject) -> BoolMask | None:
    crop = region_mask(only(raw), SIZE, MaskCache(10**6))
    return None if crop is None else crop.whole()


# Crops


@settings(deadline=None, max_examples=200)
@given(
    hnp.arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24))),
    st.floats(0, 100),
    st.floats(0, 100),
    st.sampled_from([0.0, 0.5, 1.0, 3.0, 30.0]),
)
def test_near_means_near_to_some_pixel(mask: BoolMask, x: float, y: float, reach: float) -> None:
    crop = MaskPatch.of(mask)
    height, width = mask.shape
    row = min(max(y / 100 * height - 0.5, 0), height - 1)
    col = min(max(x / 100 * width - 0.5, 0), width - 1)
    away = min((math.hypot(r - row, c - col) for r, c in np.argwhere(mask)), default=math.inf)
    limit = max(reach, math.sqrt(0.5))
    if abs(away - limit) > 1e-9:
        assert crop.within(x, y, reach) == (away < limit)
    np.testing.assert_array_equal(crop.whole(), mask)


def test_a_digest_tells_place_size_and_pixels_apart() -> None:
    mask = blob()
    same = MaskPatch.of(mask.copy())
    moved = MaskPatch.of(np.roll(mask, 1, axis=1))
    framed = MaskPatch.of(np.pad(mask, ((0, 5), (0, 0))))
    fewer = mask.copy()
    fewer[30, 40] = False
    digests = [crop.digest for crop in (MaskPatch.of(mask), moved, framed, MaskPatch.of(fewer))]
    assert same.digest == digests[0]
    assert len(set(digests)) == 4


# Which regions the annotator sees


def test_the_topmost_region_comes_first() -> None:
    found = open_regions(task(region(id="below"), region(id="above")), "drafts")
    assert [r.id for r in found] == ["above", "below"]


def test_the_newest_draft_counts_and_annotations_do_not_beside_it() -> None:
    drafts = [
        {"updated_at": "2026-01-02T00:00:00Z", "result": [region(id="new")]},
        {"updated_at": "2026-01-01T00:00:00Z", "result": [region(id="old")]},
    ]
    asked = task(drafts=drafts, annotations=[{"result": [region(id="annotation")]}])
    assert [r.id for r in open_regions(asked, "annotations")] == ["new"]


@pytest.mark.parametrize(
    ("where", "count", "seen"),
    [("off", 1, []), ("drafts", 1, []), ("annotations", 1, ["a0"]), ("annotations", 2, [])],
)
def test_a_lone_annotation_counts_if_it_may(where: Any, count: int, seen: list[str]) -> None:
    annotations = [{"result": [region(id=f"a{number}")]} for number in range(count)]
    asked = task(drafts=[], annotations=annotations)
    assert [r.id for r in open_regions(asked, where)] == seen


def holder(key: str, **changes: Any) -> JSONObject:
    """A draft or an annotation with one region."""
    return {"result": [region(id=key)], **changes}


SKIPPED = {"was_cancelled": True}


@pytest.mark.parametrize(
    ("drafts", "annotations", "seen"),
    [
        ([], [holder("a", was_cancelled=False)], ["a"]),
        ([], [holder("a", was_cancelled=None)], ["a"]),
        ([], [holder("a"), holder("b")], []),
        ([], [holder("s", **SKIPPED)], []),
        ([], [holder("s", **SKIPPED), holder("t", **SKIPPED)], []),
        ([], [holder("s", **SKIPPED), holder("a")], ["a"]),
        ([], [holder("a"), holder("s", **SKIPPED)], ["a"]),
        ([], [holder("a"), holder("s", **SKIPPED), holder("b")], []),
        ([holder("reopened", annotation=6)], [holder("s", id=6, **SKIPPED)], ["reopened"]),
        ([holder("begun", annotation=None)], [holder("s", id=6, **SKIPPED)], ["begun"]),
        ([holder("own")], [holder("a"), holder("s", **SKIPPED)], ["own"]),
        ([holder("own", **SKIPPED)], [], ["own"]),  # Label Studio's drafts have no such key
    ],
)
def test_a_skipped_annotation_counts_once_it_has_a_draft(
    drafts: list[JSONObject], annotations: list[JSONObject], seen: list[str]
) -> None:
    asked = task(drafts=drafts, annotations=annotations)
    assert [r.id for r in open_regions(asked, "annotations")] == seen


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (80, 60, SIZE), (80.0, 60.0, SIZE), ("80", "60", SIZE),
        (0, 60, None), (None, 60, None), (80.5, 60, None), ("x", 60, None), (True, 60, None),
        (math.nan, 60, None), (-80, 60, None), (10**400, 60, None), ([80], 60, None),
    ],
)  # fmt: skip
def test_a_stored_size_that_is_none_is_unknown(width: Any, height: Any, size: Size | None) -> None:
    assert only(region(original_width=width, original_height=height)).size == size


def test_labels_of_unlabelled_controls_are_found_beside_them() -> None:
    label = region("labels", {"labels": ["Cat"]}, from_name="l")
    found = list(open_regions(task(region("brush", {"format": "rle", "rle": []}), label), "drafts"))
    assert [r.labels for r in found if r.type == "brush"] == [("Cat",)]


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"id": 5, "type": "brushlabels", "value": {}},
        {"id": "x", "type": None, "value": {}},
        {"id": "x", "type": "brushlabels", "value": "y", "from_name": "m", "to_name": "i"},
        region(from_name=None),
    ],
    ids=repr,
)
def test_what_is_no_region_is_passed_over(raw: JSONObject) -> None:
    assert [r.id for r in open_regions(task(raw, region(id="good")), "drafts")] == ["good"]


@pytest.mark.parametrize("holder", [None, 5, "x", [None], [{"result": None}], [{"result": [[]]}]])
def test_broken_drafts_and_annotations_hold_nothing(holder: Any) -> None:
    assert list(open_regions({"drafts": holder, "annotations": holder}, "annotations")) == []


def test_odd_frames_and_meta_are_ignored() -> None:
    odd = only(region(original_width="x", item_index="y", meta={"edgeflow": [1]}))
    assert (odd.size, odd.item_index, odd.record) == (None, None, None)


# Masks


@pytest.mark.parametrize(
    "tag", ["BrushLabels", "BitmaskLabels", "PolygonLabels", "RectangleLabels"]
)
def test_every_kind_is_read_back_as_it_was_written(tag: str) -> None:
    kind = kind_of_tag(tag)
    assert kind is not None
    assert kind.mask is not None
    (value,) = kind.mask.encode(MaskPatch.of(blob()), PolygonOptions(tolerance=0))
    found = decoded(region(tag.lower(), value))
    assert found is not None
    if tag == "RectangleLabels":
        rows, cols = np.nonzero(blob())
        box = np.zeros(SIZE, dtype=np.bool_)
        box[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1] = True
        np.testing.assert_array_equal(found, box)
    else:
        np.testing.assert_array_equal(found, blob())


def test_soft_borders_of_brushes_are_cut_in_the_middle() -> None:
    assert decoded(region()) is not None
    for alpha, kept in ((127, False), (128, True)):
        pixels = np.zeros((*SIZE, 4), dtype=np.uint8)
        pixels[10:20, 10:20, 3] = alpha
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        found = decoded(region("bitmasklabels", {"imageDataURL": url}))
        assert found is not None
        assert found.any() == kept


def touch(*points: float, kind: str = "add", width: float = 5) -> JSONObject:
    return {"type": kind, "relativePoints": list(points), "relativeStrokeWidth": width}


def test_strokes_that_are_not_rendered_yet_are_drawn_in_order() -> None:
    value = {**region()["value"], "touches": [
        touch(5, 5, 30, 5), touch(50, 50, 50, 50, kind="eraser", width=10), touch(90, 90),
    ]}  # fmt: skip
    found = decoded(region(value=value))
    assert found is not None
    assert found[3, 15]  # drawn
    assert not found[30, 40]  # erased
    assert found[54, 72]  # a dot
    assert found[30, 55] == blob()[30, 55]
    assert code_length(value) == 0


def test_a_mask_that_is_all_strokes_has_no_code() -> None:
    value = {"format": "rle", "touches": [touch(20, 20, 60, 60)], "brushlabels": ["Object"]}
    found = decoded(region(value=value))
    assert found is not None
    assert 100 < found.sum() < 600


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("brushlabels", {"rle": [1, 2, 3]}),
        ("brushlabels", {"rle": [300]}),
        ("brushlabels", {"rle": ["a"]}),
        ("brushlabels", {"rle": list(encode_brush(np.ones((5, 5), dtype=np.bool_)))}),
        ("brushlabels", {"rle": [], "touches": "x"}),
        ("brushlabels", {"touches": [{"type": "add"}]}),
        ("brushlabels", {"touches": [touch(float("nan"), 1)]}),
        ("bitmasklabels", {}),
        ("bitmasklabels", {"imageDataURL": "data:image/png;base64,!!!"}),
        ("bitmasklabels", {"imageDataURL": "data:image/png;base64,QUJD"}),
        ("polygonlabels", {"points": [[1, 1]]}),
        ("polygonlabels", {"points": "x"}),
        ("rectanglelabels", {"x": 1}),
        ("choices", {"choices": ["a"]}),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_mask_that_cannot_be_read_is_none(kind: str, value: JSONObject) -> None:
    assert decoded(region(kind, value)) is None


def test_a_mask_much_larger_than_its_image_is_not_decoded() -> None:
    for side in (1000, 2000):
        code = {"format": "rle", "rle": list(encode_brush(np.ones((side, side), dtype=np.bool_)))}
        assert decoded(region(value=code, original_width=side, original_height=side)) is None
    huge = region(original_width=10**6, original_height=10**6)
    assert decoded(huge) is None


def test_a_mask_is_decoded_once() -> None:
    cache = MaskCache(10**6)
    first = region_mask(only(region()), SIZE, cache)
    assert region_mask(only(region(id="another, alike")), SIZE, cache) is first


@pytest.mark.parametrize("kind", ["EPS", "TIFF", "BMP", "GIF", "JPEG", "PPM", "WEBP", "PDF"])
def test_a_bitmask_is_a_png_whatever_it_says(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Pillow runs Ghostscript to read an EPS."""

    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.Popen", started)
    buffer = io.BytesIO()
    Image.fromarray(np.full((*SIZE, 3), 255, dtype=np.uint8)).save(buffer, kind)
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    assert decoded(region("bitmasklabels", {"imageDataURL": url})) is None
