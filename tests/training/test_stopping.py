"""A real training that is told to stop, as by a backend that ends, goes on where it was."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeflow_backend.learning.training.trainer import Trainer
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder
from tests.training.tiny_training import ASKED, SAID, STEPS
from tests.unit.edgeflow_backend.learning.learning import REF
from tests.unit.edgeflow_backend.learning.training.projects import label

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="has no signals to stop by"),
]

COMMAND = (sys.executable, "-m", "tests.training.tiny_training")
TASKS = 5
WAIT_S = 300.0


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    environment = {
        "LABEL_STUDIO_URL": "http://127.0.0.1:1",
        "LABEL_STUDIO_API_KEY": "token",
        "EDGEFLOW_LEARN_PROJECTS": REF.id,
        "EDGEFLOW_LEARN_DIR": str(tmp_path / "learning"),
        "EDGEFLOW_LEARN_FIRST": str(TASKS),
        "OMP_NUM_THREADS": "1",
        SAID: str(tmp_path / "said"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    label(settings, TASKS)
    # It is given the time that others leave it.
    monkeypatch.setattr("edgeflow_backend.learning.training.trainer.PATIENCE_S", WAIT_S)
    return settings


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[[], Trainer]]:
    started: list[Trainer] = []

    def start() -> Trainer:
        started.append(Trainer(settings, command=COMMAND))
        assert started[-1].consider(REF, TASKS, project_folder(settings, REF))
        return started[-1]

    yield start
    for trainer in started:
        trainer.close()


def test_every_step_that_was_done_is_kept(
    settings: Settings, start: Callable[[], Trainer], tmp_path: Path
) -> None:
    said = tmp_path / "said"

    def lines(trainer: Trainer, holds: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + WAIT_S
        while not said.exists() or not holds(said.read_text("utf-8").splitlines()):
            assert trainer.running
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return said.read_text("utf-8").splitlines()

    first = start()
    lines(first, lambda lines: lines.count(ASKED) > 5)
    first.close()
    asked = said.read_text("utf-8").splitlines().count(ASKED)
    done = (asked - 1) // 2  # it is asked before and within each step of two views
    assert 2 <= done < STEPS
    (kept,) = project_folder(settings, REF).glob("training/*.safetensors")
    assert kept.stem == f"step-{done:08d}"

    said.unlink()
    lines(start(), lambda lines: f"continuing at step {done}" in lines)
