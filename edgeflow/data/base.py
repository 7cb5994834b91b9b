"""What a dataset is: named images, each with the masks of its objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask
from edgeflow.errors import EdgeFlowError


class DatasetError(EdgeFlowError):
    """Annotated images that cannot be read."""

    code = "dataset"


@dataclass(frozen=True)
class Sample:
    """An image with its objects, decoded.

    Attributes:
        name: unique within its dataset, without extension; the same on every machine.
        rgb: H×W×3 uint8.
        objects: H×W masks, one an object, each with at least one pixel; they may overlap.
        ignore: H×W, true where the annotation does not say; None where it says of every pixel.
    """

    name: str
    rgb: npt.NDArray[np.uint8]
    objects: tuple[BoolMask, ...]
    ignore: BoolMask | None = None


class Dataset(Protocol):
    """Samples by index, in an order that never changes. Reading one leaves nothing in memory."""

    @property
    def name(self) -> str:
        """What it is called in reports."""
        ...

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The samples' names, in order."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample:
        """Read a sample.

        Raises:
            DatasetError: its image or its annotation cannot be read; the file is named.
        """
        ...
