from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.geometry import NetworkPoint
from edgeflow.masks.cleanup import ABSENT, FILLED, UNTOUCHED, Cleanup, Located
from edgeflow.masks.patch import MASK_THRESHOLD

FloatMap = npt.NDArray[np.float32]
Clicks = list[tuple[NetworkPoint, bool]]

PROPERTY = settings(deadline=None)
NOTHING = UNTOUCHED

# Coarse maps and settings, so that parts and holes of all sizes occur and often tie.
VALUES = st.sampled_from([np.float32(v) for v in (0, 0.2, 0.5, 0.51, 0.9, 1)])
MAPS = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=14), elements=VALUES
)
PARTS = st.sampled_from([0.0, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0])
CLEANUPS = st.builds(Cleanup, PARTS, st.booleans(), PARTS)
POINTS = st.builds(NetworkPoint, st.floats(-5, 20), st.floats(-5, 20))
CLICKS = st.lists(st.tuples(POINTS, st.booleans()), max_size=4)


def image(*rows: str) -> FloatMap:
    """A map from a drawing: ``#`` is on the mask, all else is not."""
    return np.array([[0.9 if c == "#" else 0.1 for c in row] for row in rows], np.float32)


def positive(row: float, col: float) -> tuple[NetworkPoint, bool]:
    return NetworkPoint(row, col), True


def negative(row: float, col: float) -> tuple[NetworkPoint, bool]:
    return NetworkPoint(row, col), False


def drawing(values: FloatMap) -> list[str]:
    return ["".join("#" if value > 0.5 else "." for value in row) for row in values]


def on_map(point: NetworkPoint, values: FloatMap) -> tuple[int, int]:
    """The pixel that a click is on, or the one of the border that is next to it."""
    row, col = (
        min(max(round(v), 0), side - 1) for v, side in zip(point, values.shape, strict=True)
    )
    return row, col


def clean(cleanup: Cleanup, probability: FloatMap, clicks: Located) -> FloatMap:
    """A cleaned copy of a map: smooth, 0 in dropped components, 1 in filled holes."""
    smooth = cleanup.smooth(probability, clicks)
    cleaned: FloatMap = smooth.copy()
    changes = cleanup.changes(smooth > MASK_THRESHOLD, clicks, lambda: smooth)
    if changes is not None:
        cleaned[changes.dropped] = ABSENT
        cleaned[changes.filled] = FILLED
    return cleaned


def blocks(*areas: int) -> FloatMap:
    """Separate components of these areas, each in rows of its own."""
    values = np.full((2 * len(areas), max(areas)), 0.1, np.float32)
    for number, area in enumerate(areas):
        values[2 * number, :area] = 0.9
    return values


