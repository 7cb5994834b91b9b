"""Pages as PNG pictures."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
from PIL import Image

from edgeflow.volumes.volume import PageValues, Volume, VolumeError
from edgeflow.volumes.windows import PRESETS, Shown, Window, range_window

Chosen = Window | Literal["own", "full"]
"""What a user chooses to be shown."""

SAMPLED = 16
"""Pages that tell a volume's range of values."""

TAILS = (0.5, 99.5)
"""Percentiles that become black and white where a file has no window."""


def pictures(volume: Volume, window: Chosen, pages: Iterable[int] | None = None) -> Iterator[bytes]:
    """A volume's pages as PNG: grey of 8 bits, or RGB. The pixels' grid is the file's.

    Args:
        volume: The volume.
        window: What is shown; ``own`` takes the file's, or the volume's range where it has none.
        pages: Numbers of the pages that are wanted, from 0; None for all.

    Raises:
        VolumeError: A page cannot be read, or a preset for CT is asked of something else.
    """
    if window in PRESETS.values() and volume.modality not in ("CT", ""):
        raise VolumeError(
            f"windows by name are in Hounsfield units, which {volume.modality} does not have",
            hint="choose --window own, full, or CENTRE,WIDTH",
        )
    fallback: Window | None = None
    for index in range(len(volume.planes)) if pages is None else pages:
        page = volume.pages[index]
        if page.values.ndim == 3:
            yield _png(page.values)
            continue
        shown: Shown | None = page.own if window == "own" else None
        if isinstance(window, Window):
            shown = window
        if shown is None:
            fallback = fallback or _range(volume)
            shown = fallback
        grey = shown.grey(page.values.astype(np.float32, copy=False))
        yield _png(255 - grey if page.inverted else grey)


def _range(volume: Volume) -> Window:
    """The window of a volume's values, less the rarest."""
    count = len(volume.planes)
    places = sorted({round(each) for each in np.linspace(0, count - 1, min(count, SAMPLED))})
    lows, highs = [], []
    for place in places:
        values = _scanned(volume.pages[place])
        if values.size:
            low, high = np.percentile(values, TAILS)
            lows.append(float(low))
            highs.append(float(high))
    return range_window(min(lows, default=0.0), max(highs, default=1.0))


def _scanned(page: PageValues) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    values = page.values[np.isfinite(page.values)].astype(np.float32, copy=False)
    return values if page.padding is None else values[values != np.float32(page.padding)]


def _png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()
