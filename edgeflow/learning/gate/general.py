"""The general set: what every version must still be able to do.

Photographs with clear objects, and drawn shapes, whose masks are known. It ships with the package.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from edgeflow.data.base import Sample
from edgeflow.geometry import Size
from edgeflow.images import read_image
from edgeflow.learning.accepted import MaskCode
from edgeflow.train.drawings import draw

DRAWINGS = 16
OBJECTS_A_DRAWING = 2
LEAST_PIXELS = 60
"""Of an object of a drawing."""

_STREAM = 21
"""Of the random numbers, so that no drawing is one of those that networks train with."""


def general_set() -> tuple[Sample, ...]:
    """The pictures, the same at every call; names begin with ``photos/`` and ``drawings/``."""
    return (*_photographs(Path(__file__).parent / "photos"), *map(_drawing, range(DRAWINGS)))


def _photographs(folder: Path) -> list[Sample]:
    masks = json.loads((folder / "masks.json").read_text(encoding="utf-8"))
    return [
        Sample(
            f"photos/{name}",
            read_image((folder / f"{name}.jpg").read_bytes()).pixels,
            tuple(MaskCode(Size(*of["size"]), each["counts"]).mask() for each in of["objects"]),
        )
        for name, of in sorted(masks.items())
    ]


def _drawing(number: int) -> Sample:
    """A drawing with its largest objects."""
    rgb, labels = draw(np.random.default_rng((_STREAM, number)))
    counts = np.bincount(labels.ravel(), minlength=256)
    largest = sorted(range(1, 256), key=lambda label: -int(counts[label]))[:OBJECTS_A_DRAWING]
    masks = tuple(labels == label for label in largest if counts[label] >= LEAST_PIXELS)
    return Sample(f"drawings/{number:02}", rgb, masks or (labels == largest[0],))
