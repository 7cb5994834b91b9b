from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.edgeflow_backend.tracing.recorder import Recorder, recording


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder
