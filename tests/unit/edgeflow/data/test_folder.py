from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.folder import Folder, ImgGt
from edgeflow.data.opening import open_dataset
from tests.unit.edgeflow.data.making import (
    FIRST,
    IGNORED,
    SECOND,
    TWO_OBJECTS,
    encoded,
    image_file,
    objects,
    palette_png,
    pixels,
    put,
    turned_image,
)

BINARY = np.where(TWO_OBJECTS == 1, np.uint8(255), np.uint8(0))


def folder(root: Path, **masks: bytes) -> Path:
    for name, mask in masks.items():
        put(root, {f"images/{name}.jpg": image_file(), f"masks/{name}.png": mask})
    return root


def test_images_and_numbered_masks_are_read(tmp_path: Path) -> None:
    folder(tmp_path / "mine", b=encoded(TWO_OBJECTS), a=palette_png(TWO_OBJECTS))
    dataset = Folder(tmp_path / "mine")
    assert (dataset.name, dataset.sample_names, len(dataset)) == ("mine", ("a", "b"), 2)
    for index in range(2):
        assert objects(dataset, index) == [FIRST, SECOND]
        assert pixels(dataset[index].ignore) == IGNORED
    assert dataset[1].name == "b"
    assert dataset[1].rgb.shape == (4, 6, 3)


def test_a_dataset_can_be_gone_through(tmp_path: Path) -> None:
    folder(tmp_path, b=encoded(TWO_OBJECTS), a=encoded(TWO_OBJECTS))
    dataset = Folder(tmp_path)
    assert [sample.name for sample in dataset] == ["a", "b"]  # type: ignore[attr-defined]
    with pytest.raises(IndexError):
        dataset[2]


@pytest.mark.parametrize("extension", [".JPG", ".jpeg", ".bmp", ".png", ".webp", ".tiff"])
def test_images_may_have_any_known_extension(tmp_path: Path, extension: str) -> None:
    kind = {".JPG": "JPEG", ".jpeg": "JPEG"}.get(extension, extension[1:].upper())
    put(
        tmp_path,
        {f"images/a{extension}": image_file(kind=kind), "masks/a.png": encoded(TWO_OBJECTS)},
    )
    assert objects(Folder(tmp_path)) == [FIRST, SECOND]


def test_images_without_a_mask_are_left_out(tmp_path: Path) -> None:
    folder(tmp_path, a=encoded(TWO_OBJECTS))
    put(tmp_path, {"images/b.jpg": image_file()})
    assert Folder(tmp_path).sample_names == ("a",)


def test_masks_without_an_image_are_counted_and_named(tmp_path: Path) -> None:
    folder(tmp_path, a=encoded(TWO_OBJECTS))
    put(tmp_path, {"masks/b.png": b"", "masks/c.png": b""})
    with pytest.raises(DatasetError, match=r"2 \(b\.png, c\.png\) without an image") as caught:
        Folder(tmp_path)
    assert ".jpg" in caught.value.hint


def test_masks_are_for_the_upright_image(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"images/a.png": turned_image(6, 4, 6), "masks/a.png": encoded(TWO_OBJECTS)},
    )
    sample = Folder(tmp_path)[0]
    assert sample.rgb.shape == (4, 6, 3)
    # Orientation 6 is turned clockwise: the stored rows, in which red rises, run from the right.
    assert sample.rgb[0, :, 0].tolist() == [100, 80, 60, 40, 20, 0]


def test_a_mask_of_another_size_names_both_files(tmp_path: Path) -> None:
    put(tmp_path, {"images/a.jpg": image_file(5, 6), "masks/a.png": encoded(TWO_OBJECTS)})
    with pytest.raises(DatasetError, match=r"images/a\.jpg has 6×5 pixels, .*masks/a\.png has 6×4"):
        Folder(tmp_path)[0]


def test_a_broken_file_is_named_only_when_it_is_read(tmp_path: Path) -> None:
    folder(tmp_path, a=encoded(TWO_OBJECTS), b=encoded(TWO_OBJECTS)[:50], c=encoded(TWO_OBJECTS))
    put(tmp_path, {"images/c.jpg": b"broken"})
    dataset = Folder(tmp_path)
    assert objects(dataset, 0) == [FIRST, SECOND]
    with pytest.raises(DatasetError, match=r"masks/b\.png is not a readable mask"):
        dataset[1]
    with pytest.raises(DatasetError, match=r"images/c\.jpg: not a readable image"):
        dataset[2]


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    dataset = Folder(folder(tmp_path, a=encoded(TWO_OBJECTS)))
    (tmp_path / "images" / "a.jpg").unlink()
    with pytest.raises(DatasetError, match=r"images/a\.jpg is missing"):
        dataset[0]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    with pytest.raises(DatasetError, match="no annotated image"):
        open_dataset(tmp_path)


def test_masks_of_0_and_255_are_refused_with_the_layout_that_reads_them(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing but 0 and 255") as caught:
        Folder(folder(tmp_path, a=encoded(BINARY), b=encoded(BINARY)))
    assert "berkeley" in caught.value.hint


def test_img_and_gt_take_every_pixel_that_is_not_black(tmp_path: Path) -> None:
    colours = np.zeros((4, 6, 3), dtype=np.uint8)
    colours[1:3, 1] = (0, 0, 1)
    colours[1:3, 2] = (0, 200, 0)
    put(tmp_path, {"img/00.jpg": image_file(), "gt/00.png": encoded(colours)})
    dataset = ImgGt(tmp_path)
    assert objects(dataset) == [FIRST]
    assert dataset[0].ignore is None
