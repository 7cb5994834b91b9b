"""Shapes in a GeoJSON file (RFC 7946, and the ``crs`` of its forerunner of 2008)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from edgeflow.data.json_files import objects_in, read_json
from edgeflow.errors import brief
from edgeflow.tiles.errors import TilesError

LONGITUDE_LATITUDE = "OGC:CRS84"

_CRS84 = re.compile(r"(?:urn:ogc:def:crs:)?OGC:[\d.]*:?CRS84", re.IGNORECASE)
_CODE = re.compile(r"(?:urn:ogc:def:crs:)?(EPSG|ESRI):[\d.]*:?(\d{1,9})", re.IGNORECASE)


class Found(NamedTuple):
    """A feature.

    Attributes:
        key: Its id, or its place in the file.
        geometry: None if it has none that can be read.
        attributes: Untrusted.
    """

    key: str
    geometry: BaseGeometry | None
    attributes: dict[str, Any]


def read_geojson(path: Path) -> tuple[str | None, list[Found]]:
    """The file's CRS and its features.

    Raises:
        DatasetError: It is no JSON.
        TilesError: It is no GeoJSON, or names a CRS in another way than by a code.
    """
    document = read_json(path)
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        features = objects_in(document.get("features"))
    elif kind == "Feature":
        features = [document]
    elif isinstance(kind, str) and ("coordinates" in document or "geometries" in document):
        features = [{"geometry": document}]
    else:
        raise TilesError(
            f"{path.name} is JSON, but no GeoJSON", hint="name a file with a FeatureCollection"
        )
    return _crs(document, path.name), list(_found(features))


def _found(features: list[dict[str, Any]]) -> Iterator[Found]:
    for number, each in enumerate(features):
        attributes = each.get("properties")
        own = each.get("id")
        key = str(own) if isinstance(own, str | int) else str(number)
        yield Found(
            key,
            _geometry(each.get("geometry")),
            attributes if isinstance(attributes, dict) else {},
        )


def _geometry(value: object) -> BaseGeometry | None:
    if not isinstance(value, dict):
        return None
    try:
        return shape(value)
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None


def _crs(document: dict[str, Any], name: str) -> str | None:
    if "crs" not in document:
        return LONGITUDE_LATITUDE
    crs = document["crs"]
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    text = properties.get("name") if isinstance(properties, dict) else None
    if isinstance(text, str):
        if _CRS84.fullmatch(text):
            return LONGITUDE_LATITUDE
        if match := _CODE.fullmatch(text):
            return f"{match[1].upper()}:{match[2]}"
    raise TilesError(
        f"{name} names a coordinate reference system that is not known: {brief(text)!a}",
        hint="name one by its EPSG code, such as urn:ogc:def:crs:EPSG::32632",
    )
