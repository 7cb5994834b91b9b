"""Shapes of a map on tiles, from files to masks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.features import rasterize

from edgeflow.data.base import DatasetError
from edgeflow.geometry import Box, Size
from edgeflow.preannotation.tasks import Report
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.georeference import Georeference
from edgeflow.tiles.grid import Grid
from edgeflow.tiles.vectors.objects import PicturesShapes
from edgeflow.tiles.vectors.placing import pixel_shapes
from edgeflow.tiles.vectors.reading import read_layer

UTM = rasterio.crs.CRS.from_epsg(32632).to_wkt()
PLACE = Georeference(UTM, (0.5, 0.0, 500_000.0, 0.0, -0.5, 5_400_000.0))
SIZE = Size(300, 400)

# No centre of a pixel lies on an edge, where rules differ.
HOUSE = shapely.Polygon(
    [(5.13, 5.37), (180.21, 12.73), (150.44, 140.11), (20.07, 120.29)],
    [[(40.31, 40.17), (90.09, 45.83), (80.53, 80.21), (45.77, 75.61)]],
)
TWO = shapely.MultiPolygon([shapely.box(200.3, 10.2, 230.8, 33.3), shapely.box(260, 10, 290, 90)])


def on_map(shape: shapely.Geometry) -> shapely.Geometry:
    """From pixels to UTM zone 32N."""
    return shapely.transform(shape, PLACE.to_map)


def write(path: Path, shapes: list[Any], crs: str | None = "EPSG:32632", **fields: Any) -> Path:
    if path.suffix == ".geojson":
        features = [
            {
                "type": "Feature",
                "properties": {name: values[number] for name, values in fields.items()},
                "geometry": None if each is None else shapely.geometry.mapping(each),
            }
            for number, each in enumerate(shapes)
        ]
        document: dict[str, Any] = {"type": "FeatureCollection", "features": features}
        if crs != "OGC:CRS84":
            name = f"urn:ogc:def:crs:{crs.replace(':', '::')}" if crs else None
            document["crs"] = {"type": "name", "properties": {"name": name}} if name else None
        path.write_text(json.dumps(document))
        return path
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(np.array(shapes, dtype=np.object_)),
        field_data=[np.array(values, dtype=np.object_) for values in fields.values()],
        fields=list(fields),
        crs=crs,
        geometry_type="Unknown" if path.suffix == ".gpkg" else "Polygon",
    )
    return path


def shapes_of(
    path: Path, field: str | None = "kind", place: Georeference = PLACE
) -> PicturesShapes:
    layer = read_layer(path, field)
    return PicturesShapes(layer, pixel_shapes(layer, place, "a.tif"), SIZE)


def painted(shapes: PicturesShapes, side: int, overlap: int) -> dict[str, Any]:
    """What all tiles show of each shape, together; neighbours must agree."""
    whole: dict[str, Any] = {}
    seen: dict[str, Any] = {}
    report = Report()
    for box in Grid(SIZE, side, overlap).windows():
        found = {each.key: each.shape for each in shapes.objects(box, report, "tile")}
        for key in found.keys() | whole.keys():
            total = whole.setdefault(key, np.zeros(SIZE, dtype=np.int8))
            known = seen.setdefault(key, np.zeros(SIZE, dtype=np.bool_))
            mask = found[key].whole() if key in found else np.zeros(box.size, dtype=np.bool_)  # type: ignore[union-attr]
            both = known[box.slices]
            assert (mask[both] == total[box.slices][both]).all()
            total[box.slices] |= mask
            known[box.slices] = True
    assert report.complete
    return whole


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "shp"])
def test_every_kind_of_file_gives_the_same_masks(tmp_path: Path, ending: str) -> None:
    """Those that GDAL draws itself, by the centres of pixels."""
    path = write(tmp_path / f"a.{ending}", [on_map(HOUSE), on_map(TWO)], kind=["roof", "shed"])
    shapes = shapes_of(path)
    masks = painted(shapes, 100, 17)
    assert len(masks) == 2
    for mask, shape in zip(masks.values(), (HOUSE, TWO), strict=True):
        expected = rasterize([shape], SIZE, transform=Affine.identity())
        assert (mask == expected).all()
    (first, *_) = shapes.objects(Box.whole(SIZE), Report(), "all")
    assert first.labels == ("roof",)


def test_shapes_are_brought_into_the_pictures_crs(tmp_path: Path) -> None:
    utm = on_map(HOUSE)
    points = shapely.get_coordinates(utm)
    lon, lat = rasterio.warp.transform("EPSG:32632", "OGC:CRS84", points[:, 0], points[:, 1])
    degrees = shapely.set_coordinates(utm, np.stack([lon, lat], axis=1))
    path = write(tmp_path / "a.geojson", [degrees], crs="OGC:CRS84", kind=["a"])
    (mask,) = painted(shapes_of(path), 128, 16).values()
    assert np.count_nonzero(mask != rasterize([HOUSE], SIZE, transform=Affine.identity())) <= 3


def test_across_the_antimeridian(tmp_path: Path) -> None:
    place = Georeference(
        rasterio.crs.CRS.from_epsg(4326).to_wkt(), (0.001, 0.0, 179.8, 0.0, -0.001, 0.1)
    )
    west, east = shapely.box(-179.95, 0, -179.9, 0.05), shapely.box(179.85, 0, 179.9, 0.05)
    path = write(tmp_path / "a.geojson", [west, east], crs="OGC:CRS84", kind=["a", "b"])
    masks = painted(shapes_of(path, place=place), 128, 16)
    columns = [np.flatnonzero(mask.any(axis=0)) for mask in masks.values()]
    assert sorted((int(each[0]), int(each[-1])) for each in columns) == [(50, 99), (250, 299)]


@pytest.mark.parametrize("crs", [None, "OGC:CRS84"])
def test_a_picture_without_a_crs(tmp_path: Path, crs: str | None) -> None:
    path = write(tmp_path / "a.geojson", [HOUSE], crs=crs, kind=["a"])
    if crs is None:  # then both are in pixels
        assert len(shapes_of(path, place=Georeference())) == 1
    else:
        with pytest.raises(TilesError, match=r"a\.tif names no coordinate reference system"):
            shapes_of(path, place=Georeference())


def test_a_turned_picture(tmp_path: Path) -> None:
    place = Georeference(UTM, (0.4, 0.3, 500_000.0, 0.3, -0.4, 5_400_000.0))
    path = write(tmp_path / "a.geojson", [shapely.transform(HOUSE, place.to_map)], kind=["a"])
    (mask,) = painted(shapes_of(path, place=place), 100, 10).values()
    expected = rasterize([HOUSE], SIZE, transform=Affine.identity())
    assert np.count_nonzero(mask != expected) <= 2


def test_what_is_on_no_tile_is_told(tmp_path: Path) -> None:
    shapes: list[Any] = [
        on_map(shapely.box(1000, 1000, 1100, 1100)), on_map(shapely.box(10.6, 10.6, 11.4, 11.4)),
        shapely.Point(0, 0), shapely.Polygon(), None, on_map(HOUSE),
    ]  # fmt: skip
    found = shapes_of(write(tmp_path / "a.geojson", shapes, kind=[None] * 6))
    assert len(found) == 1
    reasons = sorted(each.reason for each in found.left_out)
    assert reasons == [
        "empty shapes",
        "it has no shape that can be read",
        "points, lines and collections, which cover nothing",
        "shapes between the centres of pixels",
        "shapes outside the picture",
    ]


def test_a_shape_far_larger_than_the_picture(tmp_path: Path) -> None:
    huge = shapely.Polygon([(-3e6, -3e6), (3e6, -3e6), (3e6, 3e6), (50, 150), (-3e6, 3e6)])
    path = write(tmp_path / "a.geojson", [on_map(huge)], kind=["a"])
    (mask,) = painted(shapes_of(path), 100, 10).values()
    near = shapely.clip_by_rect(huge, -1000, -1000, 1000, 1000)
    expected = rasterize([near], SIZE, transform=Affine.identity())
    assert np.count_nonzero(mask != expected) <= 3


@pytest.mark.parametrize(
    ("value", "label"),
    [("roof", "roof"), (3, "3"), (3.0, "3"), (2.5, "2.5"), ("", None), (None, None)],
)
def test_labels_are_texts(tmp_path: Path, value: Any, label: str | None) -> None:
    path = write(tmp_path / "a.geojson", [on_map(HOUSE)], kind=[value])
    assert read_layer(path, "kind").labels == (label,)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.geojson", b"[1, 2]", "no GeoJSON"),
        ("a.geojson", b'{"type": "Topology"}', "no GeoJSON"),
        (
            "a.geojson",
            b'{"type": "FeatureCollection", "features": 3, "crs": {"a": 1}}',
            "is not known",
        ),
        ("a.gpkg", b"<OGRVRTDataSource/>", "is no GeoPackage"),
        ("a.gpkg", b"SQLite format 3\0" + bytes(200), "cannot be read"),
        ("a.shp", b"\0\0\x27\x0a" + bytes(10), "cannot be read"),
        ("a.kml", b"<kml/>", "is none of GeoJSON, GeoPackage, Shapefile"),
        ("a.vrt", b"<OGRVRTDataSource/>", "is none of GeoJSON, GeoPackage, Shapefile"),
    ],
)
def test_other_files_are_told(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TilesError, match=said) as caught:
        read_layer(tmp_path / name)
    assert caught.value.hint


def test_json_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text("{")
    with pytest.raises(DatasetError, match="is not JSON"):
        read_layer(tmp_path / "a.geojson")


@pytest.mark.parametrize("name", ["/etc/passwd", "http://127.0.0.1:9/crs", "+init=/etc/passwd"])
def test_a_crs_is_a_code_and_no_file(tmp_path: Path, name: str) -> None:
    document = {"type": "FeatureCollection", "features": [],
                "crs": {"type": "name", "properties": {"name": name}}}  # fmt: skip
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    with pytest.raises(TilesError, match="is not known"):
        read_layer(tmp_path / "a.geojson")


@pytest.mark.parametrize("ending", ["geojson", "gpkg"])
def test_an_attribute_that_is_missing_is_named(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"a.{ending}", [on_map(HOUSE)], kind=["a"])
    with pytest.raises(TilesError, match="has no attribute 'name'") as caught:
        read_layer(path, "name")
    assert "kind" in caught.value.hint


def test_of_several_layers_one_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    for name in ("roofs", "roads"):
        pyogrio.raw.write(
            path, geometry=shapely.to_wkb(np.array([on_map(HOUSE)])), field_data=[], fields=[],
            crs="EPSG:32632", geometry_type="Polygon", layer=name, append=path.exists(),
        )  # fmt: skip
    with pytest.raises(TilesError, match="has the layers roofs, roads"):
        read_layer(path)
    assert len(read_layer(path, layer="roads").keys) == 1


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": "x"},
        {"type": "Polygon", "coordinates": [[[1]]]},
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]},
        {"type": "?"},
        5,
        [],
    ],
)
def test_shapes_that_are_none_are_told(tmp_path: Path, geometry: Any) -> None:
    feature = {"type": "Feature", "geometry": geometry, "properties": 3}
    document = {"type": "FeatureCollection", "features": [feature]}
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    layer = read_layer(tmp_path / "a.geojson")
    assert layer.keys == ()
    assert [each.fault for each in layer.left_out] == ["a.geojson, 0"]
