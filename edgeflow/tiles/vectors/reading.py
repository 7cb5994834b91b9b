"""The kinds of files with shapes, one row each, and the one entrance for them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyogrio
import shapely

from edgeflow.data.left_out import LeftOut
from edgeflow.errors import brief
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.vectors.geojson import read_geojson
from edgeflow.tiles.vectors.layer import Geometries, Layer, label_text


class Features(NamedTuple):
    """What a file has.

    Attributes:
        crs: As in :class:`~edgeflow.tiles.vectors.layer.Layer`.
        geometries: Of each feature; None for one without.
        keys: Of each feature.
        values: Of the wanted attribute; None where there is none.
        fields: Names of all attributes.
    """

    crs: str | None
    geometries: Geometries
    keys: list[str]
    values: list[Any]
    fields: list[str]


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        name: As users know it.
        endings: Of its files' names.
        start: Its first bytes; other files are not given to GDAL, which would open what they name.
        read: Reads one with the attribute and the layer that are wanted.
    """

    name: str
    endings: tuple[str, ...]
    start: bytes
    read: Callable[[Path, str | None, str | None], Features]


def _from_geojson(path: Path, field: str | None, layer: str | None) -> Features:
    if layer is not None:
        raise TilesError(f"{path.name} has no layers", hint="leave --layer out")
    crs, found = read_geojson(path)
    geometries = np.array([None, *(each.geometry for each in found)], dtype=np.object_)[1:]
    values = [each.attributes.get(field) if field else None for each in found]
    fields = list(dict.fromkeys(name for each in found for name in each.attributes))
    return Features(crs, geometries, [each.key for each in found], values, fields)


def _from_gdal(path: Path, field: str | None, layer: str | None) -> Features:
    file = path.resolve()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen = _layer_of(path, [str(each) for each in pyogrio.list_layers(file)[:, 0]], layer)
            fields = [str(each) for each in pyogrio.read_info(file, layer=chosen)["fields"]]
            meta, fids, geometries, columns = pyogrio.raw.read(
                file,
                layer=chosen,
                columns=[field] if field in fields else [],
                force_2d=True,
                return_fids=True,
            )
            shapes = shapely.from_wkb(geometries, on_invalid="ignore")
    except TilesError:
        raise
    except Exception as error:  # GDAL raises almost anything on damaged bytes
        raise TilesError(
            f"{path.name} cannot be read: {brief(error, 200)}",
            hint="open it in QGIS to see if it is damaged; a Shapefile needs its .shx and .dbf",
        ) from error
    values = list(columns[0]) if columns else [None] * len(shapes)
    return Features(meta["crs"], shapes, [str(fid) for fid in fids], values, fields)


def _layer_of(path: Path, layers: list[str], wanted: str | None) -> str:
    if wanted in layers:
        return str(wanted)
    if wanted is None and len(layers) == 1:
        return layers[0]
    raise TilesError(
        f"{path.name} has the layers {brief(', '.join(layers), 300)}",
        hint="choose one of them with --layer",
    )


KINDS = (
    Kind("GeoJSON", (".geojson", ".json"), b"", _from_geojson),
    Kind("GeoPackage", (".gpkg",), b"SQLite format 3\0", _from_gdal),
    Kind("Shapefile", (".shp",), b"\0\0\x27\x0a", _from_gdal),
)


def read_layer(path: Path, field: str | None = None, layer: str | None = None) -> Layer:
    """Read a file's polygons.

    Args:
        path: A local file.
        field: Attribute with the label.
        layer: Of a file with several.

    Raises:
        TilesError: It is no such file, or has not what is asked for.
        DatasetError: It is no JSON.
    """
    kind = next((each for each in KINDS if path.suffix.lower() in each.endings), None)
    if kind is None:
        raise TilesError(
            f"{path.name} is none of {', '.join(each.name for each in KINDS)}",
            hint="convert it first, for example with `ogr2ogr OUT.gpkg`",
        )
    if not path.is_file():
        raise TilesError(f"there is no file {path}", hint="name a local file")
    with path.open("rb") as file:
        if not file.read(len(kind.start)) == kind.start:
            raise TilesError(f"{path.name} is no {kind.name}", hint="check what the file is")
    found = kind.read(path, field, layer)
    if field is not None and field not in found.fields:
        raise TilesError(
            f"{path.name} has no attribute {field!a}",
            hint=f"it has {brief(', '.join(found.fields), 300) or 'none'}",
        )
    return _layer(path.name, found)


def _layer(name: str, found: Features) -> Layer:
    kept, left_out = [], []
    for number, (key, geometry) in enumerate(zip(found.keys, found.geometries, strict=True)):
        if geometry is None:
            left_out.append(LeftOut("it has no shape that can be read", f"{name}, {key}"))
        elif geometry.is_empty:
            left_out.append(LeftOut("empty shapes"))
        elif geometry.geom_type not in ("Polygon", "MultiPolygon"):
            left_out.append(LeftOut("points, lines and collections, which cover nothing"))
        elif not np.isfinite(shapely.get_coordinates(geometry)).all():
            left_out.append(LeftOut("its coordinates are no numbers", f"{name}, {key}"))
        else:
            kept.append(number)
    return Layer(
        name,
        found.crs,
        shapely.force_2d(found.geometries[kept]),
        tuple(found.keys[number] for number in kept),
        tuple(label_text(found.values[number]) for number in kept),
        tuple(left_out),
    )
