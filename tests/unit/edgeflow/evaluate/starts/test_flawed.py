from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.evaluate.chance import chance
from edgeflow.evaluate.starts.flawed import flawed

Mask = npt.NDArray[np.bool_]
HEIGHT, WIDTH = 72, 96
RGB = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
EVERYWHERE = np.ones((HEIGHT, WIDTH), dtype=np.bool_)


def disk(x: int, y: int, radius: int) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.circle(mask, (x, y), radius, 1, -1)
    return mask > 0


def iou(mask: Mask, truth: Mask) -> float:
    return float(np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth))


@settings(max_examples=25, deadline=None)  # nothing here may depend on time
@given(
    st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(8, 60), st.integers(0, 999)
)
def test_the_iou_is_between_three_quarters_and_85_percent(
    x: int, y: int, radius: int, seed: int
) -> None:
    truth = disk(x, y, radius)
    assert 0.75 <= iou(flawed(RGB, truth, EVERYWHERE, chance(seed)), truth) <= 0.85


def test_thin_objects_and_whole_images_are_flawed_too() -> None:
    line = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    line[30, :] = True
    for truth in (line, EVERYWHERE):
        assert 0.75 <= iou(flawed(RGB, truth, EVERYWHERE, chance(1)), truth) <= 0.85


@pytest.mark.parametrize("pixels", [1, 2, 3, 7])
def test_the_tiniest_objects_keep_a_pixel(pixels: int) -> None:
    truth = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    truth[10, 10 : 10 + pixels] = True
    for seed in range(10):
        assert iou(flawed(RGB, truth, EVERYWHERE, chance(seed)), truth) >= 0.5


def test_the_same_chance_gives_the_same_mask_and_another_one_another() -> None:
    truth = disk(40, 30, 20)
    first, again, other = (flawed(RGB, truth, EVERYWHERE, chance(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_the_object_itself_stays_as_it_was() -> None:
    truth = disk(40, 30, 20)
    before = truth.copy()
    flawed(RGB, truth, EVERYWHERE, chance(1))
    assert (truth == before).all()


def test_where_the_annotation_does_not_say_nothing_changes() -> None:
    truth, unknown = disk(40, 30, 20), disk(40, 30, 24) & ~disk(40, 30, 20)
    for seed in range(5):
        mask = flawed(RGB, truth, ~unknown, chance(seed))
        assert not (mask & unknown).any()


def test_flaws_are_of_all_kinds_and_most_lie_at_the_border() -> None:
    truth = disk(48, 36, 24)
    depth = cv2.distanceTransform(truth.astype(np.uint8), cv2.DIST_L2, 5)
    away = cv2.distanceTransform((~truth).astype(np.uint8), cv2.DIST_L2, 5)
    masks = [flawed(RGB, truth, EVERYWHERE, chance(seed)) for seed in range(30)]
    holes = [(truth & ~mask & (depth > 4)).any() for mask in masks]
    excess = [(mask & ~truth).any() for mask in masks]
    astray = [(mask & (away > 12)).any() for mask in masks]
    assert 10 <= sum(holes) <= 30
    assert 10 <= sum(excess) <= 30
    assert 1 <= sum(astray) <= 25
