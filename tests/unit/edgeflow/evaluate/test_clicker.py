from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.evaluate.clicker import Clicker
from edgeflow.geometry import ImagePoint
from edgeflow.prompts.click import Click
from tests.unit.edgeflow.evaluate.reference import click_until
from tests.unit.edgeflow.evaluate.scripted import square


def test_the_first_click_falls_in_the_middle_of_the_object() -> None:
    truth = square(9, 11, slice(2, 7), slice(3, 8))
    assert Clicker(truth).next_click(np.zeros_like(truth)) == Click(ImagePoint(5, 4))


def test_the_edge_of_the_image_is_a_border() -> None:
    truth = square(9, 9, slice(0, 9), slice(0, 3))
    assert Clicker(truth).next_click(np.zeros_like(truth)) == Click(ImagePoint(1, 1))


def test_of_two_errors_the_deeper_is_clicked_even_if_it_has_fewer_pixels() -> None:
    truth = square(20, 60, slice(2, 4), slice(0, 60)) | square(20, 60, slice(8, 15), slice(3, 10))
    assert Clicker(truth).next_click(np.zeros_like(truth)) == Click(ImagePoint(6, 11))


def test_ties_between_missing_and_too_much_are_negative() -> None:
    truth = square(20, 40, slice(5, 12), slice(2, 9))
    predicted = square(20, 40, slice(5, 12), slice(22, 29))
    assert Clicker(truth).next_click(predicted) == Click(ImagePoint(25, 8), False)
    predicted[5, :] = False
    assert Clicker(truth).next_click(predicted) == Click(ImagePoint(5, 8))


def test_of_equally_deep_points_the_first_row_and_then_the_first_column_is_clicked() -> None:
    truth = square(8, 8, slice(2, 6), slice(1, 7))
    assert Clicker(truth).next_click(np.zeros_like(truth)) == Click(ImagePoint(2, 3))


def test_ignored_pixels_are_no_errors() -> None:
    truth = np.ones((5, 5), dtype=np.bool_)
    ignore = square(5, 5, slice(0, 5), slice(3, 5))
    assert Clicker(truth, ignore).next_click(~truth) == Click(ImagePoint(1, 1))
    nothing = square(5, 5, slice(0, 5), slice(0, 3))
    assert Clicker(nothing, ignore).next_click(np.ones_like(truth)) is None


def test_no_pixel_is_clicked_twice_and_it_ends_when_all_were() -> None:
    truth = square(5, 5, slice(1, 3), slice(1, 3))
    clicker = Clicker(truth)
    clicks = [clicker.next_click(np.zeros_like(truth)) for _ in range(5)]
    assert clicks[4] is None
    assert len(set(clicks[:4])) == 4


def test_iou_leaves_ignored_pixels_out() -> None:
    truth = square(4, 4, slice(0, 2), slice(0, 4))
    predicted = square(4, 4, slice(0, 4), slice(0, 2))
    assert Clicker(truth).iou(predicted) == pytest.approx(4 / 12)
    ignore = square(4, 4, slice(2, 4), slice(0, 4))
    assert Clicker(truth, ignore).iou(predicted) == pytest.approx(4 / 8)
    assert Clicker(truth).iou(truth) == 1.0


@pytest.mark.slow
@given(
    st.data(),
    hnp.arrays(np.uint8, (7, 9), elements=st.sampled_from([0, 0, 1, 1, 1, 255])),
)
def test_clicks_and_ious_are_those_of_the_protocol_written_twice(
    data: st.DataObject, labels: np.ndarray
) -> None:
    labels[3, 3] = 1
    levels = st.sampled_from([0.2, 0.49, 0.8])
    answers = data.draw(hnp.arrays(np.float64, (6, 7, 9), elements=levels)).astype(np.float32)
    clicks, ious = click_until(lambda made: answers[len(made) - 1], labels, target=0.9, most=6)
    clicker = Clicker(labels == 1, labels == 255)
    mask = np.zeros(labels.shape, dtype=np.bool_)
    for number, (((row, col), positive), iou) in enumerate(zip(clicks, ious, strict=True)):
        click = clicker.next_click(mask)
        if click is None:  # the protocol's text says nothing of masks without an error
            assert (clicker.truth == (mask & clicker.valid)).all() or number > 0
            break
        assert click == Click(ImagePoint(col, row), positive)
        mask = answers[number] > 0.49
        assert clicker.iou(mask) == pytest.approx(iou)
