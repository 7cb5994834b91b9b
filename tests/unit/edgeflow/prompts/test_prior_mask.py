from __future__ import annotations

from collections import deque

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.nn.interface import Feedback
from edgeflow.prompts.click import Click
from edgeflow.prompts.prior_mask import BAND_PROBABILITY, BAND_WIDTH, feedback_of, merge
from tests.unit.edgeflow.prompts.shapes import LAYOUTS, MASKS, PROPERTY, SHAPES, blank, boxed, disk
from tests.unit.edgeflow.samples import click, negative

# The feedback of a mask


def edges(mask: BoolMask, frame: Box | None = None, size: Size | None = None) -> BoolMask:
    """Where the band lies."""
    frame = frame or Box(0, 0, *mask.shape)
    band = feedback_of(mask, frame, size or frame.size, "edge")
    assert band.dtype == torch.float32
    assert band.shape == (1, 1, *(size or frame.size))
    values = band[0, 0].numpy()
    assert set(np.unique(values)) <= {np.float32(0), np.float32(BAND_PROBABILITY)}
    found: BoolMask = values > 0
    return found


def test_the_band_lies_along_a_straight_boundary_and_not_along_the_frame() -> None:
    half = BAND_WIDTH // 2
    upright = blank(96, 96)
    upright[:, :40] = True
    expected = blank(96, 96)
    expected[:, 40 - half : 40 + half] = True
    assert np.array_equal(edges(upright), expected)
    assert np.array_equal(edges(~upright), expected)
    assert np.array_equal(edges(upright.T.copy()), expected.T)


@pytest.mark.parametrize("mask", [blank(), ~blank()], ids=["empty", "full"])
@pytest.mark.parametrize("size", [Size(60, 80), Size(96, 128), Size(32, 32), Size(1, 1)])
def test_a_frame_without_a_boundary_has_no_band(mask: BoolMask, size: Size) -> None:
    assert not edges(mask, Box(0, 0, 60, 80), size).any()
    assert not edges(mask, Box(10, 20, 50, 80), size).any()


def test_a_frame_inside_the_mask_has_no_band_though_the_mask_ends_beside_it() -> None:
    mask = boxed(Box(10, 10, 50, 70))
    assert not edges(mask, Box(10, 10, 50, 70)).any()
    assert edges(mask, Box(9, 10, 50, 70))[0].all()


@PROPERTY
@given(MASKS)
def test_the_band_is_within_reach_of_the_boundary_and_covers_it(mask: BoolMask) -> None:
    band = edges(mask)
    boundary = blank(*mask.shape)
    for axis in (0, 1):
        ahead, behind = ([slice(None)] * 2 for _ in range(2))
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        differ = mask[tuple(ahead)] != mask[tuple(behind)]
        boundary[tuple(ahead)] |= differ
        boundary[tuple(behind)] |= differ
    assert band[boundary].all()
    if not boundary.any():
        assert not band.any()
        return
    away = np.argwhere(np.ones_like(mask))[:, None] - np.argwhere(boundary)[None]
    distance = np.sqrt((away**2).sum(axis=2).min(axis=1)).reshape(mask.shape)
    assert not band[distance > BAND_WIDTH / 2].any()


@PROPERTY
@given(MASKS)
def test_inside_and_outside_have_the_same_band(mask: BoolMask) -> None:
    assert np.array_equal(edges(mask), edges(~mask))


@PROPERTY
@given(MASKS, st.data())
def test_only_what_lies_in_the_frame_counts(mask: BoolMask, data: st.DataObject) -> None:
    height, width = mask.shape
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom = data.draw(st.integers(top + 1, height))
    frame = Box(top, left, bottom, data.draw(st.integers(left + 1, width)))
    size = Size(data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40)))
    part = mask[frame.top : frame.bottom, frame.left : frame.right].copy()
    inverted = ~mask
    inverted[frame.top : frame.bottom, frame.left : frame.right] = part
    kinds: tuple[Feedback, ...] = ("edge", "mask")
    for kind in kinds:
        there = feedback_of(mask, frame, size, kind)
        assert there.shape == (1, 1, *size)
        assert torch.equal(there, feedback_of(inverted, frame, size, kind))
        assert torch.equal(there, feedback_of(part, Box(0, 0, *part.shape), size, kind))


@pytest.mark.parametrize("scale", [0.25, 0.5, 2, 4])
def test_the_band_is_as_wide_in_network_pixels_at_any_scale(scale: float) -> None:
    mask = blank(160, 160)
    mask[:, 80:] = True
    side = round(160 * scale)
    band = edges(mask, None, Size(side, side))
    cols = np.flatnonzero(band.any(axis=0))
    assert BAND_WIDTH - 1 <= len(cols) <= BAND_WIDTH
    assert band[:, cols].all()
    assert cols.mean() == pytest.approx(side / 2 - 0.5, abs=1)