def sheet(*holes: int, area: int) -> FloatMap:
    """A component of this area with holes of these."""
    width = max(max(holes) + 2, 12)
    height = -(-(area + sum(holes)) // width) + 2
    values = np.full((max(height, 2 * len(holes) + 3), width), 0.1, np.float32)
    values[: 2 * len(holes) + 1] = 0.9
    for number, hole in enumerate(holes):
        values[2 * number + 1, 1 : 1 + hole] = 0.2
    flat = values.reshape(-1)
    flat[(2 * len(holes) + 1) * width :][: area - int((values > 0.5).sum())] = 0.9
    assert int((values > 0.5).sum()) == area
    return values


def test_the_defaults_drop_specks_and_pinholes_only() -> None:
    assert Cleanup() == Cleanup(
        min_part=0.02,
        largest_only=False,
        max_hole=0.005,
        smoothing=0.0,
        min_certainty=0.75,
    )
    with pytest.raises(FrozenInstanceError):
        Cleanup().min_part = 0.5  # type: ignore[misc]


def test_an_equal_cleanup_prints_equally_and_another_does_not() -> None:
    # A prediction's identity is made from this text.
    others = [
        Cleanup(min_part=0.03),
        Cleanup(largest_only=True),
        Cleanup(max_hole=0.004),
        Cleanup(smoothing=0.5),
        Cleanup(min_certainty=0.7),
    ]
    assert str(Cleanup()) == str(Cleanup())
    assert len({str(cleanup) for cleanup in [Cleanup(), *others]}) == 6


# Components without a click


def kept(
    cleanup: Cleanup, areas: tuple[int, ...], probabilities: tuple[float, ...], clicks: Located
) -> list[int]:
    """Areas of the components of :func:`blocks` that stay, each with its mean probability."""
    values = blocks(*areas)
    for number, (area, probability) in enumerate(zip(areas, probabilities, strict=True)):
        # of single pixels some are hardly on the mask: what counts is the mean
        values[2 * number, :area] = np.tile([probability - 0.05, probability + 0.05], area)[:area]
    return [int((row > MASK_THRESHOLD).sum()) for row in clean(cleanup, values, clicks)[::2]]


SURE = replace(UNTOUCHED, min_certainty=0.75)
CLICK = [positive(0, 5)]


def test_a_component_without_a_click_stays_only_where_the_network_is_sure_of_it() -> None:
    assert kept(SURE, (50, 40, 40), (0.9, 0.74, 0.76), CLICK) == [50, 0, 40]
    # an object behind a post: two halves, one click
    assert kept(SURE, (60, 40), (0.95, 0.9), CLICK) == [60, 40]
    # the largest is no exception, and the clicked one needs no certainty
    assert kept(SURE, (20, 100), (0.6, 0.7), CLICK) == [20, 0]
    # confetti at a click on the background
    assert kept(SURE, (30, 28, 20, 10), (0.6, 0.62, 0.58, 0.7), CLICK) == [30, 0, 0, 0]
    assert kept(SURE, (30, 28, 20), (0.6, 0.6, 0.6), [*CLICK, positive(4, 3)]) == [30, 0, 20]
    assert kept(UNTOUCHED, (30, 28, 20), (0.6, 0.6, 0.6), CLICK) == [30, 28, 20]


@pytest.mark.parametrize("clicks", [[], [negative(1, 5)]], ids=["none", "negative"])
def test_without_positive_clicks_all_components_stay(clicks: Clicks) -> None:
    assert kept(SURE, (30, 28), (0.6, 0.6), clicks) == [30, 28]


def test_where_no_click_lies_on_the_mask_only_what_is_sure_is_left() -> None:
    beside = [positive(1, 5)]
    assert kept(SURE, (30, 28), (0.6, 0.9), beside) == [0, 28]
    assert kept(SURE, (30, 28), (0.6, 0.6), beside) == [0, 0]


def test_the_probability_is_asked_for_only_where_a_component_depends_on_it() -> None:
    def never() -> FloatMap:
        raise AssertionError

    solid = blocks(30, 20) > MASK_THRESHOLD
    assert Cleanup().changes(solid, [positive(0, 1), positive(2, 1)], never) is None
    assert Cleanup().changes(solid, [], never) is None
    with pytest.raises(AssertionError):
        Cleanup().changes(solid, [positive(0, 1)], never)


# Specks


def test_specks_vanish_and_the_rest_stays_as_it_was() -> None:
    values = image("###...#", "###....", "###....", ".......", "....##.")
    cleaned = clean(Cleanup(min_part=0.2, max_hole=0), values, [])
    assert drawing(cleaned) == ["###....", "###....", "###....", ".......", "....##."]
    assert cleaned[0, 6] == 0
    rest = np.ones_like(values, np.bool_)
    rest[0, 6] = False
    assert np.array_equal(cleaned[rest], values[rest])


@pytest.mark.parametrize(
    ("areas", "stay"),
    [
        ((1000, 20), (True, True)),
        ((1000, 19), (True, False)),
        ((19, 1000), (False, True)),
        ((50, 1), (True, True)),
        ((51, 1), (True, False)),
        ((1000, 1000, 19, 20, 21), (True, True, False, True, True)),
        ((3,), (True,)),
        ((1,), (True,)),
        ((10, 10, 10), (True, True, True)),
        ((900, 19, 18, 17), (True, True, True, False)),  # of the largest one, not of all together
    ],
)
def test_a_part_below_two_percent_of_the_largest_is_a_speck(
    areas: tuple[int, ...], stay: tuple[bool, ...]
) -> None:
    cleaned = clean(Cleanup(), blocks(*areas), [])
    assert tuple(bool(row.any()) for row in cleaned[::2] > 0.5) == stay


def test_parts_that_touch_at_a_corner_are_one() -> None:
    values = image("#######.", "#######.", ".......#")
    assert drawing(clean(Cleanup(min_part=0.5, max_hole=0), values, [])) == drawing(values)


def test_what_holds_a_positive_click_stays_however_small() -> None:
    values = image("######.#", "######..", "######.#")
    cleanup = Cleanup(min_part=0.5)
    assert drawing(clean(cleanup, values, []))[0] == "######.."
    assert drawing(clean(cleanup, values, [positive(0, 7)])) == ["######.#", "######..", "######.."]
    assert drawing(clean(cleanup, values, [positive(0, 7), positive(2, 7)])) == drawing(values)
    assert drawing(clean(cleanup, values, [positive(0, 7), positive(1, 1)]))[2] == "######.."
    assert drawing(clean(cleanup, values, [positive(1, 7)]))[0] == "######.."
    assert drawing(clean(cleanup, values, [negative(0, 7)]))[0] == "######.."


@pytest.mark.parametrize(
    ("row", "col", "stays"),
    [
        (0.4, 6.6, True),
        (-0.4, 7.4, True),
        (-0.5, 7.5, True),
        (0.6, 7, False),
        (0, 6.4, False),
        (-30, 90, True),  # outside: the nearest pixel of the map counts
    ],
)
def test_a_click_between_pixels_is_on_the_nearest(row: float, col: float, *, stays: bool) -> None:
    values = image("#####..#", "#####...", "#####...")
    cleaned = clean(Cleanup(min_part=0.5), values, [positive(row, col)])
    assert bool(cleaned[0, 7] > 0.5) is stays


def test_only_the_largest_and_clicked_parts_stay_where_that_is_asked_for() -> None:
    values = image("####.###", "####.###", "####....", "......##", "####..##")
    cleanup = Cleanup(min_part=0, largest_only=True)
    largest = ["####....", "####....", "####....", "........", "........"]
    assert drawing(clean(cleanup, values, [])) == largest
    assert drawing(clean(cleanup, values, [negative(4, 0)])) == largest
    assert drawing(clean(cleanup, values, [positive(3, 3)])) == largest
    assert drawing(clean(cleanup, values, [positive(4, 0), positive(0, 7)])) == [
        "####.###", "####.###", "####....", "........", "####....",
    ]  # fmt: skip


def test_of_equal_largest_parts_one_stays() -> None:
    cleaned = clean(Cleanup(min_part=0, largest_only=True), blocks(7, 7, 7), [])
    assert int((cleaned > 0.5).sum()) == 7


@pytest.mark.parametrize("min_part", [0.5, 1.0, 1.5, 100.0])
def test_the_largest_part_never_vanishes(min_part: float) -> None:
    cleaned = clean(Cleanup(min_part=min_part, max_hole=0), blocks(40, 3), [])
    assert int((cleaned > 0.5).sum()) == 40


# Holes


def test_pinholes_are_filled_and_the_rest_stays_as_it_was() -> None:
    values = sheet(1, area=1000)
    cleaned = clean(Cleanup(), values, [])
    assert cleaned[1, 1] == 1
    rest = np.ones_like(values, np.bool_)
    rest[1, 1] = False
    assert np.array_equal(cleaned[rest], values[rest])


@pytest.mark.parametrize(
    ("holes", "area", "filled"),
    [
        ((4,), 1000, (True,)),
        ((5,), 1000, (False,)),
        ((5,), 1001, (True,)),
        ((1,), 200, (False,)),
        ((1,), 201, (True,)),
        ((4, 5, 4, 9), 1000, (True, False, True, False)),
    ],
)
def test_a_hole_below_half_a_percent_of_the_mask_is_filled(
    holes: tuple[int, ...], area: int, filled: tuple[bool, ...]
) -> None:
    cleaned = clean(Cleanup(), sheet(*holes, area=area), [])
    assert tuple(bool(cleaned[2 * n + 1, 1] > 0.5) for n in range(len(holes))) == filled


def test_holes_are_measured_against_the_mask_without_its_specks() -> None:
    values = np.full((40, 40), 0.1, np.float32)
    values[1:12, 1:12] = 0.9
    values[3:6, 3:7] = 0.1  # a hole of 12 in a part of 109
    values[20:39:2, 1:11] = 0.9  # ten parts of 10
    cleanup = Cleanup(min_part=0.5, max_hole=0.11)
    assert drawing(clean(cleanup, values, []))[4] == drawing(values)[4]
    assert drawing(clean(replace(cleanup, min_part=0), values, []))[4] != drawing(values)[4]


def test_a_hole_with_a_negative_click_stays_open() -> None:
    values = image("#########", "##.###..#", "#########")
    cleanup = Cleanup(max_hole=0.5)
    assert drawing(clean(cleanup, values, [])) == ["#" * 9] * 3
    assert drawing(clean(cleanup, values, [negative(1, 2)]))[1] == "##.######"
    assert drawing(clean(cleanup, values, [negative(1.4, 6.4)]))[1] == "######..#"
    assert drawing(clean(cleanup, values, [negative(1, 2), negative(1, 7)])) == drawing(values)
    assert drawing(clean(cleanup, values, [positive(1, 2)])) == ["#" * 9] * 3
    assert drawing(clean(cleanup, values, [negative(0, 0)])) == ["#" * 9] * 3


def test_an_island_that_goes_leaves_a_hole_and_a_negative_click_on_it_keeps_that_open() -> None:
    values = image("#######", "#.....#", "#..#..#", "#.....#", "#######")
    cleanup = Cleanup(min_part=0.1, max_hole=0.9)
    assert drawing(clean(cleanup, values, [])) == ["#" * 7] * 5
    hollow = ["#######", "#.....#", "#.....#", "#.....#", "#######"]
    assert drawing(clean(cleanup, values, [negative(2, 3)])) == hollow
    assert drawing(clean(cleanup, values, [negative(1, 1)])) == hollow


def test_an_island_that_stays_stays_when_its_hole_is_filled_around_it() -> None:
    values = image("#######", "#.....#", "#..#..#", "#.....#", "#######")
    cleaned = clean(Cleanup(min_part=0.1, max_hole=0.9), values, [positive(2, 3)])
    assert drawing(cleaned) == ["#" * 7] * 5
    assert cleaned[2, 3] == values[2, 3]


@pytest.mark.parametrize("turns", range(4))
def test_what_is_open_to_the_maps_border_is_no_hole(turns: int) -> None:
    values = np.rot90(image("###.####", "###.#.##", "########", "########"), turns)
    cleaned = clean(Cleanup(max_hole=0.5), values, [])
    assert drawing(np.rot90(cleaned, -turns)) == ["###.####", "###.####", "########", "########"]


def test_a_corner_of_the_map_is_no_hole() -> None:
    values = np.full((20, 20), 0.9, np.float32)
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        values[corner] = 0.1
    assert np.array_equal(clean(Cleanup(max_hole=0.9), values, []), values)


def test_a_hole_is_closed_where_it_touches_the_outside_at_a_corner_only() -> None:
    # The mask around it is connected across that corner.
    values = image(".#######", "#.######", "########")
    assert drawing(clean(Cleanup(max_hole=0.5), values, []))[1] == "########"


def test_holes_that_touch_at_a_corner_are_two() -> None:
    values = image("########", "##.#####", "###..###", "########", "########")
    cleaned = clean(Cleanup(max_hole=2 / 37), values, [])
    assert drawing(cleaned)[1:3] == ["########", "###..###"]


# All of it


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (24, 31)])
@pytest.mark.parametrize("value", [0.0, 0.3, 0.5, 0.51, 1.0])
@pytest.mark.parametrize(
    "cleanup",
    [Cleanup(), Cleanup(largest_only=True), Cleanup(1.0, True, 1.0), Cleanup(smoothing=3.0)],
    ids=str,
)
def test_empty_and_full_maps_stay_as_they_are(
    shape: tuple[int, int], value: float, cleanup: Cleanup
) -> None:
    values = np.full(shape, value, np.float32)
    for clicks in ([], [positive(0, 0)], [negative(0, 0)], [positive(99, -99), negative(-3, 7)]):
        cleaned = clean(cleanup, values, clicks)
        assert cleaned.dtype == np.float32
        np.testing.assert_allclose(cleaned, values, atol=1e-6)
        assert np.array_equal(values, np.full(shape, value, np.float32))


