from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow.learning.learning_samples import accepted
from tests.unit.edgeflow_backend.learning.learning import REF, Learning


def test_projects_have_folders_of_their_own_whose_names_tell_nothing(
    learning_settings: Callable[..., Settings],
) -> None:
    settings = learning_settings(label_studio_hosts={"b": {"url": "http://b.example"}})
    shelf = Shelf(settings, Pictures(settings))
    folders = {shelf.folder(ProjectRef(*key)) for key in (("", "5"), ("", "6"), ("b", "5"))}
    assert len(folders) == 3
    assert all(len(folder.name) == 32 for folder in folders)
    assert {folder.parent for folder in folders} == {settings.learn_folder}


def test_only_one_at_a_time_reconciles_a_project(learning: Learning) -> None:
    with learning.shelf.alone(REF) as first:
        assert first
        with (
            learning.shelf.alone(REF) as second,
            learning.shelf.alone(ProjectRef("", "6")) as other,
        ):
            assert not second
            assert other
    with learning.shelf.alone(REF) as again:
        assert again


def test_what_is_forgotten_is_gone_from_the_disk(learning: Learning) -> None:
    learning.files.store.put(1, "a", [accepted(1)])
    learning.files.cache.put("a" * 64, b"a picture")
    assert learning.shelf.folders() == [learning.shelf.folder(REF)]
    with learning.shelf.alone(REF):
        assert learning.shelf.forget(REF)
    root = learning.shelf.folder(REF).parent
    assert list(root.rglob("*")) == []
    with learning.shelf.alone(REF):
        assert not learning.shelf.forget(REF)


def test_a_folder_that_cannot_be_made_is_told(
    learning_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings = learning_settings(learn_dir=str(tmp_path / "file" / "inside"))
    shelf = Shelf(settings, Pictures(settings))
    assert shelf.folders() == []
    with pytest.raises(StoreError, match="cannot use"), shelf.alone(REF):
        pass
