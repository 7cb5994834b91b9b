"""GDAL's own programs, as readers that share nothing with this project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry


def gdal(program: str, *arguments: object) -> str:
    """What a program prints. Without GDAL the test fails in CI, and is skipped aloud elsewhere."""
    path = shutil.which(program)
    if path is None:
        message = f"NO {program}: what is written was not read by others (install gdal-bin)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # Packages bring data of other versions, and may point to it.
    bare = {key: value for key, value in os.environ.items() if not key.startswith(("GDAL", "PROJ"))}
    run = subprocess.run(
        [path, *map(str, arguments)], capture_output=True, text=True, env=bare, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "ERROR" not in run.stderr, run.stderr
    return run.stdout


def features(path: Path) -> list[tuple[BaseGeometry, dict[str, Any]]]:
    """The rows of a vector file: geometries in the file's own coordinates, and values."""
    options = ("-lco", "RFC7946=NO", "-lco", "COORDINATE_PRECISION=12")
    found = json.loads(gdal("ogr2ogr", "-f", "GeoJSON", *options, "/vsistdout/", path))
    return [(shape(each["geometry"]), each["properties"]) for each in found["features"]]


def raster_info(path: Path) -> dict[str, Any]:
    """What ``gdalinfo`` says of a raster."""
    found: dict[str, Any] = json.loads(gdal("gdalinfo", "-json", path))
    return found


def raster(path: Path) -> npt.NDArray[np.generic]:
    """The pixels of a raster's first band."""
    types = {"Byte": np.uint8, "UInt16": np.uint16, "UInt32": np.uint32}
    info = raster_info(path)
    width, height = info["size"]
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        gdal("gdal_translate", "-q", "-b", 1, "-of", "ENVI", path, raw)
        pixels = np.fromfile(raw, dtype=types[info["bands"][0]["type"]])
    return pixels.reshape(height, width)