@pytest.mark.parametrize("side", [1, 2])
def test_a_map_a_pixel_wide_is_cleaned(side: int) -> None:
    values = np.repeat(image("####.##..#"), side, axis=0)
    expected = ["####.##..."] * side
    assert drawing(clean(Cleanup(min_part=0.3, max_hole=0.9), values, [])) == expected
    assert drawing(clean(Cleanup(min_part=0.3, max_hole=0.9), values.T.copy(), []).T) == expected


@PROPERTY
@given(MAPS, CLICKS)
def test_nothing_is_cleaned_where_nothing_is_asked_for(values: FloatMap, clicks: Clicks) -> None:
    assert np.array_equal(clean(NOTHING, values, clicks), values)


@PROPERTY
@given(MAPS, CLICKS, CLEANUPS, st.sampled_from([0.0, 0.7, 3.0]))
def test_the_map_that_is_given_stays_as_it_was(
    values: FloatMap, clicks: Clicks, cleanup: Cleanup, smoothing: float
) -> None:
    before = values.copy()
    cleaned = clean(replace(cleanup, smoothing=smoothing), values, clicks)
    assert np.array_equal(values, before)
    assert cleaned.dtype == np.float32
    assert cleaned.shape == values.shape
    assert cleaned.min() >= 0
    assert cleaned.max() <= 1


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(MAPS, CLICKS, CLEANUPS)
def test_whole_parts_go_and_whole_holes_are_filled_and_no_click_is_overruled(
    values: FloatMap, clicks: Clicks, cleanup: Cleanup
) -> None:
    cleaned = clean(cleanup, values, clicks)
    before, after = values > 0.5, cleaned > 0.5
    dropped, filled = before & (cleaned == 0), ~before & after
    untouched = ~dropped & ~filled
    assert np.array_equal(cleaned[untouched], values[untouched])
    assert (cleaned[filled] == 1).all()

    _, parts, stats, _ = cv2.connectedComponentsWithStats(before.astype(np.uint8))
    for part in np.unique(parts[dropped]):
        assert dropped[parts == part].all() or filled.any()
    clicked = {parts[on_map(point, values)] for point, positive in clicks if positive} - {0}
    if not before.any():
        assert not after.any()
    elif cleanup.min_certainty == 0 or not any(positive for _, positive in clicks):
        assert after.sum() >= stats[1:, cv2.CC_STAT_AREA].max()
    else:  # what nobody clicked on stays only where the network is sure of it
        for part in set(np.unique(parts[before & ~dropped])) - clicked:
            assert values[parts == part].mean() > cleanup.min_certainty - 1e-6
    border = np.ones_like(before)
    border[1:-1, 1:-1] = False
    assert not (filled & border).any()

    for point, sign in clicks:
        at = on_map(point, values)
        if sign == before[at]:
            assert after[at] == sign


