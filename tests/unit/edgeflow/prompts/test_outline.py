from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.nn.interface import Feedback
from edgeflow.prompts.click import Click, check_clicks
from edgeflow.prompts.implied import deepest_point
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import BAND_PROBABILITY, BAND_WIDTH, PriorMask, feedback_of, merge
from tests.unit.edgeflow.samples import click, negative

Mask = npt.NDArray[np.bool_]

# On a busy machine, single examples may take long.
PROPERTY = settings(deadline=None)

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=16)
MASKS = hnp.arrays(np.bool_, SHAPES, elements=st.booleans())


def blank(height: int = 60, width: int = 80) -> Mask:
    return np.zeros((height, width), np.bool_)


def boxed(region: Box, height: int = 60, width: int = 80) -> Mask:
    mask = blank(height, width)
    mask[region.top : region.bottom, region.left : region.right] = True
    return mask


def disk(row: float, col: float, radius: float, height: int = 60, width: int = 80) -> Mask:
    rows, cols = np.mgrid[:height, :width]
    inside: Mask = np.hypot(rows - row, cols - col) <= radius
    return inside


def frozen(mask: Mask) -> Mask:
    mask = mask.copy()
    mask.flags.writeable = False
    return mask


LAYOUTS: dict[str, Callable[[Mask], Mask]] = {
    "as it is": lambda mask: mask,
    "column by column": np.asfortranarray,
    "a mirrored view": lambda mask: mask[:, ::-1].copy()[:, ::-1],
    "an upside-down view": lambda mask: mask[::-1].copy()[::-1],
    "every other pixel": lambda mask: np.repeat(np.repeat(mask, 2, 0), 2, 1)[::2, ::2],
    "read-only": frozen,
}


@st.composite
def boxes(draw: st.DrawFn, longest: int = 600) -> tuple[Size, Box]:
    """An image's size, and a box on it."""
    size = Size(draw(st.integers(1, longest)), draw(st.integers(1, longest)))
    top, left = draw(st.integers(0, size.height - 1)), draw(st.integers(0, size.width - 1))
    bottom = draw(st.integers(top + 1, size.height))
    return size, Box(top, left, bottom, draw(st.integers(left + 1, size.width)))


@st.composite
def lassos(draw: st.DrawFn) -> Outline:
    """A lasso with its bounding box, of whatever shape."""
    inside = draw(MASKS.filter(np.any))
    rows, cols = np.nonzero(inside)
    region = Box(int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1)
    return Outline(region, inside)


# The clicks that an outline implies


SQUARE = Size(100, 100)  # a box of 20 pixels puts its negative clicks 3 pixels off


@pytest.mark.parametrize(
    ("region", "negatives"),
    [
        (Box(40, 40, 60, 60), {(37, 37), (37, 62), (62, 37), (62, 62)}),
        (Box(3, 3, 23, 23), {(0, 0), (0, 25), (25, 0), (25, 25)}),
        (Box(77, 77, 97, 97), {(74, 74), (74, 99), (99, 74), (99, 99)}),
        (Box(2, 40, 22, 60), {(24, 37), (24, 62)}),
        (Box(78, 40, 98, 60), {(75, 37), (75, 62)}),
        (Box(40, 2, 60, 22), {(37, 24), (62, 24)}),
        (Box(40, 78, 60, 98), {(37, 75), (62, 75)}),
        (Box(0, 0, 20, 20), {(22, 22)}),
        (Box(0, 80, 20, 100), {(22, 77)}),
        (Box(80, 0, 100, 20), {(77, 22)}),
        (Box(80, 80, 100, 100), {(77, 77)}),
        (Box(0, 30, 100, 50), set()),
        (Box(30, 0, 50, 100), set()),
        (Box(0, 0, 100, 100), set()),
        (Box(1, 1, 99, 99), set()),
    ],
)
def test_negative_clicks_lie_off_the_corners_that_have_room(
    region: Box, negatives: set[tuple[int, int]]
) -> None:
    implied = Outline(region).implied_clicks(SQUARE)
    assert {(c.point.y, c.point.x) for c in implied if not c.positive} == negatives
    assert len(implied) == len(negatives) + 1


