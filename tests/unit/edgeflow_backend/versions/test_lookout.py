from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder, versions_of
from edgeflow_backend.versions.lookout import LOOK_S, Lookout
from edgeflow_backend.versions.store import Versions
from edgeflow_backend.versions.version import Version
from tests.unit.edgeflow_backend.versions.version_samples import add

PROJECT = ProjectRef("", "7")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(learn_dir=str(tmp_path), learn_projects="7,8")


def test_a_change_by_any_process_is_seen_after_a_second(
    settings: Settings, checkpoints: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, now = checkpoints["ritm_hrnet"], [0.0]
    reads: list[str] = []
    digest = base.entry.sha256
    project_folder(settings, PROJECT).mkdir(parents=True)
    store = versions_of(settings, PROJECT)
    real = Versions.serving

    def read(self: Versions, base: str) -> Version | None:
        reads.append(base)
        return real(self, base)

    monkeypatch.setattr(Versions, "serving", read)
    lookout = Lookout(settings, lambda: now[0])
    assert lookout.served(PROJECT, digest) is None
    store.serve(add(store, base).number)
    assert lookout.served(PROJECT, digest) is None
    now[0] += LOOK_S
    found = [lookout.served(PROJECT, digest) for _ in range(9)]
    version = store.all()[0].checkpoint.version
    assert {each and (each.project, each.number, each.version) for each in found} == {
        (PROJECT, 1, version)
    }
    now[0] += LOOK_S
    assert lookout.served(PROJECT, digest) == found[0]
    assert len(reads) == 2, "what has not changed is not read again"
    assert lookout.served(PROJECT, "0" * 64) is None
    store.roll_back("worse")
    now[0] += LOOK_S
    assert lookout.served(PROJECT, digest) is None


def test_only_projects_in_the_settings_have_versions(
    settings: Settings, checkpoints: dict[str, Checkpoint]
) -> None:
    other = ProjectRef("", "9")
    project_folder(settings, other).mkdir(parents=True)
    store = versions_of(settings, other)
    base = checkpoints["ritm_hrnet"]
    store.serve(add(store, base).number)
    lookout = Lookout(settings)
    assert lookout.projects == [PROJECT, ProjectRef("", "8")]
    assert lookout.served(other, base.entry.sha256) is None
    assert lookout.served(PROJECT, "") is None
