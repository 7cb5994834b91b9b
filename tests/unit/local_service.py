"""A service whose images and network are in this process, as in most tests."""

from __future__ import annotations

from typing import Any

from edgeflow.inference.predictor import Predictor
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics


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
    segmenter = LocalSegmenter(settings, predictor, metrics, on_note=journal.note_image)
    return SegmentationService(settings, segmenter, metrics, journal=journal, **more)


def local(service: SegmentationService) -> LocalSegmenter:
    """What segments for a service."""
    assert isinstance(service.segmenter, LocalSegmenter)
    return service.segmenter
