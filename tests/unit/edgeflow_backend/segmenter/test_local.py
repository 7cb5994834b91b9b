from __future__ import annotations

import pytest

from edgeflow.inference.quality import QUALITIES
from edgeflow_backend.segmenter.local import load_segmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics


@pytest.mark.parametrize(("name", "said"), [("fast", "float32 folded"), ("best", "quality best")])
def test_the_quality_reaches_the_network_and_is_said(name: str, said: str) -> None:
    settings = Settings(quality=name, device="cpu", runtime="torch")
    segmenter = load_segmenter(settings, Metrics())
    try:
        assert segmenter.predictor.quality == QUALITIES[name]
        assert segmenter.runtime.endswith(said)
        assert segmenter.measure_click(brightness=90) > 0
    finally:
        segmenter.close()