def test_negative_clicks_of_a_long_box_stay_within_the_networks_view() -> None:
    box = Box(400, 100, 500, 900)
    implied = Outline(box).implied_clicks(Size(1000, 1000))
    corners = {(c.point.x, c.point.y) for c in implied if not c.positive}
    assert corners == {(50, 392), (949, 392), (50, 507), (949, 507)}
    view = ZoomPolicy().around(box, Size(1000, 1000))
    assert all(view.contains(click.point) for click in implied)


@PROPERTY
@given(boxes())
def test_implied_clicks_are_on_the_image_and_negative_ones_outside_the_box(
    box: tuple[Size, Box],
) -> None:
    size, region = box
    first, *others = Outline(region).implied_clicks(size)
    check_clicks([first, *others], size)
    assert first.positive
    assert region.contains(first.point)
    assert first.point == ImagePoint(
        (region.left + region.right - 1) / 2, (region.top + region.bottom - 1) / 2
    )
    assert len(others) <= 4
    assert len(set(others)) == len(others)
    for other in others:
        assert not other.positive
        x, y = other.point
        assert x == int(x) <= size.width - 1
        assert y == int(y) <= size.height - 1
        assert not region.left <= x < region.right
        assert not region.top <= y < region.bottom


@PROPERTY
@given(boxes())
def test_a_mirrored_outline_implies_mirrored_clicks(box: tuple[Size, Box]) -> None:
    size, (top, left, bottom, right) = box
    mirrored = Box(top, size.width - right, bottom, size.width - left)
    there = Outline(Box(top, left, bottom, right)).implied_clicks(size)
    assert {
        Click(ImagePoint(size.width - 1 - c.point.x, c.point.y), c.positive) for c in there
    } == set(Outline(mirrored).implied_clicks(size))


def test_a_single_pixel_implies_a_click_on_it() -> None:
    size = Size(9, 9)
    assert Outline(Box(4, 4, 5, 5)).implied_clicks(size) == (
        click(4, 4),
        negative(2, 2),
        negative(6, 2),
        negative(2, 6),
        negative(6, 6),
    )
    assert Outline(Box(0, 0, 1, 1)).implied_clicks(Size(1, 1)) == (click(0, 0),)


def test_a_lasso_implies_a_click_on_its_inside_even_where_its_middle_is_outside() -> None:
    ring = disk(30, 40, 20) & ~disk(30, 40, 10)
    region = Box(10, 20, 51, 61)
    first, *others = Outline(region, ring).implied_clicks(Size(60, 80))
    assert first.positive
    assert ring[int(first.point.y), int(first.point.x)]
    assert not ring[30, 40]
    rectangle = Outline(region).implied_clicks(Size(60, 80))
    assert others == list(rectangle[1:])
    assert len(others) == 4


@PROPERTY
@given(lassos())
def test_a_lassos_clicks_agree_with_it(lasso: Outline) -> None:
    assert lasso.inside is not None
    size = Size(*lasso.inside.shape)
    first, *others = lasso.implied_clicks(size)
    check_clicks([first, *others], size)
    assert lasso.inside[int(first.point.y), int(first.point.x)]
    assert not any(lasso.inside[int(c.point.y), int(c.point.x)] for c in others)


# What an outline confines


def test_nothing_is_left_outside_a_rectangle() -> None:
    values = torch.rand(60, 80) + 0.1
    before = values.clone()
    region = Box(10, 20, 30, 70)
    confined = Outline(region).confine(values)
    inside = torch.from_numpy(boxed(region))
    assert torch.equal(confined[inside], values[inside])
    assert not confined[~inside].any()
    assert torch.equal(values, before)
    assert confined.dtype == values.dtype


