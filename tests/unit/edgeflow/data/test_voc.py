from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.voc import Voc
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

FILES = {
    "JPEGImages/2007_2.jpg": image_file(),
    "JPEGImages/2007_1.jpg": image_file(),
    "JPEGImages/2007_3.jpg": image_file(),
    "SegmentationObject/2007_2.png": palette_png(TWO_OBJECTS),
    "SegmentationObject/2007_1.png": palette_png(TWO_OBJECTS),
    "ImageSets/Segmentation/val.txt": b"2007_2\n2007_1\n",
    "ImageSets/Segmentation/train.txt": b"2007_1\n2007_3\n",
}


@pytest.mark.parametrize("nested", [".", "VOC2012", "VOCdevkit/VOC2012"])
def test_objects_are_read_and_the_void_is_ignored(tmp_path: Path, nested: str) -> None:
    put(tmp_path / nested, FILES)
    assert Voc.recognise(tmp_path)
    dataset = Voc(tmp_path, "val")
    assert dataset.name == f"{tmp_path.name} val"
    assert dataset.sample_names == ("2007_2", "2007_1")
    assert objects(dataset) == [FIRST, SECOND]
    assert pixels(dataset[0].ignore) == IGNORED


def test_several_lists_without_a_choice_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="2 splits and none is chosen") as caught:
        Voc(put(tmp_path, FILES))
    assert caught.value.hint == "splits: train, val"


def test_a_single_list_needs_no_choice(tmp_path: Path) -> None:
    put(tmp_path, {name: data for name, data in FILES.items() if "train" not in name})
    assert len(Voc(tmp_path)) == 2


def test_unknown_and_missing_lists_are_refused(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    with pytest.raises(DatasetError, match=r"no split '\.\./val'"):
        Voc(tmp_path, "../val")
    for name in ("val", "train"):
        (tmp_path / f"ImageSets/Segmentation/{name}.txt").unlink()
    with pytest.raises(DatasetError, match="no split 'val'") as caught:
        Voc(tmp_path, "val")
    assert "missing" in caught.value.hint


def test_a_listed_name_without_files_is_an_error_when_read(tmp_path: Path) -> None:
    dataset = Voc(put(tmp_path, FILES), "train")
    assert objects(dataset, 0) == [FIRST, SECOND]
    with pytest.raises(DatasetError, match=r"SegmentationObject/2007_3\.png is missing"):
        dataset[1]


def test_a_list_cannot_leave_the_dataset(tmp_path: Path) -> None:
    put(tmp_path, {**FILES, "ImageSets/Segmentation/val.txt": b"../../secret"})
    with pytest.raises(DatasetError, match="not a name for an image"):
        Voc(tmp_path, "val")


def test_masks_that_were_made_without_regard_to_exif_fit(tmp_path: Path) -> None:
    put(tmp_path, {**FILES, "JPEGImages/2007_2.jpg": turned_image(4, 6, 6)})
    sample = Voc(tmp_path, "val")[0]
    assert sample.rgb.shape == (4, 6, 3)
    assert sample.rgb[:, 0, 0].tolist() == [0, 20, 40, 60]


def test_labels_are_the_classes_of_most_of_an_objects_pixels(tmp_path: Path) -> None:
    classes = np.where(TWO_OBJECTS == 1, np.uint8(8), np.uint8(0))
    classes[1, 1] = 3
    classes[1:3, 4] = 20
    put(tmp_path, {**FILES, "SegmentationClass/2007_2.png": palette_png(classes)})
    dataset = Voc(tmp_path, "val")
    assert dataset[0].labels == ("cat", "tvmonitor")
    assert dataset[1].labels == (None, None)  # it has no such file


def test_classes_may_be_named_in_a_table(tmp_path: Path) -> None:
    table = (
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\n"
        "b:0,128,0::\na/b é:x:128,0,0::\nc:::\n"
    )
    classes = np.where(TWO_OBJECTS == 2, np.uint8(2), np.where(TWO_OBJECTS == 1, 1, 0))
    names = {"labelmap.txt": table.encode(), "SegmentationClass/2007_2.png": palette_png(classes)}
    dataset = Voc(put(tmp_path, FILES | names), "val")
    assert dataset[0].labels == ("a/b é:x", "b")
    assert dataset.class_names == ("b", "a/b é:x", "c")


@pytest.mark.parametrize("table", [b"cat\n", b"a:1,2::\n", b"a:x,y,z::\nb:1:\n", b"\xff"])
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, table: bytes) -> None:
    put(tmp_path, FILES | {"labelmap.txt": table})
    with pytest.raises(DatasetError, match=r"labelmap\.txt"):
        Voc(tmp_path, "val")


def test_masks_in_the_colours_of_voc_are_read(tmp_path: Path) -> None:
    """As CVAT and datumaro write them."""
    colours = np.zeros((4, 6, 3), dtype=np.uint8)
    for number, colour in ((1, (128, 0, 0)), (2, (0, 128, 0)), (255, (224, 224, 192))):
        colours[number == TWO_OBJECTS] = colour
    png = encoded(colours)
    put(tmp_path, FILES | {f"Segmentation{kind}/2007_2.png": png for kind in ("Object", "Class")})
    sample = Voc(tmp_path, "val")[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST, SECOND]
    assert pixels(sample.ignore) == IGNORED
    assert sample.labels == ("aeroplane", "bicycle")
    colours[0, 0] = 1
    put(tmp_path, {"SegmentationObject/2007_2.png": encoded(colours)})
    with pytest.raises(DatasetError, match="1 colours that are not in VOC's palette"):
        Voc(tmp_path, "val")[0]


def test_images_may_have_any_extension_folders_and_blanks(tmp_path: Path) -> None:
    mask = palette_png(TWO_OBJECTS)
    put(
        tmp_path,
        {
            "JPEGImages/x/a b.png": image_file(kind="PNG"),
            "SegmentationObject/x/a b.png": mask,
            "SegmentationClass/x/a b.png": mask,
            "ImageSets/Segmentation/trainval.txt": b"x/a b\n",
        },
    )
    sample = Voc(tmp_path)[0]
    assert (sample.name, sample.file_name) == ("x/a b", "x/a b.png")
    assert sample.labels == ("aeroplane", "bicycle")


def test_pixels_of_no_class_are_no_label(tmp_path: Path) -> None:
    classes = np.where(TWO_OBJECTS == 1, np.uint8(255), np.uint8(0))
    put(tmp_path, {**FILES, "SegmentationClass/2007_2.png": palette_png(classes)})
    assert Voc(tmp_path, "val")[0].labels == (None, None)


def test_classes_of_another_size_are_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, {**FILES, "SegmentationClass/2007_2.png": palette_png(TWO_OBJECTS[:2])})
    with pytest.raises(DatasetError, match=r"SegmentationClass/2007_2\.png has 6×2 pixels"):
        Voc(tmp_path, "val")[0]
