from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.task_images import image_names
from edgeflow.preannotation.name_index import NameIndex, folder_index
from tests.unit.edgeflow.data.making import put

TREE = ["a.jpg", "x/a.jpg", "x/y/b.PNG", "x/c d.webp", "notes.txt", ".hidden.jpg", "v1.2.png"]


@pytest.fixture
def index(tmp_path: Path) -> NameIndex[str]:
    return folder_index(put(tmp_path, dict.fromkeys(TREE, b"")))


FOUND = {
    "x/a.jpg": "x/a.jpg",
    "elsewhere/x/a.jpg": "x/a.jpg",
    "b.PNG": "x/y/b.PNG",
    "y/b": "x/y/b.PNG",
    "c d": "x/c d.webp",
    "v1.2": "v1.2.png",
    "b.jpg": None,
    "notes.txt": None,
    "notes": None,
    ".hidden.jpg": None,
    "d": None,
}


@pytest.mark.parametrize("name", FOUND)
def test_an_image_is_found_by_the_end_of_its_path(index: NameIndex[str], name: str) -> None:
    assert index.find(name) == FOUND[name]


@pytest.mark.parametrize("name", ["a.jpg", "a", "other/a"])
def test_a_name_of_several_images_is_none(index: NameIndex[str], name: str) -> None:
    with pytest.raises(DatasetError, match="2 images") as caught:
        index.find(name)
    assert "folders" in caught.value.hint


def test_an_upload_is_found_by_the_name_that_it_had() -> None:
    index: NameIndex[int] = NameIndex()
    index.add(image_names("/data/upload/3/0a1b2c3d-my_photo_1.jpg"), 1)
    assert index.find("my photo (1).jpg") == 1
    assert index.find("my photo (2).jpg") is None
    index.add(image_names("/data/local-files/?d=photos/other%20one.jpg"), 2)
    assert index.find("photos/other one.jpg") == 2


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no folder"):
        folder_index(tmp_path / "nowhere")
