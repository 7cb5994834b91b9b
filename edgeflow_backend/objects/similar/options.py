"""How far a search goes, by the settings and by what holds its answers."""

from __future__ import annotations

from edgeflow.label_studio.config.controls import Control
from edgeflow.similar.found import SimilarOptions
from edgeflow_backend.settings import Settings


def search_options(settings: Settings, control: Control, seconds: float) -> SimilarOptions:
    """How far a search goes.

    Args:
        settings: The backend's.
        control: Holds what is found; with many brush masks the editor freezes.
        seconds: That are left.
    """
    limit = settings.similar_limit
    if control.kind is not None and control.kind.mask is not None and control.kind.mask.exact:
        limit = min(limit, settings.similar_brush_limit)
    return SimilarOptions(limit=limit, seconds=max(min(settings.similar_seconds, seconds), 0.0))
