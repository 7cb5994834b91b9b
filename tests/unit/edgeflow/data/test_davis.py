from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.davis import Davis
from tests.unit.edgeflow.data.making import (
    FIRST,
    SECOND,
    TWO_OBJECTS,
    encoded,
    image_file,
    objects,
    palette_png,
    put,
)

NUMBERED = palette_png(np.minimum(TWO_OBJECTS, 2) * (TWO_OBJECTS < 255))
SINGLE = encoded(np.where(TWO_OBJECTS == 1, np.uint8(255), np.uint8(0)))
FRAMES = b"""/JPEGImages/480p/camel/00000.jpg /Annotations/480p/camel/00000.png
/JPEGImages/480p/camel/00001.jpg /Annotations/480p/camel/00001.png
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two sequences of two frames; a third that is not annotated."""
    for sequence, mask in (("camel", NUMBERED), ("bear", SINGLE)):
        for frame in ("00000", "00001"):
            put(
                tmp_path,
                {
                    f"JPEGImages/480p/{sequence}/{frame}.jpg": image_file(),
                    f"Annotations/480p/{sequence}/{frame}.png": mask,
                },
            )
    put(tmp_path, {"JPEGImages/480p/test-dev/00000.jpg": image_file()})
    return tmp_path


def test_each_annotated_frame_is_a_sample(root: Path) -> None:
    assert Davis.recognise(root)
    dataset = Davis(root)
    assert dataset.sample_names == ("bear/00000", "bear/00001", "camel/00000", "camel/00001")
    assert objects(dataset, 1) == [FIRST]
    assert objects(dataset, 2) == [FIRST, SECOND]


def test_frames_without_a_mask_are_left_out(root: Path) -> None:
    (root / "Annotations/480p/bear/00001.png").unlink()
    assert Davis(root).sample_names == ("bear/00000", "camel/00000", "camel/00001")


@pytest.mark.parametrize(
    ("file", "split", "content"),
    [
        ("ImageSets/2017/val.txt", "val", b"camel\n"),
        ("ImageSets/2016/val.txt", "2016/val", b"camel\n"),
        ("ImageSets/2016/val.txt", "val", b"camel\n"),
        (
            "ImageSets/480p/val.txt",
            "val",
            FRAMES,
        ),
    ],
)
def test_a_list_chooses_the_sequences(root: Path, file: str, split: str, content: bytes) -> None:
    put(root, {file: content})
    dataset = Davis(root, split)
    assert dataset.sample_names == ("camel/00000", "camel/00001")
    assert dataset.name == f"{root.name} {split}"


def test_the_list_of_2017_goes_before_that_of_2016(root: Path) -> None:
    put(root, {"ImageSets/2016/val.txt": b"bear", "ImageSets/2017/val.txt": b"camel"})
    assert Davis(root, "val").sample_names[0] == "camel/00000"


def test_an_unknown_list_names_those_that_are_there(root: Path) -> None:
    put(root, {"ImageSets/2016/val.txt": b"bear", "ImageSets/2017/train.txt": b"camel"})
    with pytest.raises(DatasetError, match="no list 'test'") as caught:
        Davis(root, "test")
    assert caught.value.hint == "there are: 2016/val, 2017/train"


@pytest.mark.parametrize("content", [b"test-dev", b"gone"])
def test_a_listed_sequence_without_annotations_is_named(root: Path, content: bytes) -> None:
    put(root, {"ImageSets/2017/val.txt": content})
    with pytest.raises(DatasetError, match=f"no sequence {content.decode()}"):
        Davis(root, "val")


def test_a_list_cannot_leave_the_dataset(root: Path) -> None:
    put(root, {"ImageSets/2017/val.txt": b"../../../etc"})
    with pytest.raises(DatasetError, match="not a name for an image"):
        Davis(root, "val")


def test_the_folder_above_and_other_resolutions_are_taken(tmp_path: Path) -> None:
    put(
        tmp_path / "DAVIS",
        {
            "JPEGImages/Full-Resolution/bear/0.jpg": image_file(),
            "Annotations/Full-Resolution/bear/0.png": SINGLE,
        },
    )
    assert Davis.recognise(tmp_path)
    assert objects(Davis(tmp_path)) == [FIRST]


def test_a_voc_tree_is_not_taken_for_davis(tmp_path: Path) -> None:
    put(tmp_path, {"JPEGImages/a.jpg": b"", "Annotations/a.xml": b""})
    assert not Davis.recognise(tmp_path)
