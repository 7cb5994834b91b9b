from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeflow.data.base import DatasetError
from edgeflow.evaluate.sequences.reading import open_sequences


def write(
    images: Path, masks: Path, pages: dict[str, list[int]], *, grey: int | None = None
) -> None:
    """Pages by name; each value of a page is an object of 4×4 pixels in a column of its own."""
    for folder in (images, masks):
        folder.mkdir(parents=True)
    for name, values in pages.items():
        labels = np.zeros((12, 30), dtype=np.uint8)
        for value in values:
            labels[4:8, 5 * value : 5 * value + 4] = grey or value
        Image.fromarray(labels).save(masks / f"{name}.png")
        rgb = np.full((12, 30, 3), 10 * len(values), dtype=np.uint8)
        Image.fromarray(rgb).save(images / f"{name}.png")


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write(tmp_path / "images", tmp_path / "masks", {"f10": [1], "f9": [1], "f2": [1, 2]})
    (opened,) = open_sequences(tmp_path)
    assert [pair.image.stem for pair in opened.pairs] == ["f2", "f9", "f10"]


def test_each_object_begins_on_its_first_page(tmp_path: Path) -> None:
    write(tmp_path / "images", tmp_path / "masks", {"1": [1], "2": [1, 3], "3": [3], "4": [4]})
    (opened,) = open_sequences(tmp_path)
    found = {each.name.partition("#")[2]: each for each in opened.objects(9, 9)}
    assert found.keys() == {"1", "3"}  # the fourth is on the last page alone
    assert [page.truth.sum() for page in found["1"]] == [16, 16, 0, 0]
    assert [page.truth.sum() for page in found["3"]] == [16, 16, 0]
    assert found["3"][0].rgb[0, 0, 0] == 20
    assert [len(each) for each in opened.objects(9, 2)] == [2, 2]
    assert len(list(opened.objects(1, 9))) == 1


def test_white_masks_show_one_object(tmp_path: Path) -> None:
    write(tmp_path / "images", tmp_path / "masks", {"a": [0], "b": [1]}, grey=255)
    (opened,) = open_sequences(tmp_path)
    (found,) = opened.objects(9, 9)
    assert [page.truth.sum() for page in found] == [16, 16]
    assert found[0].ignore is None


def test_what_is_not_annotated_is_ignored(tmp_path: Path) -> None:
    write(tmp_path / "images", tmp_path / "masks", {"a": [1], "b": [1]})
    labels = np.array(Image.open(tmp_path / "masks" / "a.png"))
    labels[0] = 255
    Image.fromarray(labels).save(tmp_path / "masks" / "a.png")
    ((found,),) = (each.objects(9, 9) for each in open_sequences(tmp_path))
    assert found[0].ignore is not None
    assert found[0].ignore.sum() == 30
    assert found[1].ignore is None


def test_several_sequences_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    pages = {"a": [1], "b": [1]}
    for name in ("cat", "dog"):
        write(tmp_path / "one" / "images" / name, tmp_path / "one" / "masks" / name, pages)
        write(tmp_path / "two" / name / "images", tmp_path / "two" / name / "masks", pages)
        frames, masks = (
            tmp_path / "davis" / part / "480p" / name for part in ("JPEGImages", "Annotations")
        )
        write(frames, masks, pages)
    for layout in ("one", "two", "davis"):
        assert [each.name for each in open_sequences(tmp_path / layout)] == ["cat", "dog"]


def test_a_folder_without_sequences_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "images", tmp_path / "masks", {"alone": [1]})
    with pytest.raises(DatasetError, match="no sequence of annotated frames"):
        open_sequences(tmp_path)
