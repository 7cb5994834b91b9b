"""A finder that answers what a test tells it to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeflow.evaluate.similar.choosing import Choice
from edgeflow.evaluate.similar.trials import Conditions
from edgeflow.geometry import ImagePoint
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.found import Candidate, Found, SimilarOptions
from tests.unit.edgeflow.evaluate.scripted import square

OPTIONS = SimilarOptions()


def conditions(**fields: object) -> Conditions:
    """With the annotated masks as examples, two objects a kind, and no clicks."""
    chosen: dict[str, object] = {"example": "truth", "max_clicks": 0, **fields}
    return Conditions(Choice(least_objects=2, typical=False), OPTIONS, **chosen)  # type: ignore[arg-type]


def block(row: int, col: int) -> npt.NDArray[np.bool_]:
    """A block of 4×4 in an image of 20×30."""
    return square(20, 30, slice(row, row + 4), slice(col, col + 4))


class ScriptedFinder:
    """Suggests the same masks for every example."""

    def __init__(self, *masks: npt.NDArray[np.bool_]) -> None:
        self.examples: list[MaskPatch] = []
        self._candidates = tuple(
            Candidate(Click(ImagePoint(0, 0)), MaskPatch.of(mask), 0.9, 0.9) for mask in masks
        )

    def find(
        self,
        image: EncodedImage,  # noqa: ARG002
        examples: Sequence[MaskPatch],
        *,
        options: SimilarOptions,  # noqa: ARG002
    ) -> Found:
        self.examples += examples
        return Found(self._candidates, steps=7, seconds=0.5, complete=False)
