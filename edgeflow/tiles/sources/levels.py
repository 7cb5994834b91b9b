"""Values of any type as 256 levels, the same in every window of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask
from edgeflow.tiles.sidecar import Stretch
from edgeflow.tiles.sources.source import Samples, TilePixels

PERCENTILES = (2.0, 98.0)
"""What becomes black and white where nothing else is said."""

_TABLED = 2
"""Bytes of a value up to which all values have a place in a table."""


def stretch_of(values: npt.NDArray[Any], percentiles: tuple[float, float]) -> Stretch:
    """Which values become black and white.

    Args:
        values: Those that count, of any shape; what is no finite number is passed over.
        percentiles: 0 to 100, the lower one first.
    """
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not values.size:
        return Stretch(low=0, high=1)
    low, high = np.percentile(values, percentiles).tolist()
    return Stretch(low=low, high=high if high > low else low + max(abs(low) * 1e-6, 1))


class Levels:
    """Turns samples into pixels.

    Args:
        stretch: Of each band; empty leaves bytes as they are.
        dtype: Of the samples.
    """

    def __init__(self, stretch: Sequence[Stretch], dtype: np.dtype[Any]) -> None:
        self._stretch = stretch
        self._tables: list[npt.NDArray[np.uint8]] | None = None
        if stretch and dtype.kind in "ui" and dtype.itemsize <= _TABLED:
            self._key = np.dtype(f"u{dtype.itemsize}")
            every = np.arange(1 << 8 * dtype.itemsize, dtype=np.uint32).astype(self._key)
            self._tables = [_levels(every.view(dtype), each) for each in stretch]

    def pixels(self, samples: Samples, valid: BoolMask | None) -> TilePixels:
        """H×W×C pixels of C×H×W samples; black where ``valid`` is false."""
        shown = np.empty((*samples.shape[1:], len(samples)), dtype=np.uint8)
        for number, band in enumerate(samples):
            if self._tables is not None:
                shown[..., number] = np.take(self._tables[number], band.view(self._key))
            elif self._stretch:
                shown[..., number] = _levels(band, self._stretch[number])
            else:
                shown[..., number] = band
        if valid is not None:
            shown[~valid] = 0
        return shown


def _levels(values: npt.NDArray[Any], stretch: Stretch) -> npt.NDArray[np.uint8]:
    # Float32 cannot tell neighbouring whole numbers of 32 and 64 bits apart.
    kind = np.float32 if values.dtype in (np.float32, np.float16) else np.float64
    # NaN becomes black; infinities and what overflows are clipped.
    with np.errstate(over="ignore", invalid="ignore"):
        part = (values.astype(kind) - kind(stretch.low)) / kind(stretch.high - stretch.low)
    levels = np.clip(np.nan_to_num(part, nan=0, posinf=1, neginf=0) * 255 + 0.5, 0, 255)
    return np.asarray(levels.astype(np.uint8))


def valid_pixels(samples: Samples, nodata: Sequence[float | None]) -> BoolMask | None:
    """Where any band has a value; None if all have one everywhere.

    Args:
        samples: C×H×W.
        nodata: The value of each band that stands for none.
    """
    some: BoolMask | None = None
    for band, none in zip(samples, nodata, strict=True):
        has = _has_value(band, none)
        if has is None:
            return None
        some = has if some is None else some | has
    return None if some is None or some.all() else some


def _has_value(band: npt.NDArray[Any], nodata: float | None) -> BoolMask | None:
    """Where a band has a value; None for everywhere."""
    if band.dtype.kind == "f":
        finite = np.isfinite(band)
        if nodata is None or not np.isfinite(nodata):
            return None if finite.all() else finite
        with np.errstate(over="ignore"):
            return np.asarray(finite & (band != band.dtype.type(nodata)))
    limits = np.iinfo(band.dtype)
    if nodata is None or not float(nodata).is_integer() or not limits.min <= nodata <= limits.max:
        return None
    return np.asarray(band != int(nodata))
