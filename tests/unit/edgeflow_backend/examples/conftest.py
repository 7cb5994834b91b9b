from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeflow_backend.service import SegmentationService
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.examples.studio import TOKEN, Studio
from tests.unit.edgeflow_backend.loopback import Host


@pytest.fixture
def studio(host: Host) -> Studio:
    return Studio(host)


@pytest.fixture
def examples_dir(tmp_path: Path) -> Path:
    return tmp_path / "examples"


@pytest.fixture
def make(
    make_service: MakeService, host: Host, examples_dir: Path
) -> Callable[..., SegmentationService]:
    """Makes a service that suggests from examples of that Label Studio."""

    def make(**changes: Any) -> SegmentationService:
        settings = {
            "preannotate_similar": True,
            "label_studio_url": host.url,
            "label_studio_api_key": TOKEN,
            "examples_dir": str(examples_dir),
        }
        return make_service(**{**settings, **changes})

    return make