@PROPERTY
@given(lassos())
def test_nothing_is_left_outside_a_lasso(lasso: Outline) -> None:
    assert lasso.inside is not None
    values = torch.rand(lasso.inside.shape) + 0.1
    confined = lasso.confine(values).numpy()
    assert np.array_equal(confined, np.where(lasso.inside, values.numpy(), np.float32(0)))
    assert np.array_equal(lasso.confine(torch.from_numpy(confined)).numpy(), confined)


def test_a_confined_map_is_a_copy() -> None:
    values = torch.rand(60, 80)
    before = values.clone()
    for outline in (
        Outline(Box(0, 0, 60, 80)),
        Outline(Box(0, 0, 60, 80), np.ones((60, 80), np.bool_)),
    ):
        confined = outline.confine(values)
        assert torch.equal(confined, values)
        confined.zero_()
        assert torch.equal(values, before)


def test_what_a_lasso_holds_beyond_its_box_is_outside() -> None:
    confined = Outline(Box(10, 10, 20, 20), np.ones((60, 80), np.bool_)).confine(torch.ones(60, 80))
    assert np.array_equal(confined.numpy() > 0, boxed(Box(10, 10, 20, 20)))


@pytest.fixture
def _every_warning() -> Iterator[None]:
    """PyTorch gives some warnings once in the life of a process."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(before)


@pytest.mark.usefixtures("_every_warning")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_of_a_lasso_does_not_matter(layout: str) -> None:
    inside = disk(30, 30, 15)
    region = Box(15, 15, 46, 46)
    values = torch.rand(60, 80)
    expected, laid_out = Outline(region, inside), Outline(region, LAYOUTS[layout](inside))
    assert laid_out.digest == expected.digest
    assert laid_out.implied_clicks(Size(60, 80)) == expected.implied_clicks(Size(60, 80))
    assert torch.equal(laid_out.confine(values), expected.confine(values))


# Digests


def test_starts_that_differ_have_different_digests() -> None:
    whole = Box(0, 0, 60, 80)
    starts: list[Outline | PriorMask] = [
        PriorMask(blank()),
        PriorMask(~blank()),
        PriorMask(boxed(Box(0, 0, 1, 1))),
        PriorMask(boxed(Box(0, 1, 1, 2))),
        PriorMask(boxed(Box(59, 79, 60, 80))),
        Outline(whole),
        Outline(whole, blank()),
        Outline(whole, ~blank()),
        Outline(whole, boxed(Box(59, 79, 60, 80))),
        Outline(Box(0, 0, 59, 80)),
        Outline(Box(0, 0, 60, 79)),
        Outline(Box(1, 0, 60, 80)),
        Outline(Box(0, 1, 60, 80)),
        Outline(Box(1, 11, 20, 30)),
        Outline(Box(11, 1, 20, 30)),
        Outline(Box(1, 1, 120, 30)),
        Outline(Box(0, 1, 60, 80), ~blank()),
    ]
    assert len({start.digest for start in starts}) == len(starts)
    assert "nothing" not in {start.digest for start in starts}  # what stands for no start at all


@PROPERTY
@given(MASKS, st.data())
def test_a_single_pixel_makes_another_digest(mask: Mask, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, mask.shape[0] - 1))
    col = data.draw(st.integers(0, mask.shape[1] - 1))
    changed = mask.copy()
    changed[row, col] ^= True
    region = Box(0, 0, *mask.shape)
    assert PriorMask(changed).digest != PriorMask(mask).digest
    assert Outline(region, changed).digest != Outline(region, mask).digest
    assert Outline(region, mask).digest != PriorMask(mask).digest


@PROPERTY
@given(MASKS)
def test_equal_starts_have_equal_digests(mask: Mask) -> None:
    prior = PriorMask(mask)
    assert prior.digest == prior.digest == PriorMask(mask.copy()).digest
    lasso = Outline(Box(0, 0, *mask.shape), mask)
    again = Outline(Box(0, 0, *mask.shape), mask.copy())
    assert lasso.digest == lasso.digest == again.digest


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_of_a_mask_does_not_change_its_digest(layout: str) -> None:
    mask = disk(20, 50, 12)
    assert PriorMask(LAYOUTS[layout](mask)).digest == PriorMask(mask).digest


@pytest.mark.parametrize(
    "shapes",
    [[(24, 32), (32, 24), (12, 64), (1, 768), (768, 1)], [(1, 9), (1, 10), (2, 5), (1, 16)]],
)
def test_digests_tell_shapes_of_equal_bits_apart(shapes: list[tuple[int, int]]) -> None:
    region = Box(0, 0, 1, 1)
    masks = [np.zeros(shape, np.bool_) for shape in shapes]
    assert len({PriorMask(mask).digest for mask in masks}) == len(shapes)
    assert len({Outline(region, mask).digest for mask in masks}) == len(shapes)


def test_starts_cannot_be_reassigned() -> None:
    with pytest.raises(AttributeError):
        PriorMask(blank()).mask = ~blank()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Outline(Box(0, 0, 1, 1)).inside = None  # type: ignore[misc]


# The deepest point


@pytest.mark.parametrize(
    ("mask", "deepest"),
    [
        (boxed(Box(7, 9, 8, 10)), {(9, 7)}),
        (boxed(Box(0, 0, 1, 1)), {(0, 0)}),
        (boxed(Box(59, 79, 60, 80)), {(79, 59)}),
        (boxed(Box(10, 20, 31, 41)), {(30, 20)}),
        (boxed(Box(10, 20, 30, 40)), {(x, y) for x in (29, 30) for y in (19, 20)}),
        (boxed(Box(10, 20, 15, 60)), {(x, 12) for x in range(22, 58)}),
        (boxed(Box(10, 20, 50, 21)), {(20, y) for y in range(10, 50)}),
        (disk(30, 40, 12), {(40, 30)}),
        (np.ones((1, 1), np.bool_), {(0, 0)}),
        (np.ones((41, 41), np.bool_), {(20, 20)}),  # the image's border is an outside, too
        (np.ones((1, 80), np.bool_), {(x, 0) for x in range(80)}),
        (disk(20, 20, 8) | disk(40, 60, 11), {(60, 40)}),
        (
            boxed(Box(10, 10, 50, 14)) | boxed(Box(41, 10, 50, 70)),
            {(x, 45) for x in range(80)},
        ),
        (disk(0, 0, 30), {(x, y) for x in range(9, 16) for y in range(9, 16)}),
    ],
)
def test_the_deepest_point_of_known_shapes(mask: Mask, deepest: set[tuple[int, int]]) -> None:
    assert deepest_point(mask) in deepest
    if len(mask) == 60:
        assert deepest_point(np.ascontiguousarray(mask[::-1])) in {(x, 59 - y) for x, y in deepest}


def depths(mask: Mask) -> npt.NDArray[np.float64]:
    """Each pixel's exact distance to the nearest one outside, by trying them all."""
    padded = np.pad(mask, 1)
    outside = np.argwhere(~padded)
    away = np.argwhere(padded)[:, None] - outside[None]
    found = np.zeros(padded.shape)
    found[padded] = np.sqrt((away**2).sum(axis=2).min(axis=1))
    return found[1:-1, 1:-1]


