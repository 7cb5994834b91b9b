from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeflow_backend.images.locator import Locator
from edgeflow_backend.learning import keeper as module
from edgeflow_backend.learning.keeper import EVENTS, Keeper
from edgeflow_backend.learning.training.trainer import Trainer
from edgeflow_backend.learning.training.watch import base_of
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.learning.entry import Learned
from edgeflow_backend.versions.folders import project_folder, versions_of
from tests.unit.edgeflow_backend.examples.studio import PROJECT, Studio, as_json, sheet
from tests.unit.edgeflow_backend.learning.learning import REF, Learning, clicked
from tests.unit.edgeflow_backend.loopback import Host, closed_port
from tests.unit.edgeflow_backend.versions.version_samples import add


@pytest.fixture
def keep(
    learning_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Keeper]]:
    """Starts a backend's keeper; hints are honoured at once."""
    monkeypatch.setattr(module, "SETTLE_S", 0.0)
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    monkeypatch.setattr(module, "RESTS", 0)
    keepers: list[Keeper] = []

    def start(**changes: Any) -> Keeper:
        settings = learning_settings(**changes)
        keepers.append(Keeper(settings, Locator(settings)))
        return keepers[-1]

    yield start
    for keeper in keepers:
        keeper.close()


def wait_for(keeper: Keeper, holds: Callable[[Learned], object]) -> Learned:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        (entry,) = keeper.entries()
        if holds(entry):
            return entry
        time.sleep(0.01)
    raise AssertionError(f"it stays {entry}")


def test_it_reads_by_itself_and_again_after_each_event(
    keep: Callable[..., Keeper], studio: Studio
) -> None:
    task = studio.add(sheet(), clicked(0, clicks=3))
    keeper = keep()
    entry = wait_for(keeper, lambda entry: entry.objects)
    assert (entry.project, entry.tasks, entry.failed, entry.message) == ("5", 1, False, "")
    assert [(each.label, each.mean) for each in entry.effort] == [("disk", 3.0)]
    assert entry.read_at is not None
    assert entry.objects_bytes > 0
    assert entry.pictures_bytes > 0
    studio.annotate(task, clicked(1, "other", clicks=1))
    keeper.note("ANNOTATION_CREATED", REF)
    entry = wait_for(keeper, lambda entry: entry.objects == 2)
    assert (entry.effort[0].label, entry.effort[0].mean) == ("all labels", 2.0)
    studio.delete(task)
    keeper.note("ANNOTATIONS_DELETED", REF)
    assert wait_for(keeper, lambda entry: not entry.objects).effort == ()


def test_it_reads_now_and_then_without_any_event(
    keep: Callable[..., Keeper], studio: Studio
) -> None:
    keeper = keep(learn_every_s=1)
    wait_for(keeper, lambda entry: entry.read_at)
    studio.add(sheet(), clicked(0))
    wait_for(keeper, lambda entry: entry.objects == 1)


def test_a_forged_event_puts_nothing_in_and_asks_label_studio_little(
    keep: Callable[..., Keeper], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 3600.0)
    studio.add(sheet(), clicked(0))
    keeper = keep(learn_every_s=3600)
    wait_for(keeper, lambda entry: entry.objects)
    asked = len(studio.host.received)
    started = time.monotonic()
    for _ in range(200):
        for event in (*EVENTS, "SOMETHING"):
            keeper.note(event, REF)
            keeper.note(event, ProjectRef("", "99"))
            keeper.note(event, ProjectRef("elsewhere", str(PROJECT)))
    assert time.monotonic() - started < 2, "an annotator waits for the answer"
    time.sleep(0.2)
    assert len(studio.host.received) == asked
    assert [entry.objects for entry in keeper.entries()] == [1]


def test_without_a_project_nothing_is_asked_and_nothing_written(
    keep: Callable[..., Keeper], studio: Studio, tmp_path: Path
) -> None:
    studio.add(sheet(), clicked(0))
    keeper = keep(learn_projects="")
    keeper.note("ANNOTATION_CREATED", REF)
    time.sleep(0.1)
    assert keeper.entries() == ()
    assert studio.host.received == []
    assert not (tmp_path / "learning").exists()


