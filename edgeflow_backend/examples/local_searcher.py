"""Interim: searches in this process."""

from __future__ import annotations

from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.descriptor import Descriptor
from edgeflow.similar.finder import SimilarFinder
from edgeflow.similar.found import Found
from edgeflow_backend.examples.seam import Sought
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.segmenter.segmenter import Model, OpenedImage


class LocalSearcher:
    def __init__(self, segmenter: LocalSegmenter) -> None:
        self._segmenter = segmenter

    def choose(self, project: str, hint: str | None) -> Model:
        return self._segmenter.choose(project, hint)

    def open(self, source: Source | AsStored, *, deadline: float) -> OpenedImage:
        return self._segmenter.open(source, deadline=deadline)

    def describe(
        self, image: OpenedImage, mask: MaskPatch, model: Model, *, deadline: float
    ) -> Descriptor:
        assert image.encoded
        return SimilarFinder(self._segmenter.models.load(model.name)).describe(image.encoded, mask)

    def find_similar(
        self, image: OpenedImage, sought: Sought, model: Model, *, deadline: float
    ) -> Found:
        assert image.encoded
        return SimilarFinder(self._segmenter.models.load(model.name)).find(
            image.encoded,
            sought.examples,
            descriptors=sought.descriptors,
            taken=sought.taken,
            options=sought.options,
        )
