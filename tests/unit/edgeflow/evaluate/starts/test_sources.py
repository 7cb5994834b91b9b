from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.layouts.davis585 import Davis585
from edgeflow.evaluate.starts.sources import Generated, InFolder, find_start_masks
from tests.unit.edgeflow.data.making import encoded, image_file, put
from tests.unit.edgeflow.evaluate.scripted import sample, square

FIRST = square(4, 6, slice(0, 2), slice(0, 6))
SECOND = square(4, 6, slice(3, 4), slice(0, 6))
FLAWED = square(4, 6, slice(0, 2), slice(0, 4))


def grey(mask: np.ndarray, value: int = 255) -> bytes:
    return encoded(mask.astype(np.uint8) * np.uint8(value))


def coloured(mask: np.ndarray) -> bytes:
    """As DAVIS585's are: white in three channels."""
    return encoded(np.stack([mask.astype(np.uint8) * np.uint8(255)] * 3, axis=-1))


@pytest.fixture
def davis585(tmp_path: Path) -> Path:
    return put(
        tmp_path / "d585",
        {
            "bear/00009.jpg": image_file(),
            "bear/object1_00009.png": coloured(FIRST),
            "bear/object3_00009.png": coloured(SECOND),
            "bear/init_sp_object1_00009.png": coloured(FLAWED),
            "bear/init_sp_object3_00009.png": coloured(SECOND & ~SECOND),
            "bear/init_stm_object1_00009.png": coloured(~FLAWED),
        },
    )


def test_generated_masks_follow_from_seed_image_and_object_alone() -> None:
    one, other = (
        square(30, 40, slice(4, 20), slice(3, 22)),
        square(30, 40, slice(22, 30), slice(40)),
    )
    image = sample("a", one, other)
    generated = Generated()
    again = generated.of(image, 1)
    assert (generated.of(image, 1) == again).all()
    assert (generated.of(replace(image, name="b"), 1) != again).any()
    assert (Generated(1).of(image, 1) != again).any()
    assert (generated.of(image, 2) & other).any()
    assert generated.kind == "generated, seed 0"


def test_generated_masks_leave_ignored_pixels_alone() -> None:
    truth = square(30, 40, slice(4, 20), slice(3, 22))
    ignore = square(30, 40, slice(4, 20), slice(20, 25))
    assert not (Generated().of(sample("a", truth, ignore=ignore), 1) & ignore).any()


def test_both_kinds_that_davis585_brings_are_found_by_object(davis585: Path) -> None:
    frame = Davis585(davis585)[0]
    superpixels, tracked = find_start_masks("sp"), find_start_masks("stm")
    assert (superpixels.of(frame, 1) == FLAWED).all()
    assert not superpixels.of(frame, 2).any()
    assert (tracked.of(frame, 1) == ~FLAWED).all()
    assert (superpixels.kind, tracked.kind) == ("DAVIS585, sp", "DAVIS585, stm")
    with pytest.raises(DatasetError, match=r"init_stm_object3_00009\.png is missing"):
        tracked.of(frame, 2)


def test_other_datasets_have_no_published_start_masks(tmp_path: Path) -> None:
    image = sample("a", FIRST)
    for each in (image, replace(image, path=put(tmp_path, {"a.jpg": b""}) / "a.jpg")):
        with pytest.raises(DatasetError, match="a has no start masks") as caught:
            find_start_masks("sp").of(each, 1)
        assert "generated" in caught.value.hint


def test_a_folder_holds_a_mask_for_each_image(tmp_path: Path) -> None:
    numbered = encoded(FLAWED * np.uint8(1) + SECOND * np.uint8(2))
    put(tmp_path, {"one.png": grey(FLAWED), "set/two.png": numbered})
    starts = find_start_masks(str(tmp_path))
    assert (starts.of(sample("one", FIRST), 1) == FLAWED).all()
    two = sample("set/two", FIRST, SECOND)
    assert (starts.of(two, 1) == FLAWED).all()
    assert (starts.of(two, 2) == SECOND).all()
    assert starts.kind == f"folder {tmp_path.name}"


@pytest.mark.parametrize(
    ("content", "objects", "named"),
    [
        ({}, 1, "is missing"),
        ({"a.png": b"x"}, 1, "not a readable mask"),
        ({"a.png": grey(FIRST[:3])}, 1, r"6×3 pixels, its image 6×4"),
        ({"a.png": grey(FIRST[:3], 1)}, 2, r"6×3 pixels, its image 6×4"),
        ({"a.png": grey(FIRST, 3)}, 2, "numbers an object 3, a has 2"),
    ],
)
def test_start_masks_that_cannot_be_meant_are_refused_by_name(
    tmp_path: Path, content: dict[str, bytes], objects: int, named: str
) -> None:
    put(tmp_path, content)
    with pytest.raises(DatasetError, match=named) as caught:
        InFolder(tmp_path).of(sample("a", *(FIRST, SECOND)[:objects]), 1)
    assert "a.png" in caught.value.message


def test_a_name_that_is_neither_kind_nor_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither a folder of start masks nor one of generated"):
        find_start_masks(str(tmp_path / "nowhere"))


def test_of_davis585s_two_kinds_one_must_be_chosen(davis585: Path) -> None:
    with pytest.raises(DatasetError, match="two start masks for each object") as caught:
        find_start_masks(str(davis585))
    assert "--start-masks sp" in caught.value.hint
