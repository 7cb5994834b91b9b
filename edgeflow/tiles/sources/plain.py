"""Pictures that are decoded whole, without the extra."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeflow.arrays import RGBImage
from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.geometry import Box, Size
from edgeflow.images import decode_image
from edgeflow.tiles.errors import GEO, TilesError
from edgeflow.tiles.georeference import Georeference
from edgeflow.tiles.sources.source import Choice, Description, Shown
from edgeflow.tiles.sources.world_file import read_world_file

MAX_PIXELS = 120_000_000
"""Of a picture that is decoded whole: 360 MB, and as much again while it is decoded."""

MAX_FILE_BYTES = 400_000_000


class PlainSource:
    """A picture in memory, as browsers show it but not turned.

    Args:
        path: Its file.
        choice: What is shown.
        windowed: Whether the extra would read its format in windows.

    Raises:
        TilesError: It cannot be read, is too large, or more is chosen than 8 bits of RGB.
    """

    def __init__(self, path: Path, choice: Choice, *, windowed: bool) -> None:
        way = (
            f"install the extra `geo`, which reads it in windows: {GEO}"
            if windowed
            else "save it as TIFF or PNG, which are read in windows"
        )
        if choice.bands or choice.percentiles:
            raise TilesError(
                f"{path.name} is read as 8 bits of RGB, without bands of its own", hint=way
            )
        self._rgb = _decoded(path, way)
        place, notes = Georeference(), []
        if (world := read_world_file(path)) is not None:
            place = Georeference(None, world[1])
            notes.append(f"placed by {world[0]}")
        if windowed and path.suffix.lower() in (".tif", ".tiff"):
            notes.append(f"a place in the file itself is not read without the extra `geo`: {GEO}")
        size = Size(*self._rgb.shape[:2])
        self._about = Description(size, 3, Size(256, size.width), place, notes=tuple(notes))

    @property
    def about(self) -> Description:
        """See :class:`~edgeflow.tiles.sources.source.Source`."""
        return self._about

    def read(self, box: Box) -> Shown:
        """See :class:`~edgeflow.tiles.sources.source.Source`."""
        return Shown(self._rgb[box.slices], None)

    def close(self) -> None:
        """See :class:`~edgeflow.tiles.sources.source.Source`."""
        self._rgb = np.zeros((0, 0, 3), dtype=np.uint8)


def _decoded(path: Path, way: str) -> RGBImage:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise TilesError(
            f"{path.name} has {path.stat().st_size >> 20} MB, too much to be read at once", hint=way
        )
    try:
        return decode_image(path.read_bytes(), max_pixels=MAX_PIXELS, as_stored=True)
    except ImageTooLargeError as error:
        raise TilesError(
            f"{path.name} is too large to be read at once: {error.message}", hint=way
        ) from error
    except ImageError as error:
        raise TilesError(f"{path.name}: {error.message}", hint=error.hint) from error
