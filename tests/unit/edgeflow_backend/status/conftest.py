from __future__ import annotations

import pytest

from edgeflow_backend.status.journal import Journal
from tests.unit.edgeflow_backend.status.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(clock: Clock) -> Journal:
    return Journal(clock)
