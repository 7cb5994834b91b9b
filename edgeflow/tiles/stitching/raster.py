"""Label rasters: a GeoTIFF in which each pixel is the number of its class or object."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from edgeflow.errors import FileWriteError
from edgeflow.export.classes import Classes
from edgeflow.geometry import Box
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.stitching.earth import affine_of, crs_of
from edgeflow.tiles.stitching.objects import Stitched

BLOCK = 256
"""Rows that are made at once, and side of the file's tiles."""

MAX_PIXELS = 1 << 36

Numbers = npt.NDArray[np.int32]


class Painted(NamedTuple):
    """What is to be told of a label raster.

    Attributes:
        covered: Pixels of objects over which a later one was painted.
        hidden: Objects that are wholly under others.
    """

    covered: int
    hidden: int


def write_labels(path: Path, stitched: Stitched, classes: Classes, *, by_object: bool) -> Painted:
    """Write a raster of the picture's size and place: 0 is the background, and no data.

    Where objects overlap, what was drawn later is on top.

    Args:
        path: File to write; its folder exists.
        stitched: The picture's objects.
        classes: Their classes.
        by_object: Whether pixels have the numbers of objects, and not of classes.

    Raises:
        TilesError: The raster would be too large.
        FileWriteError: It cannot be written.
    """
    size, place = stitched.tiles.size, stitched.tiles.georeference
    if size.height * size.width > MAX_PIXELS:
        raise TilesError(
            f"a raster of {size.width}×{size.height} pixels is too large",
            hint="write vectors, with --format gpkg",
        )
    numbers = [
        each.number if by_object else classes.number(each.label) for each in stitched.objects
    ]
    table = np.array([0, *numbers], dtype=np.min_scalar_type(max([0, *numbers])))
    left = np.zeros(len(table), dtype=np.int64)
    covered = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(
                path, "w", driver="GTiff", width=size.width, height=size.height, count=1,
                dtype=table.dtype.name, nodata=0, crs=crs_of(place), transform=affine_of(place),
                tiled=True, blockxsize=BLOCK, blockysize=BLOCK, compress="deflate", zlevel=1,
                BIGTIFF="IF_SAFER", NUM_THREADS="ALL_CPUS",
            ) as file:  # fmt: skip
                for top, rows, hidden in _bands(stitched):
                    covered += hidden
                    left += np.bincount(rows.ravel(), minlength=len(table))
                    window = Window(0, top, size.width, len(rows))
                    file.write(table[rows], 1, window=window)
                _describe(file, classes, by_object=by_object)
    except RasterioError as error:
        raise FileWriteError(
            f"cannot write {path.name}: {error}", hint="check the folder and the free space"
        ) from error
    return Painted(covered, int(np.count_nonzero(left[1:] == 0)))


def _bands(stitched: Stitched) -> Iterator[tuple[int, Numbers, int]]:
    """The numbers of objects by bands of rows: first row, rows, and pixels that are painted over.

    Bands without an object are left out.
    """
    size = stitched.tiles.size
    boxes = np.array([piece.mask.box for piece in stitched.pieces], dtype=np.int64).reshape(-1, 4)
    for top in range(0, size.height, BLOCK):
        band = Box(top, 0, min(top + BLOCK, size.height), size.width)
        inside = np.flatnonzero((boxes[:, 0] < band.bottom) & (boxes[:, 2] > top)).tolist()
        if not inside:
            continue  # what is not written is 0
        rows = np.zeros(band.size, dtype=np.int32)
        covered = 0
        for index in inside:
            box, number = stitched.pieces[index].mask.box, stitched.owners[index]
            common = box.intersection(band)
            mask = stitched.pieces[index].mask.unpacked().pixels
            mask = mask[common.shifted(-box.top, -box.left).slices]
            part = rows[common.shifted(-top, 0).slices]
            covered += int(np.count_nonzero(mask & (part != 0) & (part != number)))
            part[mask] = number
        yield top, rows, covered


def _describe(file: rasterio.io.DatasetWriter, classes: Classes, *, by_object: bool) -> None:
    """Say what the numbers mean; programs show classes in the colours of PASCAL VOC."""
    if by_object:
        file.set_band_description(1, "objects")
        return
    file.set_band_description(1, "classes")
    names = enumerate(classes.names, start=1)
    file.update_tags(1, **{f"class_{number}": name for number, name in names})
    if file.dtypes[0] == "uint8":
        colours = {number: (*classes.colour(number), 255) for number in range(1, 256)}
        file.write_colormap(1, {0: (0, 0, 0, 0), **colours})
        file.colorinterp = (ColorInterp.palette,)
