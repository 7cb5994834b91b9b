from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.layouts.davis585 import Davis585, object_files, start_file
from tests.unit.edgeflow.data.making import (
    FIRST,
    SECOND,
    TWO_OBJECTS,
    encoded,
    image_file,
    objects,
    put,
)


def mask(number: int) -> bytes:
    """White in three channels, as published."""
    return encoded(np.stack([(number == TWO_OBJECTS) * np.uint8(255)] * 3, axis=-1))


TREE = {
    "cat/00030.jpg": image_file(),
    "cat/object1_00030.png": mask(2),
    "cat/init_sp_object1_00030.png": mask(2),
    "bear/00009.jpg": image_file(),
    "bear/00018.jpg": image_file(),
    "bear/object1_00009.png": mask(1),
    "bear/object2_00009.png": mask(2),
    "bear/init_sp_object1_00009.png": mask(2),
    "bear/init_stm_object1_00009.png": mask(2),
}


def test_each_frame_with_objects_is_a_sample(tmp_path: Path) -> None:
    dataset = Davis585(put(tmp_path, TREE))
    assert dataset.sample_names == ("bear/00009", "cat/00030")
    assert objects(dataset, 0) == [FIRST, SECOND]
    assert objects(dataset, 1) == [SECOND]
    assert dataset[0].ignore is None
    assert dataset[0].file_name == "bear/00009.jpg"


def test_start_masks_lie_beside_their_object(tmp_path: Path) -> None:
    frame = Davis585(put(tmp_path, TREE))[0].path
    assert frame is not None
    first, second = object_files(frame)
    assert (first.name, second.name) == ("object1_00009.png", "object2_00009.png")
    assert start_file(first, "stm") == tmp_path / "bear" / "init_stm_object1_00009.png"


def test_values_up_to_128_are_background(tmp_path: Path) -> None:
    values = np.full((4, 6), 128, dtype=np.uint8)
    values[1:3, 1:3] = 129
    put(tmp_path, {"s/0.jpg": image_file(), "s/object1_0.png": encoded(values)})
    assert objects(Davis585(tmp_path)) == [FIRST]


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    small = encoded(np.full((3, 6), 255, dtype=np.uint8))
    put(tmp_path, TREE | {"bear/object2_00009.png": small})
    with pytest.raises(DatasetError, match=r"object2_00009\.png has another size"):
        Davis585(tmp_path)[0]


@pytest.mark.parametrize("without", ["s/0.jpg", "s/object1_0.png", "s/init_sp_object1_0.png"])
def test_it_is_recognised_by_a_start_mask_with_what_belongs_to_it(
    tmp_path: Path, without: str
) -> None:
    tree = {
        "s/0.jpg": image_file(),
        "s/object1_0.png": mask(1),
        "s/init_sp_object1_0.png": mask(1),
    }
    assert Davis585.recognise(put(tmp_path / "whole", tree))
    del tree[without]
    assert not Davis585.recognise(put(tmp_path / "part", tree))
    assert not Davis585.recognise(tmp_path / "whole" / "s")
    assert not Davis585.recognise(tmp_path / "whole" / "s" / "0.jpg")


def test_a_folder_without_objects_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"s/0.jpg": image_file()})
    with pytest.raises(DatasetError, match="holds no annotated image"):
        Davis585(tmp_path)
