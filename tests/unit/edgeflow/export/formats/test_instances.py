from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import BOXES
from edgeflow.export.formats.instances import TABLE
from edgeflow.export.splits import parse_splits
from tests.unit.edgeflow.export.exported import export
from tests.unit.edgeflow.export.formats.drawings import BOX, ODD_LABELS, SIZE, image, masks


def read(path: Path) -> npt.NDArray[np.integer]:
    with Image.open(path) as png:
        values = np.asarray(png)
    assert values.dtype == np.uint16
    return values


def rows(folder: Path) -> list[tuple[str, int, str]]:
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        return [(row["file"], int(row["number"]), row["label"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("name", masks())
def test_masks_are_exact(tmp_path: Path, name: str) -> None:
    mask = masks()[name]
    assert export(tmp_path, "instances", image(mask)) == []
    assert (read(tmp_path / "masks/1.png") == mask).all()


def test_objects_are_numbered_in_the_order_they_were_drawn_in(tmp_path: Path) -> None:
    hidden, ring, line = masks()["dot"], masks()["ring"], masks()["line"]
    whole = masks()["all"]
    drawn = image(hidden, whole, BOX, ring, line, labels=("dot", "all", "box", "ring", "line"))
    left_out = export(tmp_path, "instances", drawn)
    assert (len(left_out), LeftOut(BOXES) in left_out) == (2, True)
    expected = np.where(line, 3, np.where(ring, 2, 1))
    assert (read(tmp_path / "masks/1.png") == expected).all()
    numbered = [("1.png", 1, "all"), ("1.png", 2, "ring"), ("1.png", 3, "line")]
    assert rows(tmp_path) == numbered


def test_an_image_may_have_more_than_255_objects(tmp_path: Path) -> None:
    pixels = np.arange(SIZE.height * SIZE.width).reshape(SIZE)
    export(tmp_path, "instances", image(*(pixels == number for number in range(300))))
    assert (read(tmp_path / "masks/1.png") == np.where(pixels < 300, pixels + 1, 0)).all()
    assert len(rows(tmp_path)) == 300


def test_labels_of_any_kind_are_kept_and_none_is_empty(tmp_path: Path) -> None:
    labels = (*ODD_LABELS, None)
    pixels = np.arange(SIZE.height * SIZE.width).reshape(SIZE)
    dots = [pixels == number for number in range(len(labels))]
    export(tmp_path, "instances", image(*dots, labels=labels))
    assert [label for _, _, label in rows(tmp_path)] == [*ODD_LABELS, ""]


def test_files_are_named_with_their_part(tmp_path: Path) -> None:
    images = [image(masks()["dot"], key=f"a/{number}") for number in range(20)]
    export(tmp_path, "instances", *images, splits=parse_splits("train=1,val=1"))
    files = [file for file, _, _ in rows(tmp_path)]
    assert len(set(files)) == 20
    assert {file.split("/")[0] for file in files} == {"train", "val"}
    assert all(read(tmp_path / "masks" / file).sum() == 1 for file in files)
