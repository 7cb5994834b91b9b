"""The dataset protocol: named images, each with the masks of its objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError


class DatasetError(EdgeFlowError):
    """Annotated images that cannot be read."""

    code = "dataset"


@dataclass(frozen=True)
class Sample:
    """An image with its objects, decoded.

    Attributes:
        name: Unique within its dataset, without extension; the same on every machine.
        rgb: H×W×3 uint8.
        objects: H×W masks, one for each object, each with at least one pixel; they may overlap.
        ignore: H×W, true where the annotation does not say; None where it says of every pixel.
        labels: Class names, one for each object; None for an object without one. If left out, no
            object has one.
        file_name: The image's name with its extension, relative to the dataset's images; empty if
            it is not known.
        left_out: What is drawn on the image and not among its objects, because it turned out
            unreadable or empty.
        path: The image's file; None where it is part of another one.

    Raises:
        ValueError: There are labels, but not one for each object.
    """

    name: str
    rgb: RGBImage
    objects: tuple[BoolMask, ...]
    ignore: BoolMask | None = None
    labels: tuple[str | None, ...] = ()
    file_name: str = ""
    left_out: tuple[LeftOut, ...] = ()
    path: Path | None = None

    def __post_init__(self) -> None:
        labels = self.labels or (None,) * len(self.objects)
        if len(labels) != len(self.objects):
            raise ValueError(f"{self.name}: {len(labels)} labels for {len(self.objects)} objects")
        object.__setattr__(self, "labels", labels)


def set_of(name: str) -> str:
    """The set that a sample belongs to: the part of its name before the last slash."""
    return name.rpartition("/")[0]


class Dataset(Protocol):
    """Samples by index, in an order that never changes. Reading one leaves nothing in memory."""

    @property
    def name(self) -> str:
        """Name in reports."""
        ...

    @property
    def sample_names(self) -> tuple[str, ...]:
        """Names of the samples, in order."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample:
        """Read a sample.

        Raises:
            DatasetError: The image or its annotation cannot be read; the file is named.
        """
        ...