def test_the_band_follows_a_squeezed_frame() -> None:
    mask = blank(40, 160)
    mask[:, 80:] = True
    cols = np.flatnonzero(edges(mask, None, Size(80, 80)).any(axis=0))
    assert cols.mean() == pytest.approx(39.5, abs=1)
    assert len(cols) in {BAND_WIDTH - 1, BAND_WIDTH}


def test_a_line_one_pixel_wide_has_a_band() -> None:
    line = blank(64, 64)
    line[32] = True
    rows = np.flatnonzero(edges(line).any(axis=1))
    assert (rows.min(), rows.max()) == (32 - BAND_WIDTH // 2, 32 + BAND_WIDTH // 2)


def test_a_mask_fed_back_as_a_mask_is_the_mask() -> None:
    mask = disk(30, 40, 17)
    fed_back = feedback_of(mask, Box(0, 0, 60, 80), Size(60, 80), "mask")
    assert fed_back.dtype == torch.float32
    assert np.array_equal(fed_back[0, 0].numpy(), mask.astype(np.float32))
    part = feedback_of(mask, Box(20, 30, 50, 80), Size(30, 50), "mask")
    assert np.array_equal(part[0, 0].numpy() > 0.5, mask[20:50, 30:80])


@PROPERTY
@given(hnp.arrays(np.bool_, (12, 16), elements=st.booleans()))
def test_a_mask_that_shrinks_keeps_each_cells_share(mask: BoolMask) -> None:
    small = feedback_of(mask, Box(0, 0, 12, 16), Size(4, 4), "mask")[0, 0].numpy()
    cells = mask.reshape(4, 3, 4, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(small, cells, atol=1e-6)


@PROPERTY
@given(MASKS, st.integers(1, 50), st.integers(1, 50))
def test_a_mask_fed_back_stays_a_probability(mask: BoolMask, height: int, width: int) -> None:
    values = feedback_of(mask, Box(0, 0, *mask.shape), Size(height, width), "mask")
    assert values.shape == (1, 1, height, width)
    assert values.min() >= 0
    assert values.max() <= 1 + 1e-6
    if mask.all():
        torch.testing.assert_close(values, torch.ones_like(values))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["edge", "mask"])
def test_the_memory_layout_of_a_mask_does_not_change_its_feedback(
    layout: str, kind: Feedback
) -> None:
    mask = disk(20, 50, 12)
    frame, size = Box(5, 30, 40, 70), Size(64, 96)
    there = feedback_of(LAYOUTS[layout](mask), frame, size, kind)
    assert torch.equal(there, feedback_of(mask, frame, size, kind))


@pytest.mark.parametrize("kind", ["edge", "mask"])
def test_feedback_leaves_the_mask_as_it_is_and_apart(kind: Feedback) -> None:
    mask = disk(20, 50, 12)
    before = mask.copy()
    feedback_of(mask, Box(0, 0, 60, 80), Size(60, 80), kind).fill_(7)
    assert np.array_equal(mask, before)


# Merging


def connected(pixels: BoolMask, row: int, col: int) -> BoolMask:
    """The 4-connected part that holds a pixel, by walking."""
    part = np.zeros_like(pixels)
    if not pixels[row, col]:
        return part
    part[row, col] = True
    waiting = deque([(row, col)])
    while waiting:
        r, c = waiting.popleft()
        for near in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            on = 0 <= near[0] < pixels.shape[0] and 0 <= near[1] < pixels.shape[1]
            if on and pixels[near] and not part[near]:
                part[near] = True
                waiting.append(near)
    return part


@st.composite
def merges(draw: st.DrawFn) -> tuple[BoolMask, BoolMask, Click]:
    """Two masks of one size, and a click anywhere on them."""
    height, width = draw(SHAPES)
    masks = hnp.arrays(np.bool_, (height, width), elements=st.booleans())
    point = ImagePoint(draw(st.floats(-0.5, width - 0.5)), draw(st.floats(-0.5, height - 0.5)))
    return draw(masks), draw(masks), Click(point, draw(st.booleans()))


def pixel(made: Click, mask: BoolMask) -> tuple[int, int]:
    """The pixel that a click is on; between two pixels, the even one, as everywhere here."""
    x, y = made.point
    return min(max(round(y), 0), len(mask) - 1), min(max(round(x), 0), len(mask[0]) - 1)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(merges())
def test_exactly_the_connected_part_that_a_followed_click_asks_for_changes(
    case: tuple[BoolMask, BoolMask, Click],
) -> None:
    before, predicted, made = case
    kept = before.copy(), predicted.copy()
    merged = merge(before, predicted, made)
    asked_for = predicted & ~before if made.positive else before & ~predicted
    changed = connected(asked_for, *pixel(made, before))
    assert merged.dtype == np.bool_
    assert np.array_equal(merged, np.where(changed, made.positive, before))
    assert ((merged == before) | (merged == predicted)).all()
    assert np.array_equal(before, kept[0])
    assert np.array_equal(predicted, kept[1])


@PROPERTY
@given(merges())
def test_a_positive_click_only_adds_and_a_negative_one_only_removes(
    case: tuple[BoolMask, BoolMask, Click],
) -> None:
    before, predicted, made = case
    merged = merge(before, predicted, made)
    assert not ((before & ~merged) if made.positive else (merged & ~before)).any()
    at = pixel(made, before)
    followed = predicted[at] == made.positive
    assert merged[at] == (made.positive if followed else before[at])


@PROPERTY
@given(merges())
def test_merging_again_changes_nothing(case: tuple[BoolMask, BoolMask, Click]) -> None:
    before, predicted, made = case
    once = merge(before, predicted, made)
    assert np.array_equal(merge(once, predicted, made), once)
    assert np.array_equal(merge(before, before, made), before)


@PROPERTY
@given(merges())
def test_a_merged_mask_is_a_copy(case: tuple[BoolMask, BoolMask, Click]) -> None:
    before, predicted, made = case
    merged = merge(before, predicted, made)
    assert not np.shares_memory(merged, before)
    assert not np.shares_memory(merged, predicted)


@PROPERTY
@given(merges())
def test_a_turned_image_merges_alike(case: tuple[BoolMask, BoolMask, Click]) -> None:
    before, predicted, made = case
    turned = Click(ImagePoint(made.point.y, made.point.x), made.positive)
    there = merge(before.T.copy(), predicted.T.copy(), turned)
    assert np.array_equal(there.T, merge(before, predicted, made))


LEFT, RIGHT = Box(10, 10, 20, 20), Box(10, 40, 20, 60)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (click(15, 15), boxed(LEFT)),
        (click(50, 15), boxed(RIGHT)),
        (click(9.6, 9.6), boxed(LEFT)),
        (click(9.4, 15), blank()),
        (click(19.4, 19.4), boxed(LEFT)),
        (click(19.6, 15), blank()),
        (click(70, 50), blank()),  # the prediction disagrees with a positive click
        (negative(15, 15), blank()),  # and with a negative one
        (negative(70, 50), blank()),
    ],
)
def test_a_click_takes_over_the_part_that_it_is_on(made: Click, expected: BoolMask) -> None:
    assert np.array_equal(merge(blank(), boxed(LEFT) | boxed(RIGHT), made), expected)


