"""What a stitched picture is written as: a row for each format."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edgeflow.data.left_out import LeftOut
from edgeflow.errors import FileWriteError, counted
from edgeflow.export.classes import Classes
from edgeflow.export.flat import HIDDEN
from edgeflow.files import UNFINISHED
from edgeflow.tiles.stitching.choices import Choices
from edgeflow.tiles.stitching.earth import said
from edgeflow.tiles.stitching.layer import Layer, Outlined
from edgeflow.tiles.stitching.objects import Stitched
from edgeflow.tiles.stitching.raster import write_labels
from edgeflow.tiles.stitching.unchanged import UnchangedShapes
from edgeflow.tiles.stitching.vector import (
    GEOJSON,
    GEOJSON_DEGREES,
    GEOPACKAGE,
    SHAPEFILE,
    Driver,
    write_layer,
)


class Work:
    """A picture that is written, perhaps in several formats.

    Args:
        stitched: Its objects.
        classes: Their classes.
        choices: How files are made.
        unchanged: Shapes that the picture was tiled with.
    """

    def __init__(
        self,
        stitched: Stitched,
        classes: Classes,
        choices: Choices,
        unchanged: UnchangedShapes | None = None,
    ) -> None:
        self.stitched, self.classes, self.choices = stitched, classes, choices
        self.unchanged = unchanged

    @cached_property
    def outlined(self) -> Outlined:
        """The objects with their outlines."""
        return Outlined(
            self.stitched,
            self.classes,
            annotators=self.choices.annotators,
            unchanged=self.unchanged,
        )

    def layer(self, *, degrees: bool = False) -> Layer:
        """The objects as a layer."""
        return self.outlined.layer(degrees=degrees, tolerance=self.choices.tolerance)


@dataclass(frozen=True)
class Written:
    """A file that was made.

    Attributes:
        said: What people are told of it.
        left_out: What it has no place for.
    """

    said: str
    left_out: Sequence[LeftOut] = ()


@dataclass(frozen=True)
class Format:
    """A format of files.

    Attributes:
        ending: Of a file's name, after that of the picture.
        write: Writes a file, whose folder exists and holds nothing else.
    """

    ending: str
    write: Callable[[Work, Path], Written]


def _geotiff(work: Work, path: Path) -> Written:
    by_object = work.choices.values == "object"
    painted = write_labels(path, work.stitched, work.classes, by_object=by_object)
    count = len(work.stitched.objects) - painted.hidden
    parts = [counted(count, "object"), *said(work.stitched.tiles.georeference)]
    if painted.covered:
        parts.append(f"{counted(painted.covered, 'pixel')} of objects under later ones")
    return Written("; ".join(parts), [LeftOut(HIDDEN)] * painted.hidden)


def _vectors(driver: Driver) -> Callable[[Work, Path], Written]:
    def write(work: Work, path: Path) -> Written:
        return _written(work, work.layer(), path, driver)

    return write


def _geojson(work: Work, path: Path) -> Written:
    place = work.stitched.tiles.georeference
    on_map = place.crs is not None and place.transform is not None
    if work.choices.geojson_crs == "wgs84" and on_map:
        return _written(work, work.layer(degrees=True), path, GEOJSON_DEGREES)
    return _written(work, work.layer(), path, GEOJSON)


def _written(work: Work, layer: Layer, path: Path, driver: Driver) -> Written:
    cut = write_layer(path, layer, driver)
    parts = [counted(len(layer.geometries), "object")]
    if work.unchanged is not None:
        parts[0] += f", {work.outlined.kept} with their outlines in {work.unchanged.name}"
    if driver is GEOJSON_DEGREES:
        parts.append("longitude and latitude (WGS84)")
    else:
        parts += said(work.stitched.tiles.georeference)
    if cut:
        parts.append(f"{counted(cut, 'text')} cut to {driver.most_text} bytes")
    return Written("; ".join(parts), layer.left_out)


FORMATS: Mapping[str, Format] = {
    "geotiff": Format("_mask.tif", _geotiff),
    "gpkg": Format("_objects.gpkg", _vectors(GEOPACKAGE)),
    "geojson": Format("_objects.geojson", _geojson),
    "shp": Format("_objects.shp", _vectors(SHAPEFILE)),
}
"""By name; a GeoTIFF is named as EISeg names it."""


def write_files(
    work: Work, name: str, formats: Sequence[str], folder: Path
) -> Iterator[tuple[Path, Written]]:
    """Write a picture's files; one that cannot be written leaves what was there.

    Args:
        work: The picture.
        name: Of its files.
        formats: Names in :data:`FORMATS`.
        folder: To write to.

    Raises:
        FileWriteError: A file cannot be written.
        TilesError: A format has no way to write it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in formats:
            format_ = FORMATS[each]
            with tempfile.TemporaryDirectory(dir=folder, prefix=UNFINISHED) as parts:
                path = Path(parts) / f"{name}{format_.ending}"
                written = format_.write(work, path)
                for part in sorted(Path(parts).iterdir()):  # a Shapefile is several files
                    part.replace(folder / part.name)
            yield folder / path.name, written
    except OSError as error:
        raise FileWriteError(
            f"cannot write to {folder}: {error.strerror or error}",
            hint="check the folder and its permissions",
        ) from error