@PROPERTY
@given(MASKS.filter(np.any))
def test_the_deepest_point_is_inside_and_about_as_deep_as_can_be(mask: Mask) -> None:
    x, y = deepest_point(mask)
    assert x == int(x)
    assert y == int(y)
    exact = depths(mask)
    assert mask[int(y), int(x)]
    assert exact[int(y), int(x)] >= 0.95 * exact.max()  # the distances are approximate


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_does_not_change_the_deepest_point(layout: str) -> None:
    mask = disk(20, 50, 12)
    assert deepest_point(LAYOUTS[layout](mask)) == (50, 20)


# The feedback of a mask


def edges(mask: Mask, frame: Box | None = None, size: Size | None = None) -> Mask:
    """Where the band lies."""
    frame = frame or Box(0, 0, *mask.shape)
    band = feedback_of(mask, frame, size or frame.size, "edge")
    assert band.dtype == torch.float32
    assert band.shape == (1, 1, *(size or frame.size))
    values = band[0, 0].numpy()
    assert set(np.unique(values)) <= {np.float32(0), np.float32(BAND_PROBABILITY)}
    found: Mask = values > 0
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
def test_a_frame_without_a_boundary_has_no_band(mask: Mask, size: Size) -> None:
    assert not edges(mask, Box(0, 0, 60, 80), size).any()
    assert not edges(mask, Box(10, 20, 50, 80), size).any()


