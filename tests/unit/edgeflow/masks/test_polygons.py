from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.arrays import Polygon
from edgeflow.errors import EdgeFlowError, PolygonError
from edgeflow.geometry import Size
from edgeflow.masks import polygon_holes, rings, simplify
from edgeflow.masks.polygon_holes import SLIT_WIDTH
from edgeflow.masks.polygons import HolePolicy, mask_polygons
from edgeflow.masks.rasterize import MAX_POINTS, rasterize

Mask = npt.NDArray[np.bool_]

POLICIES: tuple[HolePolicy, ...] = ("bridge", "split", "fill")
CUTTING: tuple[HolePolicy, ...] = ("bridge", "split")
TOLERANCES = (0.0, 0.3, 0.5, 1.0, 2.0, 5.0, np.inf)
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def drawn(*rows: str) -> Mask:
    return np.array([[cell == "#" for cell in row] for row in rows])


def blobs(height: int, width: int, *, seed: int, blur: float, share: float) -> Mask:
    noise = np.random.default_rng(seed).random((height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), blur)
    return cast("Mask", smooth > np.quantile(smooth, 1 - share))


def distances(side: int) -> npt.NDArray[np.float64]:
    rows, cols = np.mgrid[:side, :side]
    away: npt.NDArray[np.float64] = np.hypot(rows - side / 2 + 0.3, cols - side / 2 + 0.7)
    return away


def disc(side: int, radius: float) -> Mask:
    return distances(side) < radius


