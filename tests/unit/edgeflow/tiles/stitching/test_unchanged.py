"""Outlines of a layer's own shapes, where nobody changed the masks that were made of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import shapely

from edgeflow.agreement.packed import PackedMask
from edgeflow.annotated import Shape
from edgeflow.geometry import Box
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.tasks import Report
from edgeflow.tiles.sidecar import TileSet
from edgeflow.tiles.stitching.objects import StitchedObject, stitched
from edgeflow.tiles.stitching.pieces import Piece, cropped
from edgeflow.tiles.stitching.unchanged import UnchangedShapes
from edgeflow.tiles.vectors.layer import Layer
from edgeflow.tiles.vectors.objects import PicturesShapes
from tests.unit.edgeflow.tiles.stitching.stitching_world import SIZE, tile_set

YARD = shapely.Polygon(
    [(60.2, 60.7), (330.4, 71.1), (321.9, 240.3), (75.5, 232.8)],
    [[(100.3, 100.9), (200.6, 104.2), (196.1, 180.8)]],
)
IN_YARD = shapely.Polygon([(110.1, 108.3), (180.4, 109.5), (179.2, 150.6)])
TWO_PARTS = shapely.MultiPolygon(
    [shapely.box(5.3, 5.4, 25.2, 30.1), shapely.box(30.8, 5.2, 41.9, 17.7)]
)
OVER_THE_BORDER = shapely.box(380.6, 250.2, 460.3, 340.8)
TINY = shapely.box(200.2, 20.2, 201.9, 21.8)
SHAPES = (YARD, IN_YARD, TWO_PARTS, OVER_THE_BORDER, TINY)


@pytest.fixture
def tiles() -> TileSet:
    return tile_set()


@pytest.fixture
def layer(tiles: TileSet) -> Layer:
    shapes = [shapely.transform(each, tiles.georeference.to_map) for each in SHAPES]
    keys = tuple(map(str, range(len(SHAPES))))
    return Layer("town.gpkg", tiles.crs, np.array(shapes, dtype=np.object_), keys, keys)


def pieces_on(layer: Layer, tiles: TileSet) -> list[Piece]:
    """What an annotator finds on the tiles, and leaves as it is."""
    shapes = PicturesShapes.of(layer, tiles)
    return [
        Piece(each.labels[0], PackedMask.of(_moved(each.shape, tile.box, tiles)), number)
        for number, tile in enumerate(tiles.tiles)
        for each in shapes.objects(tile.box, Report(), tile.name)
    ]


def _moved(mask: Shape, window: Box, tiles: TileSet) -> MaskPatch:
    assert isinstance(mask, MaskPatch)
    return mask._replace(box=mask.box.shifted(window.top, window.left), image_size=tiles.size)


def only(tiles: TileSet, mask: npt.NDArray[np.bool_]) -> StitchedObject:
    """The one object of a picture."""
    parts = ((n, cropped(MaskPatch.of(mask), tile.box)) for n, tile in enumerate(tiles.tiles))
    pieces = [Piece(None, PackedMask.of(part), n) for n, part in parts if part is not None]
    (each,) = stitched(tiles, pieces).objects
    return each


def pixels_of(each: StitchedObject) -> npt.NDArray[np.bool_]:
    mask = np.zeros(SIZE, dtype=np.bool_)
    for place, pixels in each.strips():
        mask[place.slices] = pixels
    return mask


def test_what_was_left_as_it_was_has_the_outline_of_its_shape(layer: Layer, tiles: TileSet) -> None:
    unchanged = UnchangedShapes(layer, tiles)
    objects = stitched(tiles, pieces_on(layer, tiles)).objects
    picture = shapely.box(0, 0, SIZE.width, SIZE.height)
    assert {each.label for each in objects} == set(layer.labels)
    for each in objects:
        outline = unchanged.outline(each)
        assert outline is not None, each.label
        shape = SHAPES[int(str(each.label))].intersection(picture)
        assert outline.is_valid
        assert outline.symmetric_difference(shape).area < 1e-6


@pytest.mark.parametrize("change", ["a pixel more", "a pixel less", "the hole filled", "moved"])
def test_what_was_changed_keeps_the_outline_of_its_pixels(
    layer: Layer, tiles: TileSet, change: str
) -> None:
    objects = stitched(tiles, pieces_on(layer, tiles)).objects
    (yard,) = (each for each in objects if each.label == "0")
    mask = pixels_of(yard)
    assert UnchangedShapes(layer, tiles).outline(only(tiles, mask)) is not None
    if change == "a pixel more":
        mask[SIZE.height - 1, SIZE.width - 200] = True  # far from it, and so is its box
    elif change == "a pixel less":
        mask[np.unravel_index(np.flatnonzero(mask)[-1], SIZE)] = False
    elif change == "the hole filled":
        mask[100:185, 100:202] = True
    else:
        mask = np.roll(mask, 1, axis=1)
    assert UnchangedShapes(layer, tiles).outline(only(tiles, mask)) is None


def test_a_shape_that_reaches_over_an_object_is_not_its_outline(
    layer: Layer, tiles: TileSet
) -> None:
    """Half of the yard, which was deleted on the other tiles, lies in the whole yard."""
    objects = stitched(tiles, pieces_on(layer, tiles)).objects
    mask = pixels_of(next(each for each in objects if each.label == "0"))
    mask[:, 240:] = False
    assert UnchangedShapes(layer, tiles).outline(only(tiles, mask)) is None
