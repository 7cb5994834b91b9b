"""Views of colour-coded images: whatever is done to them, truth and pixels must stay together."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from edgeflow.data.base import Sample
from edgeflow.train.augment import Batch, _cut, draw_batch, view_size
from edgeflow.train.config import Views
from edgeflow.train.image_store import ImageStore, build_store, object_weights

SIDE = 96
PLAIN = Views(
    whole=1, aspect=1, shift=0, stretch=0, rotation=0, warp=0, merge=0, paste=0, colour=0,
    grey=0, blur=0, noise=0,
)  # fmt: skip
COLOURS = ((200, 30, 30), (30, 200, 30), (30, 30, 200))


def coloured(name: str, height: int, width: int, colour: tuple[int, int, int]) -> Sample:
    """One object on grey, painted in a colour of its own, and a corner that is not annotated."""
    rows, cols = np.mgrid[:height, :width]
    mask = (rows - height * 0.4) ** 2 + (cols - width * 0.55) ** 2 < (min(height, width) / 4) ** 2
    rgb = np.full((height, width, 3), 90, dtype=np.uint8)
    rgb[mask] = colour
    ignore = (rows > height * 0.9) & (cols > width * 0.9)
    return Sample(name, rgb, (mask,), ignore)


@pytest.fixture
def store() -> ImageStore:
    samples = [
        coloured("wide", 60, 96, COLOURS[0]),
        coloured("high", 96, 64, COLOURS[1]),
        coloured("square", 80, 80, COLOURS[2]),
    ]
    return build_store(samples, SIDE, 0.001)


def draw(
    store: ImageStore, views: Views, size: tuple[int, int] = (64, 64), count: int = 48
) -> Batch:
    weights = object_weights(store, balance=1.0)
    return draw_batch(store, weights, count, size, views, Generator().manual_seed(5))


def is_coloured(image: Tensor) -> Tensor:
    """B×1×H×W: where one channel stands out."""
    return (image.amax(dim=1, keepdim=True) - image.amin(dim=1, keepdim=True)) > 0.35


def agreement(batch: Batch) -> Tensor:
    found = is_coloured(batch.image)
    inter = (found & batch.truth).sum(dim=(1, 2, 3))
    return inter / (found | batch.truth).sum(dim=(1, 2, 3)).clamp_min(1)


def test_a_view_of_a_whole_square_image_is_the_image(store: ImageStore) -> None:
    weights = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    batch = draw_batch(store, weights, 8, (SIDE, SIDE), PLAIN, Generator().manual_seed(0))
    whole = store.images[2].float() / 255
    for image, truth in zip(batch.image, batch.truth, strict=True):
        mirrored = not torch.allclose(image, whole, atol=1e-4)
        assert torch.allclose(image.flip(-1) if mirrored else image, whole, atol=1e-4)
        labels = store.labels[2] == 1
        assert torch.equal(truth[0], labels.flip(-1) if mirrored else labels)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"whole": 0.0, "shift": 0.1, "stretch": 0.15},
        {"whole": 0.0, "rotation": 25.0},
        {"whole": 0.5, "warp": 0.03},
        {"whole": 0.0, "expansion": (0.5, 0.8)},
    ],
)
@pytest.mark.parametrize("size", [(64, 64), (64, 96), (96, 32)])
def test_the_truth_follows_the_pixels_through_every_change(
    store: ImageStore, change: dict[str, object], size: tuple[int, int]
) -> None:
    views = PLAIN.model_copy(update=change)
    batch = draw(store, views, size)
    assert batch.image.shape == (48, 3, *size)
    assert agreement(batch).min() > 0.85
    assert batch.truth.flatten(1).any(dim=1).all()


def test_views_do_not_leave_the_image(store: ImageStore) -> None:
    """Outside of an image its canvas is black, and nothing in the images is."""
    views = PLAIN.model_copy(
        update={"whole": 0.3, "shift": 0.3, "rotation": 30.0, "warp": 0.05, "stretch": 0.3}
    )
    assert draw(store, views, (64, 96)).image.amin() > 0.1


def test_zoomed_views_show_the_object_larger_than_whole_ones(store: ImageStore) -> None:
    whole, zoomed = (
        draw(store, PLAIN.model_copy(update={"whole": share, "expansion": (1.2, 1.4)}))
        for share in (1.0, 0.0)
    )
    assert zoomed.truth.float().mean() > 1.8 * whole.truth.float().mean()


def test_a_view_of_a_part_shows_the_object_as_large_as_inference_does(store: ImageStore) -> None:
    full = draw(store, PLAIN, (96, 96))
    part = draw(store, PLAIN.model_copy(update={"part": 1.0, "full": 96}), (64, 64))
    shown = part.truth.sum(dim=(1, 2, 3)) / full.truth.sum(dim=(1, 2, 3))
    assert (agreement(part) > 0.8).all()
    assert 0.9 < float(shown.median()) <= 1.1


def test_zoomed_views_may_come_first_in_a_batch(store: ImageStore) -> None:
    views = PLAIN.model_copy(update={"whole": 0.5, "expansion": (1.0, 1.0), "zoomed_first": True})
    areas = draw(store, views).truth.float().mean(dim=(1, 2, 3))
    zoomed = areas > 0.5
    assert zoomed.any()
    assert not zoomed.all()
    assert torch.equal(zoomed, zoomed.sort(descending=True).values)


def test_zoomed_views_are_no_smaller_than_they_may_be(store: ImageStore) -> None:
    zoomed = {"whole": 0, "expansion": (0.5, 0.6)}
    close = draw(store, PLAIN.model_copy(update=zoomed))
    bounded = draw(store, PLAIN.model_copy(update={**zoomed, "least": 1.0}))
    whole = draw(store, PLAIN)
    assert close.truth.float().mean() > 2 * bounded.truth.float().mean()
    torch.testing.assert_close(bounded.truth.float().mean(), whole.truth.float().mean())


def test_half_of_the_views_of_small_objects_are_close(store: ImageStore) -> None:
    zoomed = {"whole": 0, "expansion": (0.5, 0.6), "least": 1.0, "close": 0.1}
    none = draw(store, PLAIN.model_copy(update={**zoomed, "small": 0.1}))
    half = draw(store, PLAIN.model_copy(update={**zoomed, "small": 0.9}))
    limit = 1.5 * float(none.truth.float().mean())
    assert not (none.truth.float().mean(dim=(1, 2, 3)) > limit).any()
    assert 0.3 < float((half.truth.float().mean(dim=(1, 2, 3)) > limit).float().mean()) < 0.7


def test_what_is_not_annotated_is_not_valid(store: ImageStore) -> None:
    weights = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    batch = draw_batch(store, weights, 8, (80, 80), PLAIN, Generator().manual_seed(0))
    assert ((~batch.valid).sum(dim=(1, 2, 3)) == 7 * 7).all()  # rows and columns 73 to 79 of 80
    assert not (batch.truth & ~batch.valid).any()


def test_pasted_objects_bring_their_pixels_and_either_become_the_object_or_hide_it(
    store: ImageStore,
) -> None:
    batch = draw(store, PLAIN.model_copy(update={"paste": 1.0}), count=96)
    found = is_coloured(batch.image)
    assert (found & batch.truth).sum() / batch.truth.sum() > 0.95
    distractors = (found & ~batch.truth).flatten(1).sum(dim=1) > 50
    assert distractors.float().mean() > 0.2


def test_merged_objects_are_all_of_the_truth() -> None:
    left = np.zeros((64, 64), dtype=np.bool_)
    left[20:40, 5:25] = True
    store = build_store(
        [Sample("two", np.zeros((64, 64, 3), np.uint8), (left, left[:, ::-1]))], 64, 0
    )
    merged = draw(store, PLAIN.model_copy(update={"merge": 1.0})).truth.flatten(1).sum(dim=1)
    single = draw(store, PLAIN).truth.flatten(1).sum(dim=1)
    assert set(single.tolist()) == {400}
    assert set(merged.tolist()) == {400, 800}


def test_colours_change_and_stay_in_range(store: ImageStore) -> None:
    views = PLAIN.model_copy(
        update={"colour": 1.0, "grey": 0.3, "blur": 0.3, "noise": 0.5, "whole": 1.0}
    )
    batch = draw(store, views)
    assert batch.image.min() >= 0
    assert batch.image.max() <= 1
    grey = (batch.image.amax(dim=1) - batch.image.amin(dim=1)).flatten(1).amax(dim=1)
    assert batch.image.std(dim=0).mean() > 0.05
    assert grey.min() < 0.35 < grey.max()


def test_batches_have_every_allowed_shape_and_about_the_same_area() -> None:
    views = Views(side=320, aspect=1.5)
    sizes = {view_size(views, random.Random(seed)) for seed in range(300)}
    assert (320, 320) in sizes
    assert len(sizes) >= 5
    for height, width in sizes:
        assert height % 32 == width % 32 == 0
        assert max(height, width) / min(height, width) <= 1.7
        assert 0.85 < height * width / 320**2 < 1.15


def test_of_several_sides_each_step_draws_one() -> None:
    views = Views(side=(288, 352, 480), aspect=1)
    sizes = [view_size(views, random.Random(seed)) for seed in range(60)]
    assert set(sizes) == {(288, 288), (352, 352), (480, 480)}


def test_a_step_is_the_same_from_the_same_seed(store: ImageStore) -> None:
    first, second = draw(store, Views()), draw(store, Views())
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_cut_leaves_one_side_of_the_object(store: ImageStore) -> None:
    batch = draw(store, PLAIN.model_copy(update={"cut": 1.0}))
    found = is_coloured(batch.image)
    assert (found & batch.truth).sum() / batch.truth.sum() > 0.95
    left = batch.truth.flatten(1).sum(dim=1) / found.flatten(1).sum(dim=1)
    assert left.min() > 0.05
    assert left.max() < 0.95
    assert left.max() - left.min() > 0.3


def test_a_cut_object_of_which_nothing_is_in_view_stays_empty() -> None:
    nothing = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    assert not _cut(nothing, 1.0, torch.Generator().manual_seed(0)).any()
