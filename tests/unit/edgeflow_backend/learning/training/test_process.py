from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.errors import CheckpointError
from edgeflow.learning.adaptation.adapt import Stopped
from edgeflow.learning.due import due
from edgeflow.learning.gate.verdict import Verdict
from edgeflow.learning.split import is_held_out
from edgeflow.train.errors import TrainingError
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.learning.training import run as module
from edgeflow_backend.learning.training.process import train
from edgeflow_backend.learning.training.record import TrainingRecord, read_record
from edgeflow_backend.learning.training.turn import BusyError, only_training
from edgeflow_backend.learning.training.watch import serve_unserved
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder, versions_of
from edgeflow_backend.versions.store import Versions
from tests.unit.edgeflow.learning.gate.gated import blobs
from tests.unit.edgeflow_backend.examples.studio import Studio, sheet
from tests.unit.edgeflow_backend.learning.learning import REF, Learning, clicked
from tests.unit.edgeflow_backend.learning.training.projects import (
    Learner,
    label,
    making,
    networks,
    served,
)

TASKS = 30


@pytest.fixture
def settings(learning_settings: Callable[..., Settings]) -> Settings:
    return learning_settings()


@pytest.fixture(autouse=True)
def exported(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[Any]:
    """What was served whenever a runtime was started."""
    seen: list[Any] = []
    monkeypatch.setattr(module, "predictor_of", networks())
    monkeypatch.setattr(module, "start_runtime", lambda *_, **__: seen.append(served(settings)))
    return seen


def trained(settings: Settings, learner: Learner | None = None, **options: Any) -> TrainingRecord:
    options = {"say": lambda _text: None, "make": making(learner or Learner()), **options}
    return train(settings, REF, **options)


def test_a_better_version_is_served_once_its_export_is_there(
    settings: Settings, exported: list[Any]
) -> None:
    label(settings, TASKS)
    learner, folder = Learner(), project_folder(settings, REF)
    record = trained(settings, learner)
    assert (record.state, record.version, record.objects) == ("accepted", 1, TASKS)
    assert exported == [[(1, "accepted")]]
    assert served(settings) == [(1, "served")]
    assert read_record(folder) == record
    assert not (folder / module.PROGRESS).exists()
    (version,) = versions_of(settings, REF).all()
    verdict = Verdict.from_json(version.verdict)
    held_out = sum(map(is_held_out, range(1, TASKS + 1)))
    assert (verdict.accepted, verdict.share) == (True, 1.0)
    assert verdict.held_out is not None
    assert verdict.held_out.objects == held_out
    assert learner.pictures == [TASKS - held_out]
    assert version.objects == TASKS - held_out


def test_one_that_is_no_better_is_kept_with_its_reason_and_not_served(
    settings: Settings, exported: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "predictor_of", networks(blobs(5)))
    label(settings, TASKS)
    record = trained(settings)
    assert record.state == "refused"
    (version,) = versions_of(settings, REF).all()
    assert (version.state, version.reason) == ("refused", record.message)
    assert "saved" in version.reason
    assert exported == []


def test_poisoned_labels_are_refused_before_anything_is_learnt_from_them(
    settings: Settings,
) -> None:
    label(settings, TASKS)
    trained(settings)
    stamp = versions_of(settings, REF).stamp()
    label(settings, TASKS + 20, wrong=lambda task: task > TASKS)
    learner = Learner()
    record = trained(settings, learner)
    assert record.state == "refused"
    assert "of 50 objects 20 are probably wrong" in record.message
    assert learner.pictures == []
    assert versions_of(settings, REF).stamp() == stamp
    assert served(settings) == [(1, "served")]


def test_a_few_wrong_masks_are_left_out_and_counted(settings: Settings) -> None:
    label(settings, TASKS, wrong=lambda task: task % 6 == 0)
    record = trained(settings)
    assert record.state == "accepted"
    assert record.verdict is not None
    assert sum(record.verdict["left_out"].values()) == TASKS // 6


def test_too_few_held_out_objects_are_refused_unlearnt(settings: Settings) -> None:
    label(settings, 6)
    learner = Learner()
    record = trained(settings, learner)
    assert (record.state, record.version) == ("refused", None)
    assert "too few to judge by" in record.message
    assert learner.pictures == []


def test_damaged_statistics_of_the_base_weights_are_told_and_nothing_is_learnt(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Checkpoint, "statistics", lambda _: b"damaged")
    label(settings, TASKS)
    learner = Learner()
    with pytest.raises(CheckpointError):
        trained(settings, learner)
    record = read_record(project_folder(settings, REF))
    assert record is not None
    assert record.state == "failed"
    assert "edgeflow_lite cannot be used: these are no statistics" in record.message
    assert learner.pictures == []
    assert served(settings) == []


class _KilledError(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.mark.parametrize("stage", ["learn", "general", "add", "export", "serve"])
def test_a_kill_at_any_stage_serves_nothing_and_the_next_one_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise _KilledError

    label(settings, TASKS)
    learner = Learner(_KilledError() if stage == "learn" else None)
    with monkeypatch.context() as patch:
        if stage == "general":
            patch.setattr(module, "choose_share", killed)
        elif stage == "export":
            patch.setattr(module, "start_runtime", killed)
        elif stage in ("add", "serve"):
            patch.setattr(Versions, stage, killed)
        with pytest.raises(_KilledError):
            trained(settings, learner)
    assert "served" not in [state for _, state in served(settings)]
    record = read_record(project_folder(settings, REF))
    assert record is not None
    assert (record.state, record.attempts) == ("running", 1)
    learner.fails = None
    assert trained(settings, learner).attempts == 2
    assert served(settings)[-1][1] == "served"


def test_what_passed_before_a_kill_is_served_at_the_next_look_and_not_trained_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise _KilledError

    label(settings, TASKS)
    folder = project_folder(settings, REF)
    with monkeypatch.context() as patch:
        patch.setattr(Versions, "serve", killed)
        with pytest.raises(_KilledError):
            trained(settings)
    assert served(settings) == [(1, "accepted")]
    with only_training(settings.learn_folder):
        assert serve_unserved(settings, REF) is None, "the training that made it may still serve it"
    assert serve_unserved(settings, REF) is not None
    assert served(settings) == [(1, "served")]
    record = read_record(folder)
    assert record is not None
    assert (record.state, record.version, record.objects) == ("accepted", 1, TASKS)
    assert not due(TASKS, record.last, first=TASKS)
    versions_of(settings, REF).roll_back("more clicks")
    assert serve_unserved(settings, REF) is None
    assert served(settings) == [(1, "rolled back")]


def test_one_that_is_told_to_stop_counts_as_no_attempt(settings: Settings) -> None:
    label(settings, TASKS)
    with pytest.raises(Stopped):
        trained(settings, stop=lambda: True)
    with pytest.raises(Stopped):
        trained(settings, stop=lambda: True)
    record = read_record(project_folder(settings, REF))
    assert record is not None
    assert record.attempts == 1
    assert trained(settings).state == "accepted"


def test_what_goes_wrong_is_on_record(settings: Settings) -> None:
    label(settings, TASKS)
    with pytest.raises(TrainingError):
        trained(settings, Learner(TrainingError("the loss is NaN")))
    record = read_record(project_folder(settings, REF))
    assert record is not None
    assert (record.state, record.message) == ("failed", "the loss is NaN")


def test_one_training_runs_at_a_time(settings: Settings) -> None:
    label(settings, TASKS)
    with only_training(settings.learn_folder), pytest.raises(BusyError):
        trained(settings)
    assert read_record(project_folder(settings, REF)) is None


def test_a_project_of_which_nothing_is_kept_says_so(settings: Settings) -> None:
    with pytest.raises(StoreError, match="nothing is kept"):
        trained(settings)


def test_what_is_erased_meanwhile_stays_erased(settings: Settings) -> None:
    label(settings, TASKS)
    folder = project_folder(settings, REF)

    class Erased(Learner):
        def __call__(self, *arguments: Any, **progress: Any) -> Learner:
            shutil.rmtree(folder)
            folder.mkdir()
            return super().__call__(*arguments, **progress)

    with pytest.raises(StoreError, match="was erased"):
        trained(settings, Erased())
    assert not folder.exists()


def test_images_whose_copies_have_expired_are_fetched_again(
    settings: Settings, studio: Studio, learning: Learning
) -> None:
    for number in range(2):
        studio.add(sheet(number), clicked(0))
    learning.reconcile()
    folder = project_folder(settings, REF)
    shutil.rmtree(folder / "pictures")
    said: list[str] = []
    trained(settings, say=said.append)
    assert "images of 2 tasks are fetched again" in said
    files = Shelf(settings, Pictures(settings)).files(REF)
    assert all(files.cache.get(each.picture) is not None for each in files.store.objects())


def test_without_label_studio_it_learns_from_what_is_there(settings: Settings) -> None:
    label(settings, TASKS)
    files = Shelf(settings, Pictures(settings)).files(REF)
    shutil.rmtree(files.cache._folder / next(files.cache._folder.iterdir()).name)
    said: list[str] = []
    record = trained(settings, say=said.append)
    assert any(text.startswith("not fetched") for text in said)
    assert record.verdict is not None
