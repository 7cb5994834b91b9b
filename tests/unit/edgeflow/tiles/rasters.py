"""GeoTIFFs that tests make."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine

CRS = "EPSG:32632"
PLACE = Affine(0.5, 0, 500_000, 0, -0.5, 5_400_000)


def write_raster(path: Path, samples: npt.NDArray[Any], **profile: Any) -> Path:
    """Write C×H×W samples; in UTM zone 32N unless the profile says otherwise."""
    colours = profile.pop("colours", None)
    tags = profile.pop("tags", {})
    chosen = {"crs": CRS, "transform": PLACE, **profile}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=samples.shape[0],
            height=samples.shape[1],
            width=samples.shape[2],
            dtype=samples.dtype,
            **{name: value for name, value in chosen.items() if value is not None},
        ) as data:
            data.write(samples)
            if tags:
                data.update_tags(**tags)
            if colours:
                data.write_colormap(1, colours)
    return path


def noise(*shape: int, kind: str = "uint8", high: int = 256) -> npt.NDArray[Any]:
    return np.random.default_rng(7).integers(0, high, shape).astype(kind)
