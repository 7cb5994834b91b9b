"""A service whose images and network are in this process, as in most tests."""

from __future__ import annotations

from functools import cache
from typing import Any
from unittest import mock

from edgeflow.inference.predictor import Predictor
from edgeflow_backend.images.decoding import decoder
from edgeflow_backend.images.decoding.pool import Pool
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics


class _SharedPool(Pool):
    def close(self) -> None:
        """Its children stay, for the next service."""


@cache
def _children() -> Pool:
    """Those that decode, for all services: each takes a quarter of a second to start."""
    return _SharedPool(decoder.MAX_PLACES)


def local_service(
    settings: Settings,
    predictor: Predictor,
    metrics: Metrics | None = None,
    *,
    journal: Journal | None = None,
    **more: Any,
) -> SegmentationService:
    """A service with the model that is given."""
    metrics, journal = metrics or Metrics(), journal or Journal()
    with mock.patch.object(decoder, "Pool", return_value=_children()):
        segmenter = LocalSegmenter(settings, predictor, metrics, on_note=journal.note_image)
    return SegmentationService(settings, segmenter, metrics, journal=journal, **more)


def local(service: SegmentationService) -> LocalSegmenter:
    """What segments for a service."""
    assert isinstance(service.segmenter, LocalSegmenter)
    return service.segmenter
