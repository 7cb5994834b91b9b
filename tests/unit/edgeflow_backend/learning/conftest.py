from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.examples.studio import PROJECT, TOKEN, Studio
from tests.unit.edgeflow_backend.learning.learning import Learning
from tests.unit.edgeflow_backend.loopback import Host


@pytest.fixture
def studio(host: Host) -> Studio:
    return Studio(host)


@pytest.fixture
def learning_settings(host: Host, tmp_path: Path) -> Callable[..., Settings]:
    """Makes settings in which that Label Studio's project is switched on."""

    def make(**changes: Any) -> Settings:
        fields = {
            "label_studio_url": host.url,
            "label_studio_api_key": TOKEN,
            "learn_projects": str(PROJECT),
            "learn_dir": str(tmp_path / "learning"),
        }
        return Settings(**{**fields, **changes})

    return make


@pytest.fixture
def learning(learning_settings: Callable[..., Settings]) -> Learning:
    return Learning(learning_settings())
