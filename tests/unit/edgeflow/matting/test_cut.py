from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeflow.arrays import RGBAImage
from edgeflow.matting import cut, cutout
from tests.unit.edgeflow.matting.composites import Composite, composite

MAGENTA = np.array((255, 0, 255), np.float32)
KINDS = ("hair", "legs", "ring", "defocus")


def alpha_error(made: RGBAImage, true: Composite) -> float:
    """Sum of absolute differences, in pixels."""
    return float(np.abs(made[..., 3] / 255 - true.alpha).sum())


def colour_error(made: RGBAImage, true: Composite) -> float:
    """What a person sees: the same, on magenta, of the border's colours."""
    part, true_part = made[..., 3:] / 255, true.alpha[..., None]
    seen = made[..., :3] * part + MAGENTA * (1 - part)
    wanted = true.own * true_part + MAGENTA * (1 - true_part)
    return float(np.abs(seen - wanted).mean(axis=2).sum() / 255)


def blurred(true: Composite) -> RGBAImage:
    """The usual makeshift: the mask, blurred by a pixel."""
    alpha = cv2.GaussianBlur(true.mask.astype(np.float32), (0, 0), 1)
    return np.dstack([true.picture, np.rint(alpha * 255).astype(np.uint8)])


@pytest.mark.parametrize("kind", KINDS)
def test_alpha_and_colours_are_nearer_to_the_truth_than_the_mask_and_a_blur(kind: str) -> None:
    true = composite(kind)
    made = cutout(true.picture, true.mask)
    for other in (cutout(true.picture, true.mask, soft=False), blurred(true)):
        assert alpha_error(made, true) < 0.8 * alpha_error(other, true)
        assert colour_error(made, true) < 0.8 * colour_error(other, true)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_picture_is_cut_at_a_smaller_scale_still_better_than_by_a_blur(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = composite(kind)
    monkeypatch.setattr(cut, "WORKING_PIXELS", true.mask.size // 3)
    assert alpha_error(cutout(true.picture, true.mask), true) < alpha_error(blurred(true), true)


def test_thin_legs_stay_opaque_in_the_middle() -> None:
    true = composite("legs")
    core = cv2.erode((true.mask & (true.alpha == 1)).view(np.uint8), np.ones((3, 3))).view(np.bool_)
    assert np.count_nonzero(core[100:]) > 100
    assert cutout(true.picture, true.mask)[core, 3].min() > 200


def test_a_hole_stays_open() -> None:
    true = composite("ring")
    middle = true.mask.shape[0] // 2
    assert not true.mask[middle, middle]
    assert not cutout(true.picture, true.mask)[middle, middle].any()


def test_no_old_background_is_left_in_the_colours() -> None:
    """Red on blue, with a border of one half each: the border turns to red, not to violet."""
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[...] = (0, 0, 255)
    picture[:, 31:] = (255, 0, 0)
    picture[:, 30] = (128, 0, 128)
    mask = np.zeros((60, 60), np.bool_)
    mask[:, 30:] = True
    made = cutout(picture, mask)
    edge = made[5:55, 30].astype(int)
    assert np.abs(edge[:, 3] - 128).max() < 30
    assert edge[:, 2].max() < 40
    assert edge[:, 0].min() > 215


def test_what_the_network_is_unsure_of_may_be_partly_transparent() -> None:
    true = composite("hair")
    close = cv2.erode(true.mask.view(np.uint8), np.ones((9, 9))).view(np.bool_)
    unsure = np.where(close, 1, np.where(cv2.GaussianBlur(true.alpha, (0, 0), 3) > 0.05, 0.5, 0))
    alone = cutout(true.picture, close)
    helped = cutout(true.picture, close, probability=unsure.astype(np.float32))
    assert alpha_error(helped, true) < alpha_error(alone, true)


def test_hard_is_the_mask_itself() -> None:
    true = composite("hair")
    made = cutout(true.picture, true.mask, soft=False)
    assert np.array_equal(made[..., 3], np.where(true.mask, 255, 0))
    assert np.array_equal(made[true.mask, :3], true.picture[true.mask])
    assert not made[~true.mask].any()


def test_deep_inside_nothing_changes_and_far_outside_nothing_is_left() -> None:
    true = composite("defocus")
    made = cutout(true.picture, true.mask)
    inside = cv2.erode(true.mask.view(np.uint8), np.ones((31, 31))).view(np.bool_)
    outside = ~cv2.dilate(true.mask.view(np.uint8), np.ones((31, 31))).view(np.bool_)
    assert np.array_equal(made[inside, :3], true.picture[inside])
    assert (made[inside, 3] == 255).all()
    assert not made[outside].any()


def test_inputs_stay_as_they_are_and_the_answer_is_always_the_same() -> None:
    true = composite("hair")
    picture, mask = true.picture.copy(), true.mask.copy()
    picture.setflags(write=False)
    mask.setflags(write=False)
    assert np.array_equal(cutout(picture, mask), cutout(true.picture, true.mask))


@pytest.mark.parametrize("pixels", [1 << 21, 20_000], ids=["whole", "small"])
def test_arrays_of_any_layout_are_cut_alike(pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    true = composite("ring")
    monkeypatch.setattr(cut, "WORKING_PIXELS", pixels)
    picture, mask = true.picture[::-1, ::-1], true.mask[::-1, ::-1]
    probability = true.alpha[::-1, ::-1]
    assert np.array_equal(
        cutout(picture, mask, probability=probability),
        cutout(picture.copy(), mask.copy(), probability=probability.copy()),
    )


def test_an_object_at_the_pictures_border_is_opaque_there() -> None:
    picture = np.full((80, 80, 3), 30, np.uint8)
    picture[:, :40] = (200, 120, 20)
    mask = np.zeros((80, 80), np.bool_)
    mask[:, :40] = True
    made = cutout(picture, mask)
    assert (made[:, :30, 3] == 255).all()
    assert (made[[0, -1], :30, 3] == 255).all()


@pytest.mark.parametrize("full", [True, False], ids=["full", "empty"])
@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 9), (9, 1), (2, 2), (2, 300), (3, 3), (1, 40_000)], ids=str
)
def test_any_size_is_cut(shape: tuple[int, int], full: bool) -> None:
    picture = np.full((*shape, 3), 77, np.uint8)
    made = cutout(picture, np.full(shape, full))
    assert made.shape == (*shape, 4)
    assert (made[..., 3] == (255 if full else 0)).all()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_picture_and_mask_give_a_valid_cutout(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 24), st.integers(1, 24)))
    picture: npt.NDArray[np.uint8] = data.draw(arrays(np.uint8, (*shape, 3)))
    mask: npt.NDArray[np.bool_] = data.draw(arrays(np.bool_, shape))
    made = cutout(picture, mask)
    assert made.shape == (*shape, 4)
    assert made.dtype == np.uint8
    assert not made[made[..., 3] == 0].any()