def test_a_click_inside_the_mask_changes_nothing_elsewhere() -> None:
    before = boxed(LEFT)
    assert np.array_equal(merge(before, ~blank(), click(15, 15)), before)


def test_a_negative_click_takes_away_its_part_only() -> None:
    before = boxed(LEFT) | boxed(RIGHT)
    assert np.array_equal(merge(before, blank(), negative(15, 15)), boxed(RIGHT))


def test_where_a_border_moved_a_click_takes_one_side_of_the_move() -> None:
    before, predicted = boxed(Box(10, 10, 20, 20)), boxed(Box(10, 15, 20, 25))
    both, common = boxed(Box(10, 10, 20, 25)), boxed(Box(10, 15, 20, 20))
    assert np.array_equal(merge(before, predicted, click(22, 15)), both)
    assert np.array_equal(merge(before, predicted, negative(12, 15)), common)


def test_parts_that_touch_at_a_corner_are_two() -> None:
    first, second = Box(10, 10, 20, 20), Box(20, 20, 30, 30)
    merged = merge(blank(), boxed(first) | boxed(second), click(15, 15))
    assert np.array_equal(merged, boxed(first))


@pytest.mark.parametrize(
    ("x", "y"),
    [(-0.5, -0.5), (79.5, -0.5), (-0.5, 59.5), (79.5, 59.5), (-0.2, 30.7), (79.5, 30), (40, 59.5)],
)
def test_a_click_on_the_very_border_counts(x: float, y: float) -> None:
    assert merge(blank(), ~blank(), click(x, y)).all()
    assert not merge(~blank(), blank(), negative(x, y)).any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_of_what_is_merged_does_not_matter(layout: str) -> None:
    before, predicted = disk(20, 40, 12), disk(24, 44, 12)
    expected = merge(before, predicted, click(50, 30))
    assert (expected != before).any()
    arrange = LAYOUTS[layout]
    assert np.array_equal(merge(arrange(before), predicted, click(50, 30)), expected)
    assert np.array_equal(merge(before, arrange(predicted), click(50, 30)), expected)
    assert np.array_equal(merge(arrange(before), arrange(predicted), click(50, 30)), expected)


def test_a_part_that_winds_through_the_whole_image_is_followed() -> None:
    rows, cols = np.mgrid[:301, :401]
    snake = (rows % 2 == 0) | ((cols == 0) & (rows % 4 == 1)) | ((cols == 400) & (rows % 4 == 3))
    merged = merge(blank(301, 401), snake, click(0, 0))
    assert np.array_equal(merged, snake)
