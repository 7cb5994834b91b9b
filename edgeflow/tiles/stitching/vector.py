"""Vector layers as files: GeoPackage, GeoJSON and Shapefile."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, FieldError
from pyogrio.raw import write

from edgeflow.errors import FileWriteError
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.stitching.layer import SEPARATOR, Layer

FAULTS = (CRSError, DataLayerError, DataSourceError, FeatureError, FieldError)


@dataclass(frozen=True)
class Driver:
    """A format of vector files.

    Attributes:
        name: GDAL's.
        names: What it calls columns that it cannot call by their own names.
        most_text: Most bytes of a text, in UTF-8; None if there is no limit.
        options: Of the layer.
        file_options: Of the file.
        needs_one_type: Whether all geometries are of one type, and so of several parts.
    """

    name: str
    names: dict[str, str] = field(default_factory=dict)
    most_text: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    file_options: dict[str, str] = field(default_factory=dict)
    needs_one_type: bool = False


GEOPACKAGE = Driver("GPKG", file_options={"VERSION": "1.2"}, needs_one_type=True)
"""Of a version that GDAL reads without a warning since 2.2."""

SHAPEFILE = Driver(
    "ESRI Shapefile",
    {"class_id": "DN"},  # as EISeg calls it
    most_text=254,
    options={"ENCODING": "UTF-8"},
    needs_one_type=True,
)
GEOJSON = Driver("GeoJSON", options={"COORDINATE_PRECISION": "9"})
GEOJSON_DEGREES = Driver("GeoJSON", options={"RFC7946": "YES", "COORDINATE_PRECISION": "9"})
"""Nine digits of a degree are a tenth of a millimetre."""


def write_layer(path: Path, layer: Layer, driver: Driver) -> int:
    """Write a layer, named after its file.

    Args:
        path: File to write, not there yet; its folder exists.
        layer: What to write.
        driver: Of which format.

    Returns:
        How many texts had to be cut.

    Raises:
        FileWriteError: It cannot be written.
        TilesError: The format has no way to write it.
    """
    cut = 0
    columns = {}
    for name, values in layer.columns.items():
        fitting = values
        if driver.most_text is not None and values.dtype == np.object_:
            fitting, count = _fitted(values, driver.most_text)
            cut += count
        columns[driver.names.get(name, name)] = fitting
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*crs.*")  # pixels have none
            write(
                str(path),
                layer.wkb(),
                list(columns.values()),
                list(columns),
                layer=path.stem,
                driver=driver.name,
                geometry_type="MultiPolygon" if driver.needs_one_type else "Unknown",
                crs=layer.crs,
                layer_options=driver.options,
                dataset_options=driver.file_options,
            )
    except CRSError as error:
        raise TilesError(
            f"{driver.name} has no way to write the picture's coordinate reference system: {error}",
            hint="choose another format",
        ) from error
    except FAULTS as error:
        raise FileWriteError(
            f"cannot write {path.name}: {error}", hint="check the folder and the free space"
        ) from error
    return cut


def _fitted(texts: npt.NDArray[np.generic], most: int) -> tuple[npt.NDArray[np.object_], int]:
    """Texts of at most so many bytes, lists cut between their parts; and how many were cut."""
    fitted = []
    for text in map(str, texts.tolist()):
        short = text.encode()[:most].decode(errors="ignore")
        if short != text and SEPARATOR in short:
            short = short.rpartition(SEPARATOR)[0]
        fitted.append(short)
    count = sum(one != other for one, other in zip(fitted, texts.tolist(), strict=True))
    return np.array(fitted, dtype=np.object_), count