def test_a_frame_inside_the_mask_has_no_band_though_the_mask_ends_beside_it() -> None:
    mask = boxed(Box(10, 10, 50, 70))
    assert not edges(mask, Box(10, 10, 50, 70)).any()
    assert edges(mask, Box(9, 10, 50, 70))[0].all()


@PROPERTY
@given(MASKS)
def test_the_band_is_within_reach_of_the_boundary_and_covers_it(mask: Mask) -> None:
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
def test_inside_and_outside_have_the_same_band(mask: Mask) -> None:
    assert np.array_equal(edges(mask), edges(~mask))


@PROPERTY
@given(MASKS, st.data())
def test_only_what_lies_in_the_frame_counts(mask: Mask, data: st.DataObject) -> None:
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
def test_a_mask_that_shrinks_keeps_each_cells_share(mask: Mask) -> None:
    small = feedback_of(mask, Box(0, 0, 12, 16), Size(4, 4), "mask")[0, 0].numpy()
    cells = mask.reshape(4, 3, 4, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(small, cells, atol=1e-6)


@PROPERTY
@given(MASKS, st.integers(1, 50), st.integers(1, 50))
def test_a_mask_fed_back_stays_a_probability(mask: Mask, height: int, width: int) -> None:
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


def connected(pixels: Mask, row: int, col: int) -> Mask:
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
def merges(draw: st.DrawFn) -> tuple[Mask, Mask, Click]:
    """Two masks of one size, and a click anywhere on them."""
    height, width = draw(SHAPES)
    masks = hnp.arrays(np.bool_, (height, width), elements=st.booleans())
    point = ImagePoint(draw(st.floats(-0.5, width - 0.5)), draw(st.floats(-0.5, height - 0.5)))
    return draw(masks), draw(masks), Click(point, draw(st.booleans()))


def pixel(made: Click, mask: Mask) -> tuple[int, int]:
    """The pixel that a click is on; between two pixels, the even one, as everywhere here."""
    x, y = made.point
    return min(max(round(y), 0), len(mask) - 1), min(max(round(x), 0), len(mask[0]) - 1)


@settings(max_examples=300, deadline=None)
@given(merges())
def test_exactly_the_connected_part_that_a_followed_click_asks_for_changes(
    case: tuple[Mask, Mask, Click],
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
    case: tuple[Mask, Mask, Click],
) -> None:
    before, predicted, made = case
    merged = merge(before, predicted, made)
    assert not ((before & ~merged) if made.positive else (merged & ~before)).any()
    at = pixel(made, before)
    followed = predicted[at] == made.positive
    assert merged[at] == (made.positive if followed else before[at])


@PROPERTY
@given(merges())
def test_merging_again_changes_nothing(case: tuple[Mask, Mask, Click]) -> None:
    before, predicted, made = case
    once = merge(before, predicted, made)
    assert np.array_equal(merge(once, predicted, made), once)
    assert np.array_equal(merge(before, before, made), before)


@PROPERTY
@given(merges())
def test_a_merged_mask_is_a_copy(case: tuple[Mask, Mask, Click]) -> None:
    before, predicted, made = case
    merged = merge(before, predicted, made)
    assert not np.shares_memory(merged, before)
    assert not np.shares_memory(merged, predicted)


@PROPERTY
@given(merges())
def test_a_turned_image_merges_alike(case: tuple[Mask, Mask, Click]) -> None:
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
def test_a_click_takes_over_the_part_that_it_is_on(made: Click, expected: Mask) -> None:
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
