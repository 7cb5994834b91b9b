from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.annotated import Shape
from edgeflow.data.base import DatasetError
from edgeflow.data.boxes import FloatBox, FoundBox, FoundPoint, ImageBoxes
from edgeflow.errors import ImageError
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.segmenter import NOTHING, TOO_WEAK, Segmenter, pixel_at, pixels_of
from edgeflow.preannotation.tasks import Report
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline
from tests.unit.edgeflow.samples import PHOTOS

COINS = (PHOTOS / "coins.jpg").read_bytes()
SIZE = Size(303, 384)
BOX = FoundBox("coin", FloatBox(21, 20, 77, 79), 0.75)
POINT = FoundPoint(None, 48.5, 48.5)


def patch(shape: Shape) -> MaskPatch:
    assert isinstance(shape, MaskPatch)
    return shape


def test_a_box_becomes_the_mask_that_the_predictor_makes_of_it(predictor: Predictor) -> None:
    report, found = Report(), ImageBoxes("coins.jpg", SIZE, (BOX,), (POINT,))
    size, (box, point) = Segmenter(predictor, label="thing").masks(COINS, found, report, "x")
    assert size == SIZE
    assert report.complete
    image = predictor.encode(decode_image(COINS))
    expected = predictor.predict(image, [], start=Outline(Box(20, 21, 79, 77)))
    assert (patch(box.shape).whole() == expected.mask).all()
    assert (box.labels, box.score) == (("coin",), expected.score)
    assert box.meta == {"detection": {"score": 0.75}}
    clicked = predictor.predict(image, [Click(ImagePoint(48, 48))])
    assert (patch(point.shape).whole() == clicked.mask).all()
    assert (point.labels, point.meta) == (("thing",), None)
    assert box.key != point.key


def test_an_empty_label_is_none(predictor: Predictor) -> None:
    found = ImageBoxes("coins.jpg", SIZE, (BOX._replace(label=""),))
    for label, labels in ((None, ()), ("thing", ("thing",))):
        _, (box,) = Segmenter(predictor, label=label).masks(COINS, found, Report(), "x")
        assert box.labels == labels


def test_fractions_and_pixels_are_the_same_box(predictor: Predictor) -> None:
    relative = FloatBox(21 / 384, 20 / 303, 77 / 384, 79 / 303)
    masks = [
        Segmenter(predictor).masks(COINS, each, Report(), "x")[1][0].shape
        for each in (
            ImageBoxes("a", None, (BOX,)),
            ImageBoxes("a", None, (BOX._replace(box=relative),), relative=True),
        )
    ]
    assert patch(masks[0]).iou(patch(masks[1])) == 1


def test_an_image_that_is_not_the_one_is_refused(predictor: Predictor) -> None:
    found = ImageBoxes("a", Size(384, 303), (BOX,))
    with pytest.raises(DatasetError, match="384×303") as caught:
        Segmenter(predictor).masks(COINS, found, Report(), "x")
    assert caught.value.hint


@pytest.mark.parametrize("data", [b"", b"torn", COINS[:2000]], ids=["empty", "torn", "cut"])
def test_a_torn_image_is_refused(predictor: Predictor, data: bytes) -> None:
    with pytest.raises(ImageError):
        Segmenter(predictor).masks(data, ImageBoxes("a", None, (BOX,)), Report(), "x")


def test_where_nothing_is_found_the_box_is_named(predictor: Predictor) -> None:
    outside = BOX._replace(box=FloatBox(400, 20, 480, 79))
    blank = FoundPoint(None, 383.9, 302.9)
    report = Report()
    found = ImageBoxes("a", None, (outside, BOX), (blank,))
    _, objects = Segmenter(predictor).masks(COINS, found, report, "x")
    assert sum(each.labels == ("coin",) for each in objects) == 1
    assert report.left_out[0].reason == "boxes and points outside the image"


def test_weak_detections_are_left_out_and_counted(predictor: Predictor) -> None:
    segmenter = replace(Segmenter(predictor), min_score=0.8)
    strong, none = BOX._replace(score=0.8), BOX._replace(score=None)
    report = Report()
    wanted = segmenter.wanted(ImageBoxes("a", None, (BOX, strong, none), (POINT,)), report)
    assert wanted == ImageBoxes("a", None, (strong, none), (POINT,))
    assert [each.reason for each in report.left_out] == [TOO_WEAK]
    report = Report()
    assert segmenter.wanted(ImageBoxes("a", None, (BOX,)), report) is None
    assert [each.reason for each in report.left_out] == [TOO_WEAK, NOTHING]
    assert report.complete


SIDES = st.floats(0, 20)


@given(SIDES, SIDES, SIDES, SIDES)
def test_pixels_of_a_box_lie_on_the_image_and_have_their_centres_in_it(
    a: float, b: float, c: float, d: float
) -> None:
    size = Size(20, 20)
    left, right = sorted((a, b))
    top, bottom = sorted((c, d))
    box = pixels_of(FloatBox(left, top, right, bottom), size)
    assert box == box.intersection(Box.whole(size))
    assert min(box.size) >= 1
    inside = [k for k in range(20) if left <= k + 0.5 <= right]
    if inside:
        assert (box.left, box.right) == (inside[0], inside[-1] + 1)
    else:
        assert box.right == box.left + 1


def test_a_point_on_the_border_is_on_the_outermost_pixel() -> None:
    assert pixel_at(0, 0.25) == ImagePoint(0, 0)
    assert math.isclose(pixel_at(19.5, 3).x, 19)
