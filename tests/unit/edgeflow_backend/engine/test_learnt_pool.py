from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, Checkpoint, find
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow_backend.engine import learnt_pool
from edgeflow_backend.engine.learnt_pool import AGAIN_S, RESTS_S, LearntPool
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder, versions_of
from edgeflow_backend.versions.store import Versions
from edgeflow_backend.versions.version import Learnt
from tests.unit.edgeflow_backend.versions.version_samples import add

ONE, TWO, THREE = (ProjectRef("", str(number)) for number in (1, 2, 3))
MB_EACH = 30.0
"""A little more than one version takes."""


class Team:
    """A pool, the stores that it reads, and a clock."""

    def __init__(self, folder: Path, predictor: Predictor) -> None:
        self.now = 1000.0
        self.base = find(DEFAULT_MODEL)
        self.settings = Settings(
            learn_dir=str(folder), learn_versions_mb=2 * MB_EACH, runtime="torch"
        )
        self.warmed: list[str] = []
        self._predictor = predictor
        self.pool = self.new_pool()

    def new_pool(self) -> LearntPool:
        return LearntPool(
            self.settings,
            self._predictor,
            lambda predictor: self.warmed.append(predictor.version),
            lambda: self.now,
        )

    def store(self, project: ProjectRef = ONE) -> Versions:
        project_folder(self.settings, project).mkdir(parents=True, exist_ok=True)
        return versions_of(self.settings, project)

    def learn(self, project: ProjectRef = ONE, change: float = 0.01) -> Learnt:
        version = add(self.store(project), self.base, change)
        return Learnt(project, version.number, version.checkpoint.version)

    def get(self, learnt: Learnt) -> str:
        """The version that answers without waiting; empty for the base."""
        found = self.pool.get(learnt, self.base.entry.sha256)
        return "" if found is None else found.version

    def load(self, learnt: Learnt) -> str:
        found = self.pool.load(learnt, self.base.entry.sha256)
        return "" if found is None else found.version


@pytest.fixture
def team(tmp_path: Path, predictor: Predictor) -> Iterator[Team]:
    team = Team(tmp_path, predictor)
    yield team
    team.pool.close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Versions are loaded once it is set."""
    opened = threading.Event()

    def load(name: str, **kwargs: Any) -> Predictor:
        assert opened.wait(60)
        return load_predictor(name, **kwargs)

    monkeypatch.setattr(learnt_pool, "load_predictor", load)
    return opened


def test_until_a_version_is_loaded_the_base_answers(team: Team, gate: threading.Event) -> None:
    learnt = team.learn()
    assert [team.get(learnt) for _ in range(3)] == ["", "", ""]
    gate.set()
    assert team.load(learnt) == team.get(learnt) == learnt.version
    assert team.warmed == [learnt.version], "it answered once before anybody clicked"


def test_until_the_next_version_is_loaded_the_former_answers(
    team: Team, gate: threading.Event
) -> None:
    first = team.learn()
    gate.set()
    team.load(first)
    gate.clear()
    second = team.learn(change=0.02)
    assert team.get(second) == first.version
    gate.set()
    assert team.load(second) == team.get(second) == second.version
    assert team.pool.nbytes < MB_EACH * 1e6, "the former one has left"


def test_after_a_rollback_the_withdrawn_version_answers_no_more(
    team: Team, gate: threading.Event
) -> None:
    first, second = team.learn(), team.learn(change=0.02)
    gate.set()
    team.load(second)
    gate.clear()
    assert team.get(first) == ""
    gate.set()
    assert team.load(first) == first.version


def test_the_least_recently_used_leave_unless_they_answered_just_now(team: Team) -> None:
    learnt = [team.learn(project) for project in (ONE, TWO, THREE)]
    for each in learnt[:2]:
        team.load(each)
    assert team.load(learnt[2]) == ""
    assert "EDGEFLOW_LEARN_VERSIONS_MB" in team.pool.trouble(learnt[2])
    team.now += max(RESTS_S, AGAIN_S) + 1
    assert team.get(learnt[0]) == learnt[0].version
    assert team.load(learnt[2]) == learnt[2].version
    assert team.pool.trouble(learnt[2]) == ""
    assert team.get(learnt[0]) == learnt[0].version
    assert team.get(learnt[1]) == "", "it has left"


def test_a_version_that_cannot_be_loaded_is_tried_again_later(team: Team) -> None:
    learnt = team.learn()
    path = next(project_folder(team.settings, ONE).glob("versions/1/*.safetensors"))
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + b"x")
    assert team.load(learnt) == ""
    assert "sha256" in team.pool.trouble(learnt)
    path.write_bytes(sound)
    assert team.load(learnt) == "", "not at every click"
    team.now += AGAIN_S + 1
    assert team.load(learnt) == learnt.version


@pytest.mark.parametrize("lack", ["folder", "digest", "base"])
def test_where_exactly_this_version_is_lacking_the_base_answers(
    team: Team, checkpoints: dict[str, Checkpoint], lack: str
) -> None:
    learnt, base = team.learn(), team.base.entry.sha256
    if lack == "folder":
        learnt = learnt._replace(project=TWO)
    elif lack == "digest":
        learnt = learnt._replace(version="edgeflow_lite.1.1-00000000")
    else:
        base = checkpoints["ritm_hrnet"].entry.sha256
    assert team.pool.load(learnt, base) is None
    assert team.pool.get(learnt, base) is None
    assert team.pool.trouble(learnt)


def test_a_defect_leaves_the_base_answering(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Predictor:
        raise ZeroDivisionError

    monkeypatch.setattr(learnt_pool, "load_predictor", fail)
    learnt = team.learn()
    assert team.load(learnt) == ""
    assert "log" in team.pool.trouble(learnt)


def test_a_closed_pool_loads_nothing(team: Team) -> None:
    learnt = team.learn()
    team.pool.close()
    assert team.get(learnt) == team.load(learnt) == ""