@PROPERTY
@given(MAPS, CLEANUPS)
def test_sizes_are_relative(values: FloatMap, cleanup: Cleanup) -> None:
    tie_free = replace(cleanup, largest_only=False)  # which of several largest stays is open
    larger = np.kron(values, np.ones((4, 2), np.float32))
    expected = np.kron(clean(tie_free, values, []), np.ones((4, 2), np.float32))
    assert np.array_equal(clean(tie_free, larger, []), expected)


@PROPERTY
@given(MAPS, CLEANUPS)
def test_a_turned_or_mirrored_map_is_cleaned_alike(values: FloatMap, cleanup: Cleanup) -> None:
    tie_free = replace(cleanup, largest_only=False)
    expected = clean(tie_free, values, [])
    assert np.array_equal(clean(tie_free, values.T.copy(), []).T, expected)
    assert np.array_equal(clean(tie_free, values[::-1].copy(), [])[::-1], expected)


LAYOUTS: dict[str, Callable[[FloatMap], FloatMap]] = {
    "column by column": np.asfortranarray,
    "a mirrored view": lambda values: values[:, ::-1].copy()[:, ::-1],
    "every other pixel": lambda values: np.repeat(np.repeat(values, 2, 0), 2, 1)[::2, ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("smoothing", [0.0, 1.0])
def test_the_memory_layout_of_a_map_does_not_matter(layout: str, smoothing: float) -> None:
    values = image("######.#", "##.###..", "######..", "........")
    cleanup = Cleanup(min_part=0.5, max_hole=0.5, smoothing=smoothing)
    expected = clean(cleanup, values, [])
    assert np.array_equal(clean(cleanup, LAYOUTS[layout](values), []), expected)
    read_only = values.copy()
    read_only.flags.writeable = False
    assert np.array_equal(clean(cleanup, read_only, []), expected)


@PROPERTY
@given(values=MAPS, clicks=CLICKS, min_part=PARTS, largest_only=st.booleans())
def test_dropping_specks_again_drops_no_more(
    values: FloatMap, clicks: Clicks, min_part: float, *, largest_only: bool
) -> None:
    cleanup = Cleanup(min_part, largest_only, max_hole=0)
    once = clean(cleanup, values, clicks)
    assert np.array_equal(clean(cleanup, once, clicks), once)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(MAPS, CLICKS, CLEANUPS)
def test_cleaning_again_changes_nothing_unless_a_filled_hole_made_the_mask_larger(
    values: FloatMap, clicks: Clicks, cleanup: Cleanup
) -> None:
    # All is measured once, against the mask as the network drew it.
    once = clean(cleanup, values, clicks)
    filled = ((once > 0.5) & (values <= 0.5)).any()
    if not filled:
        assert np.array_equal(clean(cleanup, once, clicks), once)


# Smoothing


def ragged() -> FloatMap:
    """A straight border with teeth of one pixel."""
    values = np.full((40, 40), 0.05, np.float32)
    values[:, :20] = 0.95
    values[::3, 20] = 0.95
    return values


def test_smoothing_straightens_a_ragged_border() -> None:
    before, after = ragged() > 0.5, clean(Cleanup(smoothing=2.0), ragged(), []) > 0.5
    assert len(np.unique(before.sum(axis=1))) == 2
    assert len(np.unique(after.sum(axis=1))) == 1
    assert abs(int(after.sum()) - int(before.sum())) <= 20


def test_smoothing_leaves_a_straight_border_in_its_place() -> None:
    values = np.full((40, 40), 0.1, np.float32)
    values[:, :17] = 0.9
    after = clean(Cleanup(smoothing=3.0), values, []) > 0.5
    assert np.array_equal(after, values > 0.5)


def test_specks_and_holes_are_looked_for_after_smoothing() -> None:
    values = np.full((40, 40), 0.1, np.float32)
    values[5:35, 5:25] = 0.9
    values[10, 10] = 0.1  # a pinhole and a speck that the smoothing takes away
    values[20, 35] = 0.9
    cleaned = clean(Cleanup(min_part=0, max_hole=0, smoothing=1.5), values, [])
    assert cleaned[10, 10] > 0.5
    assert cleaned[20, 35] < 0.5


@pytest.mark.parametrize("sign", [True, False], ids=["positive", "negative"])
def test_smoothing_overrules_no_click(*, sign: bool) -> None:
    # A click on a thin part that the network found, or on a small hole that it left open.
    values = np.full((40, 40), 0.1, np.float32)
    values[5:35, 5:25] = 0.9
    values[10, 10] = 0.1
    values[20, 35] = 0.9
    made = positive(20, 35) if sign else negative(10, 10)
    cleaned = clean(Cleanup(smoothing=1.5), values, [made])
    assert bool(cleaned[on_map(made[0], values)] > 0.5) is sign