def board(side: int, cell: int) -> Mask:
    rows, cols = np.mgrid[:side, :side]
    return cast("Mask", (rows // cell + cols // cell) % 2 == 0)


def frame(side: int, thickness: int) -> Mask:
    mask = np.ones((side, side), dtype=np.bool_)
    mask[thickness:-thickness, thickness:-thickness] = False
    return mask


def ragged(side: int, *, seed: int) -> Mask:
    noise = blobs(side, side, seed=seed, blur=1.2, share=0.5)
    away = distances(side)
    return (away < 0.36 * side) & ~(noise & (away > 0.3 * side)) | disc(side, 9)


def bump_with_a_hole() -> Mask:
    """On the left of a large square, one pixel of hole in a bump that a tolerance of 5 cuts off."""
    mask = np.zeros((460, 460), dtype=np.bool_)
    mask[30:430, 30:430] = True
    mask[150:156, 27:30] = True
    mask[152, 28] = False
    return mask


def bump_in_a_hole() -> Mask:
    """The same inside out: the small hole ends up in the large one."""
    mask = np.ones((1000, 1000), dtype=np.bool_)
    mask[200:800, 200:800] = False
    mask[200:206, 400:408] = True
    mask[202, 403] = False
    return mask


SHAPES: dict[str, Mask] = {
    "one pixel": drawn("....", ".#..", "...."),
    "one pixel, nothing else": drawn("#"),
    "level line": drawn("." * 12, ".##########.", "." * 12),
    "upright line": drawn("." * 12, ".##########.", "." * 12).T,
    "diagonal line": np.eye(9, dtype=np.bool_),
    "two that touch at a corner": drawn("##..", "##..", "..##", "..##"),
    "hole that touches its border at a corner": drawn("####.", "#.###", "##.##", "####."),
    "ring of corners": drawn(".#.", "#.#", ".#."),
    "four pixels around": drawn("###", "#.#", "###"),
    "checkerboard": board(13, 1),
    "coarse checkerboard": board(30, 3),
    "all true": np.ones((7, 11), dtype=np.bool_),
    "all true, one row": np.ones((1, 40), dtype=np.bool_),
    "frame": frame(40, 1),
    "thick frame": frame(60, 12),
    "rings": (distances(80).astype(np.int64) // 5) % 2 == 0,
    "thin rings": (distances(80).astype(np.int64)) % 2 == 0,
    "disc": disc(90, 40),
    "disc across the border": disc(90, 50),
    "blobs": blobs(70, 90, seed=1, blur=2, share=0.5),
    "cheese": blobs(70, 90, seed=2, blur=1.5, share=0.85) & disc(90, 80)[:70],
    "specks": blobs(50, 60, seed=3, blur=0.4, share=0.3),
    "noise": blobs(40, 40, seed=4, blur=0.01, share=0.5),
    "pepper": ~blobs(60, 60, seed=5, blur=0.01, share=0.1),
    "ragged": ragged(120, seed=6),
    "bump with a hole": bump_with_a_hole(),
    "bump in a hole": bump_in_a_hole(),
}
LARGE = {name: mask for name, mask in SHAPES.items() if mask.sum() > 500}

# Added to points with few decimals, so that no edge passes through a pixel centre.
ASIDE = np.array([np.pi, np.e]) * 1e-4

every_shape = pytest.mark.parametrize("mask", SHAPES.values(), ids=SHAPES.keys())
every_large_shape = pytest.mark.parametrize("mask", LARGE.values(), ids=LARGE.keys())
every_policy = pytest.mark.parametrize("holes", POLICIES)
every_cutting_policy = pytest.mark.parametrize("holes", CUTTING)

SMALL_MASKS = hnp.arrays(
    np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=16), elements=st.booleans()
)
BLOBS = st.builds(
    blobs,
    st.integers(20, 90),
    st.integers(20, 90),
    seed=st.integers(0, 10_000),
    blur=st.floats(0.3, 5),
    share=st.floats(0.05, 0.95),
)
MASKS = SMALL_MASKS | BLOBS


def size_of(mask: Mask) -> Size:
    return Size(*mask.shape)


def shape_of(polygon: Polygon) -> shapely.Polygon:
    return shapely.Polygon(polygon)


def rasterized(found: list[Polygon], size: Size) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    for polygon in found:
        mask |= rasterize(polygon, size)
    return mask


def sampled(found: list[Polygon], size: Size) -> Mask:
    """By shapely instead of ``rasterize``: are the pixel centres inside?"""
    rows, cols = np.mgrid[: size.height, : size.width]
    mask = np.zeros(size, dtype=np.bool_)
    for polygon in found:
        shape = shape_of(polygon)
        shapely.prepare(shape)
        mask |= shapely.contains_xy(shape, cols, rows)
    return mask


def iou(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def objects(mask: Mask) -> list[Mask]:
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return [labels == number for number in range(1, count)]


def background(mask: Mask) -> npt.NDArray[np.int32]:
    """Background areas, numbered; that around the image has number 1, objects have 0."""
    padded = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    return cv2.connectedComponents(padded, connectivity=4)[1][1:-1, 1:-1].astype(np.int32)


def border_length(mask: Mask) -> int:
    padded = np.pad(mask, 1)
    return int((padded[1:] != padded[:-1]).sum() + (padded[:, 1:] != padded[:, :-1]).sum())


def assert_well_formed(found: list[Polygon], size: Size) -> None:
    for polygon in found:
        assert polygon.dtype == np.float64
        assert polygon.shape[1:] == (2,)
        assert len(polygon) >= 3
        assert (polygon[0] != polygon[-1]).any()
        assert (polygon >= -0.5).all()
        assert (polygon <= (size.width - 0.5, size.height - 0.5)).all()
        shape = shape_of(polygon)
        assert shape.is_valid, shapely.is_valid_reason(shape)
        assert shape.exterior.is_simple
        assert shape.area > 0


# -- what is outlined -------------------------------------------------------------------------


@every_policy
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (30, 40)])
def test_no_object_gives_no_polygon(shape: tuple[int, int], holes: HolePolicy) -> None:
    assert mask_polygons(np.zeros(shape, dtype=np.bool_), tolerance=1, holes=holes) == []


@every_policy
@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_one_pixel_gives_a_diamond_whatever_the_tolerance(
    tolerance: float, holes: HolePolicy
) -> None:
    mask = np.zeros((5, 7), dtype=np.bool_)
    mask[3, 2] = True
    (found,) = mask_polygons(mask, tolerance=tolerance, holes=holes)
    assert {tuple(point) for point in found} == {(1.5, 3), (2.5, 3), (2, 2.5), (2, 3.5)}
    assert shape_of(found).area == 0.5


def test_a_full_mask_gives_the_border_of_the_image() -> None:
    (found,) = mask_polygons(np.ones((30, 40), dtype=np.bool_), tolerance=0)
    assert shapely.bounds(shape_of(found)).tolist() == [-0.5, -0.5, 39.5, 29.5]
    assert shape_of(found).area == 30 * 40 - 4 / 8


def test_x_is_the_column_and_y_the_row() -> None:
    mask = np.zeros((50, 60), dtype=np.bool_)
    mask[40:43, 10:20] = True
    (found,) = mask_polygons(mask, tolerance=0)
    assert shapely.bounds(shape_of(found)).tolist() == [9.5, 39.5, 19.5, 42.5]


@pytest.mark.slow
@every_shape
def test_exact_outlines_enclose_the_pixels(mask: Mask) -> None:
    area = sum(shape_of(found).area for found in mask_polygons(mask, tolerance=0, holes="split"))
    assert area == pytest.approx(mask.sum(), rel=0.01, abs=0.15 * border_length(mask))


@pytest.mark.slow
@given(mask=MASKS)
@PROPERTY
def test_exact_outlines_give_the_mask_back(mask: Mask) -> None:
    found = mask_polygons(mask, tolerance=0, holes="split")
    np.testing.assert_array_equal(rasterized(found, size_of(mask)), mask)


@given(mask=MASKS)
@PROPERTY
def test_filled_outlines_give_the_mask_without_its_holes_back(mask: Mask) -> None:
    found = mask_polygons(mask, tolerance=0, holes="fill")
    np.testing.assert_array_equal(rasterized(found, size_of(mask)), background(mask) != 1)


@given(mask=SMALL_MASKS, top=st.integers(0, 5), left=st.integers(0, 5))
@PROPERTY
def test_an_object_elsewhere_has_the_same_outline_elsewhere(
    mask: Mask, top: int, left: int
) -> None:
    placed = np.zeros((mask.shape[0] + top + 3, mask.shape[1] + left + 4), dtype=np.bool_)
    placed[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    here, there = (mask_polygons(each, tolerance=0.6, holes="fill") for each in (mask, placed))
    assert len(here) == len(there)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(one + np.array([left, top]), other, atol=1e-9)


@pytest.mark.parametrize(
    "view",
    [
        lambda mask: mask.T,
        lambda mask: mask[::-1],
        lambda mask: mask[:, ::-1],
        lambda mask: mask[::2, ::3],
        np.asfortranarray,
    ],
    ids=["transposed", "upside down", "mirrored", "every other", "columns first"],
)
def test_masks_may_lie_in_memory_any_way(view: Callable[[Mask], Mask]) -> None:
    mask = view(SHAPES["blobs"])
    found = mask_polygons(mask, tolerance=0, holes="split")
    np.testing.assert_array_equal(rasterized(found, size_of(mask)), mask)


def test_the_mask_is_left_as_it_was() -> None:
    mask = SHAPES["cheese"].copy()
    mask.setflags(write=False)
    mask_polygons(mask, tolerance=1)
    np.testing.assert_array_equal(mask, SHAPES["cheese"])


# -- well-formed, whatever the mask ------------------------------------------------------------


@pytest.mark.slow
@every_policy
@every_shape
def test_polygons_are_simple_and_inside_the_image(mask: Mask, holes: HolePolicy) -> None:
    for tolerance in TOLERANCES:
        found = mask_polygons(mask, tolerance=tolerance, holes=holes)
        assert_well_formed(found, size_of(mask))


@given(mask=MASKS, tolerance=st.sampled_from(TOLERANCES), holes=st.sampled_from(POLICIES))
@PROPERTY
def test_polygons_of_any_mask_are_simple_and_inside_the_image(
    mask: Mask, tolerance: float, holes: HolePolicy
) -> None:
    assert_well_formed(mask_polygons(mask, tolerance=tolerance, holes=holes), size_of(mask))


@pytest.mark.slow
@every_shape
def test_bridged_objects_are_one_polygon_each_at_any_tolerance(mask: Mask) -> None:
    for tolerance in TOLERANCES:
        assert len(mask_polygons(mask, tolerance=tolerance)) == len(objects(mask))


@pytest.mark.slow
@given(mask=MASKS, tolerance=st.sampled_from(TOLERANCES))
@PROPERTY
def test_bridged_objects_of_any_mask_are_one_polygon_each(mask: Mask, tolerance: float) -> None:
    assert len(mask_polygons(mask, tolerance=tolerance)) == len(objects(mask))


def test_pixels_that_touch_at_a_corner_are_one_object() -> None:
    assert len(mask_polygons(SHAPES["two that touch at a corner"], tolerance=0)) == 1


def test_the_object_with_most_pixels_comes_first() -> None:
    mask = np.zeros((30, 60), dtype=np.bool_)
    mask[2:4, 2:4] = True
    mask[2:14, 10:22] = True  # a frame: large outside, few pixels
    mask[3:13, 11:21] = False
    mask[20:28, 30:40] = True
    found = mask_polygons(mask, tolerance=0)
    assert [shapely.bounds(shape_of(each))[0] for each in found] == [29.5, 9.5, 1.5]


# -- simplified -----------------------------------------------------------------------------------


@pytest.mark.slow
@every_shape
def test_outlines_move_by_no_more_than_the_tolerance(mask: Mask) -> None:
    exact = mask_polygons(mask, tolerance=0, holes="fill")
    for tolerance in TOLERANCES:
        found = mask_polygons(mask, tolerance=tolerance, holes="fill")
        for one, other in zip(exact, found, strict=True):
            moved = shapely.hausdorff_distance(
                shape_of(one).exterior, shape_of(other).exterior, densify=0.1
            )
            assert moved <= tolerance + 1e-9


@given(mask=BLOBS, tolerance=st.floats(0, 10))
@PROPERTY
def test_outlines_of_any_mask_move_by_no_more_than_the_tolerance(
    mask: Mask, tolerance: float
) -> None:
    exact = mask_polygons(mask, tolerance=0, holes="fill")
    found = mask_polygons(mask, tolerance=tolerance, holes="fill")
    for one, other in zip(exact, found, strict=True):
        moved = shapely.hausdorff_distance(shape_of(one).exterior, shape_of(other).exterior)
        assert moved <= tolerance + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cheese", "rings", "ragged", "bump with a hole", "thick frame"])
def test_outlines_of_holes_move_by_no_more_than_the_tolerance(name: str) -> None:
    def outlines(tolerance: float) -> shapely.Geometry:
        pieces = mask_polygons(SHAPES[name], tolerance=tolerance, holes="split")
        # Pieces meet along cuts that are not quite the same line in floating point.
        return shapely.union_all([shape_of(each) for each in pieces], grid_size=1e-6).boundary

    for tolerance in TOLERANCES:
        moved = shapely.hausdorff_distance(outlines(0), outlines(tolerance))
        assert moved <= tolerance + 1e-5


def test_points_on_straight_edges_go_even_without_tolerance() -> None:
    (found,) = mask_polygons(np.pad(np.ones((50, 80), dtype=np.bool_), 3), tolerance=0)
    assert len(found) == 8


@pytest.mark.parametrize(("tolerance", "points"), [(0.5, 300), (1, 45), (2, 35), (5, 20)])
def test_more_tolerance_takes_fewer_points(tolerance: float, points: int) -> None:
    (found,) = mask_polygons(disc(420, 200), tolerance=tolerance)
    assert len(found) <= points


@pytest.mark.slow
@every_cutting_policy
@every_large_shape
def test_half_a_pixel_of_tolerance_keeps_the_mask(mask: Mask, holes: HolePolicy) -> None:
    for tolerance in (0.0, 0.25, 0.5):
        found = mask_polygons(mask, tolerance=tolerance, holes=holes)
        assert iou(rasterized(found, size_of(mask)), mask) >= 0.98
        assert iou(sampled(found, size_of(mask)), mask) >= 0.98


@pytest.mark.slow
@given(mask=BLOBS, holes=st.sampled_from(CUTTING))
@PROPERTY
def test_half_a_pixel_of_tolerance_changes_half_a_pixel_of_the_border_at_most(
    mask: Mask, holes: HolePolicy
) -> None:
    border = sum(shape_of(each).length for each in mask_polygons(mask, tolerance=0, holes=holes))
    found = mask_polygons(mask, tolerance=0.5, holes=holes)
    assert np.count_nonzero(rasterized(found, size_of(mask)) ^ mask) <= 0.5 * border


@pytest.mark.slow
@every_shape
def test_no_tolerance_takes_an_object_its_shape(mask: Mask) -> None:
    found = mask_polygons(mask, tolerance=np.inf, holes="split")
    assert iou(rasterized(found, size_of(mask)), mask) >= 0.95


@every_cutting_policy
@pytest.mark.parametrize(
    ("name", "hole"), [("bump with a hole", (152, 28)), ("bump in a hole", (202, 403))]
)
def test_a_hole_stays_in_its_object_when_the_outline_would_jump_over_it(
    name: str, hole: tuple[int, int], holes: HolePolicy
) -> None:
    mask = SHAPES[name]
    around = tuple(slice(at - 1, at + 2) for at in hole)
    for tolerance in (5.0, 8.0, 12.0):
        found = mask_polygons(mask, tolerance=tolerance, holes=holes)
        assert sum(map(len, found)) < 45
        np.testing.assert_array_equal(rasterized(found, size_of(mask))[around], mask[around])


def test_outlines_that_cannot_be_mended_in_time_stay_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = SHAPES["bump with a hole"]
    exact = mask_polygons(mask, tolerance=0)
    monkeypatch.setattr(simplify, "_REPAIR_ROUNDS", 0)
    np.testing.assert_array_equal(mask_polygons(mask, tolerance=5)[0], exact[0])


# -- holes ----------------------------------------------------------------------------------------


def test_a_bridge_takes_no_pixel_where_it_can_run_between_them() -> None:
    mask = frame(61, 12)
    (found,) = mask_polygons(mask, tolerance=0)
    np.testing.assert_array_equal(rasterized([found], size_of(mask)), mask)


def test_a_bridge_is_where_the_way_out_is_shortest() -> None:
    mask = np.ones((60, 60), dtype=np.bool_)
    mask[20:40, 52:57] = False  # three pixels from the right border
    exact = shapely.union_all(
        [shape_of(each) for each in mask_polygons(mask, tolerance=0, holes="split")]
    )
    (found,) = mask_polygons(mask, tolerance=0)
    slit = shapely.difference(exact, shape_of(found))
    assert slit.area == pytest.approx(3 * SLIT_WIDTH, rel=0.01)
    assert shapely.bounds(slit)[[0, 2]] == pytest.approx([56.5, 59.5])


def test_a_hole_far_inside_is_bridged_to_its_neighbour() -> None:
    mask = np.ones((80, 200), dtype=np.bool_)
    mask[35:45, 10:20] = False
    mask[35:45, 24:34] = False
    mask[35:45, 39:49] = False
    exact = shapely.union_all(
        [shape_of(each) for each in mask_polygons(mask, tolerance=0, holes="split")]
    )
    (found,) = mask_polygons(mask, tolerance=0)
    slits = shapely.difference(exact, shape_of(found))
    assert slits.area == pytest.approx((10 + 4 + 5) * SLIT_WIDTH, rel=0.02)


@pytest.mark.slow
@given(mask=MASKS)
@PROPERTY
def test_bridges_only_take_away_and_only_slits(mask: Mask) -> None:
    exact, found = (
        shapely.union_all(
            [shape_of(each) for each in mask_polygons(mask, tolerance=0, holes=holes)]
        )
        for holes in CUTTING[::-1]
    )
    assert shapely.difference(found, exact).area < 1e-6
    slits = shapely.difference(exact, found)
    # Eroded by half its width, a slit is gone; where two meet at an angle, a crumb may remain.
    assert slits.buffer(-SLIT_WIDTH).area < 1e-6


@pytest.mark.slow
@every_shape
def test_split_pieces_do_not_overlap(mask: Mask) -> None:
    for tolerance in (0.0, 1.0):
        found = mask_polygons(mask, tolerance=tolerance, holes="split")
        tree = shapely.STRtree([shape_of(each) for each in found])
        one, other = tree.query(tree.geometries)
        common = shapely.intersection(tree.geometries[one], tree.geometries[other])
        # Simplified outlines of two objects may overlap, pieces of one may not.
        limit = 1e-6 if tolerance == 0 or len(objects(mask)) == 1 else np.inf
        assert shapely.area(common[one != other]).sum() < limit


def test_split_cuts_an_object_with_one_hole_in_two() -> None:
    found = mask_polygons(frame(60, 12), tolerance=0, holes="split")
    assert len(found) == 2
    assert shape_of(found[0]).area >= shape_of(found[1]).area


def test_split_leaves_objects_without_holes_whole() -> None:
    mask = SHAPES["disc"]
    whole, split = (mask_polygons(mask, tolerance=0.5, holes=each) for each in CUTTING)
    np.testing.assert_array_equal(whole[0], split[0])


@every_cutting_policy
def test_objects_in_holes_are_objects_of_their_own(holes: HolePolicy) -> None:
    mask = np.zeros((90, 90), dtype=np.bool_)
    for inset, value in ((5, True), (15, False), (25, True), (35, False), (42, True)):
        mask[inset:-inset, inset:-inset] = value
    found = mask_polygons(mask, tolerance=0.5, holes=holes)
    assert len(found) == (3 if holes == "bridge" else 5)
    np.testing.assert_array_equal(rasterized(found, size_of(mask)), mask)


def test_fill_swallows_what_lies_in_a_hole() -> None:
    mask = frame(60, 10)
    mask[25:35, 25:35] = True
    (found,) = mask_polygons(mask, tolerance=0.5, holes="fill")
    assert rasterize(found, size_of(mask)).all()


def test_slits_that_would_cut_the_object_apart_get_narrower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polygon_holes, "SLIT_WIDTH", 6.0)
    mask = SHAPES["pepper"]
    found = mask_polygons(mask, tolerance=0)
    assert len(found) == len(objects(mask))
    assert_well_formed(found, size_of(mask))


def test_holes_that_no_slit_opens_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polygon_holes, "_SLIT_ATTEMPTS", 1)
    monkeypatch.setattr(polygon_holes, "_SLIT_REACH", -0.2)
    mask = frame(40, 10)
    found = mask_polygons(mask, tolerance=0)
    assert len(found) > 1
    assert_well_formed(found, size_of(mask))
    np.testing.assert_array_equal(rasterized(found, size_of(mask)), mask)


