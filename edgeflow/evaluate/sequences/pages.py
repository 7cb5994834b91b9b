"""A sequence's pages as a propagator reads them, with the time that reading files takes."""

from __future__ import annotations

import time

from edgeflow.arrays import BoolMask
from edgeflow.evaluate.clicker import Clicker
from edgeflow.evaluate.sequences.sequence import AnnotatedPage, PageSequence
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage


class EncodedPages:
    """Pages of a sequence, encoded when they are asked for; see :class:`.Pages`.

    Attributes:
        reading: Seconds that reading and decoding files took so far: not the propagator's.
    """

    def __init__(self, predictor: Predictor, sequence: PageSequence) -> None:
        self._predictor, self._sequence = predictor, sequence
        self.reading = 0.0

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sequence)

    def __getitem__(self, index: int) -> EncodedImage:
        """A page, by its number from 0."""
        began = time.perf_counter()
        rgb = self._sequence[index].rgb
        self.reading += time.perf_counter() - began
        return self._predictor.encode(rgb, copy=False)


def quality(page: AnnotatedPage, mask: BoolMask | None) -> float:
    """IoU of what is answered for a page; no answer is right where the object is out of sight."""
    clicker = Clicker(page.truth, page.ignore)
    if mask is None:
        return 0.0 if clicker.truth.any() else 1.0
    return clicker.iou(mask)
