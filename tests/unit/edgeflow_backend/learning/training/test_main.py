from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeflow_backend.learning.training.record import TrainingRecord, read_record
from edgeflow_backend.learning.training.trainer import COMMAND
from edgeflow_backend.learning.training.turn import only_training
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder
from tests.unit.edgeflow_backend.learning.learning import REF
from tests.unit.edgeflow_backend.learning.training.projects import label, served

ROOT = Path(__file__).parents[5]
PATIENCE_S = 120.0


@pytest.fixture
def settings(learning_settings: Callable[..., Settings]) -> Settings:
    settings = learning_settings()
    label(settings, 60)
    return settings


@pytest.fixture
def child(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A training as the backend starts it, which has begun."""
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("EDGEFLOW_")},
        "LABEL_STUDIO_URL": settings.label_studio_url,
        "LABEL_STUDIO_API_KEY": "token",
        "EDGEFLOW_LEARN_PROJECTS": settings.learn_projects,
        "EDGEFLOW_LEARN_DIR": settings.learn_dir,
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen([*COMMAND, *REF], cwd=ROOT, env=env, stderr=subprocess.PIPE)
    deadline = time.monotonic() + PATIENCE_S
    while record_of(settings) is None and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    yield process
    process.kill()
    process.communicate()


def record_of(settings: Settings) -> TrainingRecord | None:
    return read_record(project_folder(settings, REF))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no priorities")
def test_one_that_is_killed_serves_nothing_and_lets_go(
    settings: Settings, child: subprocess.Popen[bytes]
) -> None:
    assert os.getpriority(os.PRIO_PROCESS, child.pid) == 19
    child.kill()
    child.communicate(timeout=PATIENCE_S)
    assert served(settings) == []
    record = record_of(settings)
    assert record is not None
    assert (record.state, record.attempts) == ("running", 1)
    with only_training(settings.learn_folder):
        pass