# -- limits ---------------------------------------------------------------------------------------


def test_small_objects_are_left_out_and_small_holes_filled() -> None:
    mask = np.zeros((40, 40), dtype=np.bool_)
    mask[2:4, 2:4] = True
    mask[10:30, 10:30] = True
    mask[12:14, 12:14] = False
    mask[20:25, 20:21] = False

    def pixels(min_area: float) -> int:
        found = mask_polygons(mask, tolerance=0, holes="split", min_area=min_area)
        return int(rasterized(found, size_of(mask)).sum())

    assert pixels(0) == pixels(4) == mask.sum()
    assert pixels(5) == mask.sum() - 4 + 4
    assert pixels(5.5) == 400
    assert mask_polygons(mask, tolerance=0, min_area=1000) == []


def test_the_largest_of_too_many_objects_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "MAX_PARTS", 3)
    mask = SHAPES["specks"]
    areas = sorted((each.sum() for each in objects(mask)), reverse=True)
    found = mask_polygons(mask, tolerance=0, holes="split")
    assert rasterized(found, size_of(mask)).sum() == sum(areas[:3])


def test_the_largest_of_too_many_holes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "MAX_HOLES", 2)
    mask = np.ones((20, 60), dtype=np.bool_)
    for side in (1, 2, 3, 4):
        mask[5 : 5 + side, 10 * side : 11 * side] = False
    found = rasterized(mask_polygons(mask, tolerance=0, holes="split"), size_of(mask))
    assert [bool(found[5, 10 * side]) for side in (1, 2, 3, 4)] == [True, True, False, False]