@pytest.mark.parametrize(
    "rgb",
    [np.zeros((4, 5)), np.zeros((4, 5, 3)), np.zeros((4, 5, 4), np.uint8)],
    ids=["grey", "float", "alpha"],
)
def test_another_kind_of_image_is_refused(rgb: Any) -> None:
    with pytest.raises(ValueError, match="expected H×W×3"):
        cutout(rgb, np.zeros((4, 5), np.bool_))


@pytest.mark.parametrize(
    "mask", [np.zeros((3, 5), np.bool_), np.zeros((4, 5), np.uint8)], ids=["shape", "type"]
)
def test_another_kind_of_mask_is_refused(mask: Any) -> None:
    with pytest.raises(ValueError, match="bool"):
        cutout(np.zeros((4, 5, 3), np.uint8), mask)


def test_a_probability_of_another_shape_is_refused() -> None:
    rgb, mask = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), np.bool_)
    with pytest.raises(ValueError, match="probability"):
        cutout(rgb, mask, probability=np.zeros((5, 4), np.float32))


@pytest.mark.parametrize("place", [(10, 10), (10, slice(None))], ids=["dot", "line"])
@pytest.mark.parametrize("level", [90, 200], ids=["unseen", "seen"])
def test_an_object_that_is_all_border_stays(place: Any, level: int) -> None:
    mask = np.zeros((30, 30), np.bool_)
    mask[place] = True
    picture = np.full((30, 30, 3), 90, np.uint8)
    picture[place] = level
    assert np.array_equal(cutout(picture, mask)[..., 3], mask * 255)
