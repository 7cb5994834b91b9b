from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeflow_backend.learning.training.record import TrainingRecord, write_record
from edgeflow_backend.learning.training.trainer import Trainer
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.learning.learning import REF

LASTS = (sys.executable, "-c", "import time; time.sleep(60)")
ENDS = (sys.executable, "-c", "import sys; sys.exit(len(sys.argv) != 3)")


@pytest.fixture
def trainer(
    learning_settings: Callable[..., Settings],
) -> Iterator[Callable[..., tuple[Trainer, list[ProjectRef]]]]:
    made: list[Trainer] = []

    def make(
        command: tuple[str, ...] = LASTS, **changes: object
    ) -> tuple[Trainer, list[ProjectRef]]:
        ended: list[ProjectRef] = []
        made.append(Trainer(learning_settings(**changes), ended.append, command))
        return made[-1], ended

    yield make
    for each in made:
        each.close()


Make = Callable[..., tuple[Trainer, list[ProjectRef]]]


def test_it_starts_when_enough_is_there_and_one_at_a_time(trainer: Make, tmp_path: Path) -> None:
    one, _ = trainer()
    assert not one.consider(REF, 29, tmp_path)
    assert one.consider(REF, 30, tmp_path)
    assert one.running
    assert not one.consider(REF, 30, tmp_path)


def test_it_notices_the_end_and_starts_again_when_half_as_many_again_are_there(
    trainer: Make, tmp_path: Path
) -> None:
    one, ended = trainer(ENDS)
    assert one.consider(REF, 30, tmp_path)
    deadline = time.monotonic() + 30
    while not ended and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ended == [REF]
    assert not one.running
    write_record(tmp_path, TrainingRecord(state="refused", objects=30, version=1))
    assert not one.consider(REF, 44, tmp_path)
    assert not one.consider(REF, 30, tmp_path, asked=True)
    assert one.consider(REF, 45, tmp_path)


def test_after_a_refusal_that_took_seconds_it_tries_again_sooner(
    trainer: Make, tmp_path: Path
) -> None:
    write_record(tmp_path, TrainingRecord(state="refused", objects=30))
    one, _ = trainer()
    assert not one.consider(REF, 32, tmp_path)
    assert one.consider(REF, 33, tmp_path)


def test_what_was_asked_for_starts_with_fewer(trainer: Make, tmp_path: Path) -> None:
    assert trainer()[0].consider(REF, 5, tmp_path, asked=True)


def test_closing_ends_what_runs_and_starts_nothing_more(trainer: Make, tmp_path: Path) -> None:
    one, ended = trainer()
    one.consider(REF, 30, tmp_path)
    began = time.monotonic()
    closing = threading.Thread(target=one.close)
    closing.start()
    closing.join(30)
    assert time.monotonic() - began < 20
    assert not one.consider(REF, 100, tmp_path)
    assert ended == []


@pytest.mark.skipif(sys.platform == "win32", reason="has no signals to end by")
def test_a_backend_that_ends_lets_its_training_write_what_it_has_learnt(tmp_path: Path) -> None:
    training = f"""
import pathlib, signal, sys, time
def end(*_):
    time.sleep(0.3)
    pathlib.Path({str(tmp_path)!r}, "kept").touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path({str(tmp_path)!r}, "begun").touch()
time.sleep(60)
"""
    backend = f"""
import pathlib, sys, time
from edgeflow_backend.learning.training.trainer import Trainer
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
folder = pathlib.Path({str(tmp_path)!r})
trainer = Trainer(Settings(), command=(sys.executable, "-c", {training!r}))
assert trainer.consider(ProjectRef("", "1"), 30, folder)
while not (folder / "begun").exists():
    time.sleep(0.01)
"""
    subprocess.run([sys.executable, "-c", backend], check=True, timeout=120)
    assert (tmp_path / "kept").exists()


def test_a_project_may_be_kept_without_training(trainer: Make, tmp_path: Path) -> None:
    assert not trainer(learn_train=False)[0].consider(REF, 100, tmp_path, asked=True)