def test_masks_of_mere_noise_are_refused_at_once() -> None:
    noise = np.random.default_rng(0).random((1500, 2000)) < 0.5
    with pytest.raises(PolygonError, match="too ragged") as refusal:
        mask_polygons(noise, tolerance=1)
    assert refusal.value.hint


@pytest.mark.slow
@every_cutting_policy
def test_a_ragged_mask_with_hundreds_of_holes_is_outlined(holes: HolePolicy) -> None:
    mask = ragged(700, seed=3) & ~blobs(700, 700, seed=4, blur=2.5, share=0.04)
    assert len(objects(mask)) > 50
    assert background(mask).max() > 300
    found = mask_polygons(mask, tolerance=0.5, holes=holes)
    assert_well_formed(found, size_of(mask))
    assert iou(rasterized(found, size_of(mask)), mask) >= 0.98


@pytest.mark.parametrize(
    ("mask", "options", "words"),
    [
        (np.zeros((4, 4)), {}, "float64"),
        (np.zeros((4, 4, 1), dtype=np.bool_), {}, r"\(4, 4, 1\)"),
        (np.ones((4, 4), dtype=np.bool_), {"tolerance": -1}, "tolerance"),
        (np.ones((4, 4), dtype=np.bool_), {"tolerance": float("nan")}, "tolerance"),
        (np.ones((4, 4), dtype=np.bool_), {"min_area": -1}, "area"),
        (np.ones((4, 4), dtype=np.bool_), {"holes": "drop"}, '"drop"'),
    ],
)
def test_senseless_arguments_are_refused(mask: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(PolygonError, match=words):
        mask_polygons(mask, **{"tolerance": 1.0, **options})


# -- polygons to masks ----------------------------------------------------------------------------


def even_odd(polygon: Polygon, size: Size) -> Mask:
    """An independent, slow even-odd fill: a ray to the left of each pixel centre."""
    mask = np.zeros(size, dtype=np.bool_)
    ends = list(zip(polygon, np.roll(polygon, -1, axis=0), strict=True))
    for y in range(size.height):
        for x in range(size.width):
            for (ax, ay), (bx, by) in ends:
                if (ay <= y) != (by <= y) and ax + (y - ay) * (bx - ax) / (by - ay) <= x:
                    mask[y, x] ^= True
    return mask


@given(
    polygon=hnp.arrays(
        np.float64,
        st.tuples(st.integers(3, 12), st.just(2)),
        elements=st.floats(-6, 18).map(lambda value: round(value, 3)),
    )
)
@PROPERTY
def test_any_polygon_is_filled_by_the_even_odd_rule(polygon: Polygon) -> None:
    size = Size(9, 12)
    polygon = polygon + ASIDE
    np.testing.assert_array_equal(rasterize(polygon, size), even_odd(polygon, size))


@pytest.mark.slow
@given(mask=BLOBS, tolerance=st.sampled_from(TOLERANCES), holes=st.sampled_from(POLICIES))
@PROPERTY
def test_rasterizing_agrees_with_shapely(mask: Mask, tolerance: float, holes: HolePolicy) -> None:
    for polygon in mask_polygons(mask, tolerance=tolerance, holes=holes)[:5]:
        np.testing.assert_array_equal(
            rasterize(polygon + ASIDE, size_of(mask)), sampled([polygon + ASIDE], size_of(mask))
        )


def test_the_border_of_a_pixel_fills_that_pixel() -> None:
    found = rasterize(np.array([(1.5, 2.5), (2.5, 2.5), (2.5, 3.5), (1.5, 3.5)]), Size(6, 7))
    assert np.argwhere(found).tolist() == [[3, 2]]


def test_the_border_of_the_image_fills_the_image() -> None:
    corners = np.array([(-0.5, -0.5), (6.5, -0.5), (6.5, 5.5), (-0.5, 5.5)])
    assert rasterize(corners, Size(6, 7)).all()


def test_polygons_that_share_an_edge_share_no_pixel() -> None:
    corners = np.array([(0.0, 0.0), (8.0, 0.0), (8.0, 8.0), (0.0, 8.0)])
    centre = np.array([3.0, 5.0])
    wedges = [np.stack((centre, corners[i], corners[i - 1])) for i in range(4)]
    counts = sum(rasterize(each, Size(9, 9)).astype(int) for each in wedges)
    np.testing.assert_array_equal(counts, rasterize(corners, Size(9, 9)))


def test_a_star_drawn_in_one_stroke_has_an_empty_middle() -> None:
    angles = np.arange(5) * 4 * np.pi / 5 + 0.1
    star = 50 + 40 * np.stack((np.sin(angles), np.cos(angles)), axis=1)
    found = rasterize(star, Size(101, 101))
    assert not found[50, 50]
    assert found.any()


@pytest.mark.parametrize("turn", [0, 1, 3])
def test_direction_start_and_closing_do_not_matter(turn: int) -> None:
    polygon = np.array([(1.2, 0.7), (9.4, 2.1), (7.7, 8.8), (2.3, 6.1)])
    expected = rasterize(polygon, Size(10, 11))
    assert expected.sum() > 20
    for same in (np.roll(polygon, turn, axis=0), polygon[::-1], polygon[[0, 1, 2, 3, 0]]):
        np.testing.assert_array_equal(rasterize(same, Size(10, 11)), expected)


@pytest.mark.parametrize(
    "polygon",
    [
        np.zeros((0, 2)),
        np.array([(3.0, 3.0)]),
        np.array([(1.0, 1.0), (5.0, 4.0)]),
        np.full((6, 2), 3.0),
        np.array([(0.0, 0.0), (4.0, 4.0), (8.0, 8.0)]),
        np.array([(0.0, 3.0), (8.0, 3.0), (4.0, 3.0)]),
        np.array([(3.0, 0.0), (3.0, 8.0), (3.0, 4.0)]),
        np.array([(20.0, 20.0), (30.0, 20.0), (25.0, 30.0)]),
        np.array([(-20.0, 2.0), (-30.0, 2.0), (-25.0, 9.0)]),
        np.array([(2.0, 0.0), (3.0, 0.0), (2.0, 5e-324)]),
    ],
    ids=[
        "nothing", "a point", "two points", "one point again and again", "a slant", "level",
        "upright", "off to the right", "off to the left", "less than a hair",
    ],
)  # fmt: skip
def test_polygons_that_enclose_no_pixel_fill_none(polygon: Polygon) -> None:
    assert rasterize(polygon, Size(9, 9)).sum() <= (polygon[:, 1:] == 5e-324).any() * 2


def test_polygons_that_leave_the_image_are_cut_off() -> None:
    huge = np.array([(-9e5, -9e5), (9e5, -9e5), (9e5, 9e5), (-9e5, 9e5)])
    assert rasterize(huge, Size(20, 30)).all()
    assert not rasterize(huge, Size(0, 0)).size
    half = np.array([(10.5, -50.0), (99.0, -50.0), (99.0, 70.0), (10.5, 70.0)])
    assert rasterize(half, Size(20, 30))[:, 11:].all()
    assert not rasterize(half, Size(20, 30))[:, :11].any()


def test_lists_of_numbers_will_do() -> None:
    corners: Any = [[0, 0], [4, 0], [4, 4], [0, 4]]
    assert rasterize(corners, Size(6, 6)).sum() == 16


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        (np.zeros((4, 3)), r"\(4, 3\)"),
        (np.zeros(8), r"\(8,\)"),
        (np.array([(0.0, 0.0), (np.nan, 1.0), (1.0, 1.0)]), "not numbers"),
        (np.array([(0.0, 0.0), (np.inf, 1.0), (1.0, 1.0)]), "not numbers"),
        (np.array([(0.0, 0.0), (1e300, 1.0), (1.0, 1.0)]), "far off"),
        (np.zeros((MAX_POINTS + 1, 2)), "100001 points"),
        (np.tile([(0.0, 0.0), (1.0, 1000.0)], (2000, 1)), "pixel rows"),
    ],
    ids=["three numbers", "flat", "not a number", "infinite", "far", "points", "rows"],
)
def test_polygons_that_cannot_be_filled_are_refused(polygon: Polygon, words: str) -> None:
    with pytest.raises(PolygonError, match=words) as refusal:
        rasterize(polygon, Size(1000, 10))
    assert isinstance(refusal.value, EdgeFlowError)
    assert refusal.value.code == "polygon_invalid"


def test_as_many_points_as_allowed_are_filled() -> None:
    around = np.linspace(0, 2 * np.pi, MAX_POINTS, endpoint=False)
    circle = 200 + 150 * np.stack((np.cos(around), np.sin(around)), axis=1)
    assert rasterize(circle, Size(400, 400)).sum() == pytest.approx(np.pi * 150**2, rel=1e-3)