def test_what_goes_wrong_is_told_and_put_right_by_the_next_one(
    keep: Callable[..., Keeper], studio: Studio, host: Host
) -> None:
    studio.add(sheet(), clicked(0))
    keeper = keep()
    wait_for(keeper, lambda entry: entry.objects)
    answer = host.routes["*"]
    host.routes["*"] = as_json({"detail": "Token expired."}, 401)
    keeper.note("ANNOTATION_UPDATED", REF)
    entry = wait_for(keeper, lambda entry: entry.failed)
    assert "401" in entry.message
    assert "LABEL_STUDIO_API_KEY" in entry.hint
    assert entry.objects == 1
    host.routes["*"] = answer
    keeper.note("ANNOTATION_UPDATED", REF)
    wait_for(keeper, lambda entry: not entry.failed)


@pytest.mark.parametrize("lacking", ["label_studio_url", "label_studio_api_key"])
def test_without_a_url_or_a_token_it_says_so(keep: Callable[..., Keeper], lacking: str) -> None:
    entry = wait_for(keep(**{lacking: ""}), lambda entry: entry.failed)
    assert "LABEL_STUDIO" in entry.hint


def test_a_label_studio_that_is_down_is_told(keep: Callable[..., Keeper]) -> None:
    keeper = keep(label_studio_url=f"http://127.0.0.1:{closed_port()}")
    assert "does not answer" in wait_for(keeper, lambda entry: entry.failed).message


def test_while_another_process_reads_a_project_it_waits_and_tells_what_there_is(
    keep: Callable[..., Keeper], studio: Studio, learning: Learning
) -> None:
    studio.add(sheet(), clicked(0))
    learning.reconcile()
    studio.add(sheet(1), clicked(1))
    with learning.shelf.alone(REF):
        keeper = keep()
        wait_for(keeper, lambda entry: entry.objects == 1)
    wait_for(keeper, lambda entry: entry.objects == 2)


def test_a_damaged_store_is_made_anew(
    keep: Callable[..., Keeper], studio: Studio, tmp_path: Path
) -> None:
    studio.add(sheet(), clicked(0))
    wait_for(keep(), lambda entry: entry.objects)
    (path,) = tmp_path.glob("learning/*/objects.sqlite")
    path.write_bytes(b"no database" * 1000)
    wait_for(keep(), lambda entry: entry.objects and not entry.failed)


def test_start_training_is_passed_on_once_and_what_is_there_is_counted(
    keep: Callable[..., Keeper], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    considered: list[tuple[int, bool]] = []

    def consider(_: object, __: object, objects: int, ___: object, *, asked: bool) -> bool:
        considered.append((objects, asked))
        return False

    monkeypatch.setattr(Trainer, "consider", consider)
    studio.add(sheet(), clicked(0))
    keeper = keep(learn_every_s=1)
    wait_for(keeper, lambda entry: entry.objects)
    keeper.note("START_TRAINING", REF)
    wait_for(keeper, lambda _: len(considered) > 3)
    assert considered.count((1, True)) == 1
    assert (1, False) in considered


def test_a_version_that_makes_work_is_withdrawn_and_told(
    keep: Callable[..., Keeper], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "watch", lambda *_: "more clicks than before")
    studio.add(sheet(), clicked(0))
    entry = wait_for(keep(), lambda entry: entry.objects)
    assert entry.message == "the version was withdrawn: more clicks than before"


def test_a_version_that_its_training_could_not_serve_any_more_is_served(
    keep: Callable[..., Keeper],
    studio: Studio,
    learning_settings: Callable[..., Settings],
) -> None:
    settings = learning_settings()
    base, folder = base_of(settings, REF), project_folder(settings, REF)
    folder.mkdir(parents=True)
    add(versions_of(settings, REF), base)
    studio.add(sheet(), clicked(0))
    entry = wait_for(keep(), lambda entry: entry.objects and entry.versions[0].state == "served")
    assert [each.number for each in entry.versions] == [1]
