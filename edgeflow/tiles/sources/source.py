"""What cutting needs of a large picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, Size
from edgeflow.tiles.georeference import Georeference
from edgeflow.tiles.sidecar import Stretch

Samples = npt.NDArray[Any]
"""C×H×W of any real dtype."""

TilePixels = npt.NDArray[np.uint8]
"""H×W×C, grey with one channel or RGB with three."""


@dataclass(frozen=True)
class Choice:
    """What a user chooses to be shown.

    Attributes:
        bands: Numbers of bands, from 1: one, or three; empty for what the picture says itself.
        percentiles: Which become black and white; None for what the data's type asks for: 8 bits
            stay as they are, all else is stretched from the 2nd to the 98th.
        stretched: Whether values may be stretched at all.
    """

    bands: tuple[int, ...] = ()
    percentiles: tuple[float, float] | None = None
    stretched: bool = True


class Shown(NamedTuple):
    """A window as its tile shows it.

    Attributes:
        pixels: Black where there is no data.
        valid: H×W, false where there is none; None if there is some everywhere.
    """

    pixels: TilePixels
    valid: BoolMask | None


@dataclass(frozen=True)
class Description:
    """What is known of a picture before its pixels are read.

    Attributes:
        size: In pixels.
        channels: Of its tiles: 1 or 3.
        block: How much is stored together: windows that are aligned to it are read once.
        georeference: Its place.
        nodata: Value of pixels that show nothing; None if there is none.
        bands: Which are shown, from 1.
        stretch: Of each of these; empty if values stay as they are.
        notes: What a user should know of it.
    """

    size: Size
    channels: int
    block: Size
    georeference: Georeference = field(default_factory=Georeference)
    nodata: float | None = None
    bands: tuple[int, ...] = (1, 2, 3)
    stretch: tuple[Stretch, ...] = ()
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """A large picture."""

    @property
    def about(self) -> Description:
        """What is known of it."""
        ...

    def read(self, box: Box) -> Shown:
        """The pixels of a window.

        Raises:
            TilesError: They cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of its file."""
        ...
