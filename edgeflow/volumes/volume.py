"""What a volume is, whatever file it comes from: pages of one grid, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import FloatMap, RGBImage
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Size
from edgeflow.volumes.windows import Shown

Affine = npt.NDArray[np.float64]
"""4×4; column, row and page from 0, and 1, to millimetres: left, posterior, superior, and 1."""


class VolumeError(EdgeFlowError):
    """Slices that cannot be read, or of which no volume can be made."""

    code = "volume"


class Plane(NamedTuple):
    """What a page is called in the file that it comes from.

    Attributes:
        uid: SOPInstanceUID; of NIfTI the start of the file's SHA-256.
        frame: From 1.
    """

    uid: str
    frame: int


class PageValues(NamedTuple):
    """The pixels of a page.

    Attributes:
        values: H×W float32, rescaled, such as Hounsfield units; or H×W×3 uint8 of colour.
        own: How the file says that they are shown.
        inverted: Whether the least value is shown white.
        padding: The value outside what was scanned.
    """

    values: FloatMap | RGBImage
    own: Shown | None = None
    inverted: bool = False
    padding: float | None = None


class Pages(Protocol):
    """Reads a volume's pages, each when it is asked for."""

    def __getitem__(self, index: int) -> PageValues:
        """Page from 0. Raises VolumeError."""
        ...


@dataclass(frozen=True, eq=False)
class Volume:
    """Pages of one size and one orientation, in order.

    Attributes:
        name: What its files are called: of a UID, and a number where a series is several volumes.
        series: SeriesInstanceUID; of NIfTI the start of the file's SHA-256.
        study: StudyInstanceUID; empty if there is none.
        modality: Such as ``CT``; empty if that is not known.
        size: Of each page.
        planes: Pages in the order of their positions.
        pages: Their pixels.
        spacing: Millimetres from row to row, and from column to column; None if not known.
        distance: Millimetres from page to page; None if not known.
        affine: Where the pages lie; None if that is not known, or they are not evenly apart.
        notes: What people should know of it.
    """

    name: str
    series: str
    study: str
    modality: str
    size: Size
    planes: tuple[Plane, ...]
    pages: Pages = field(repr=False)
    spacing: tuple[float, float] | None = None
    distance: float | None = None
    affine: Affine | None = None
    notes: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What messages call it."""
        return f"series {self.name}"
