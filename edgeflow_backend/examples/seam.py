"""What this room needs of images and networks, wherever they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.descriptor import Descriptor
from edgeflow.similar.found import Found, SimilarOptions
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.segmenter.segmenter import Model, OpenedImage


@dataclass(frozen=True)
class Sought:
    """What is sought in an image.

    Attributes:
        examples: Objects of the kind in it.
        descriptors: Objects of the kind in other images.
        taken: Masks that no candidate may lie on.
        options: How far to go.
    """

    examples: Sequence[MaskPatch] = ()
    descriptors: Sequence[Descriptor] = ()
    taken: Sequence[MaskPatch] = ()
    options: SimilarOptions = SimilarOptions()


class Searcher(Protocol):
    """Opens images, and finds in them what looks like an example."""

    def choose(self, project: str, hint: str | None) -> Model:
        """As in :class:`edgeflow_backend.segmenter.segmenter.Segmenter`."""
        ...

    def open(self, source: Source | AsStored, *, deadline: float) -> OpenedImage:
        """Likewise."""
        ...

    def describe(
        self, image: OpenedImage, mask: MaskPatch, model: Model, *, deadline: float
    ) -> Descriptor:
        """What an object of an image looks like."""
        ...

    def find_similar(
        self, image: OpenedImage, sought: Sought, model: Model, *, deadline: float
    ) -> Found:
        """What else in an image looks like examples."""
        ...
