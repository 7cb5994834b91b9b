from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeflow.agreement.packed import PackedImage
from edgeflow.agreement.pixels import pixels_in_folders, pixels_of_dataset
from edgeflow.data.base import Dataset, DatasetError
from edgeflow.data.opening import open_dataset
from edgeflow.geometry import Size
from tests.unit.edgeflow.data.making import TWO_OBJECTS, encoded, image_file, put

SIZE = Size(4, 6)


def image(name: str, size: Size = SIZE) -> PackedImage:
    return PackedImage(Path(name).stem, name, size, ())


def test_an_image_in_a_folder(tmp_path: Path) -> None:
    put(tmp_path, {"x/a.jpg": image_file(), "torn.jpg": b"no image"})
    pixels = pixels_in_folders([tmp_path / "nowhere", tmp_path])
    read = pixels(image("x/a.jpg"))
    assert read is not None
    assert read.shape == (4, 6, 3)
    assert pixels(image("b.jpg")) is None
    assert pixels(image("torn.jpg")) is None
    assert pixels(image("x/a.jpg", Size(8, 12))) is None
    assert pixels(image("../a.jpg")) is None
    assert pixels_in_folders([])(image("x/a.jpg")) is None


def test_an_image_of_a_dataset_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    put(tmp_path, {"images/a.jpg": image_file(), "masks/a.png": encoded(TWO_OBJECTS)})
    opened: list[Dataset] = []

    def opening() -> Dataset:
        opened.append(open_dataset(tmp_path))
        return opened[-1]

    pixels = pixels_of_dataset(opening)
    assert opened == []
    for _ in range(2):
        read = pixels(image("a.jpg"))
        assert read is not None
        assert np.array_equal(read, opened[0][0].rgb)
    assert pixels(image("a.jpg", Size(8, 12))) is None
    assert pixels(image("b.jpg")) is None
    assert len(opened) == 1


def test_annotations_that_are_no_dataset_have_no_pixels() -> None:
    def opening() -> Dataset:
        raise DatasetError("boxes alone")

    assert pixels_of_dataset(opening)(image("a.jpg")) is None
