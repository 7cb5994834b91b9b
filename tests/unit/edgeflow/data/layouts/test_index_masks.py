from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.layouts.index_masks import Instances, Semantic
from edgeflow.data.left_out import LeftOut
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

CLASSES = 'index,name,r,g,b\n0,background,0,0,0\n1,"a/b é, c",128,0,0\n2,dog,0,128,0\n'.encode()
TABLE = b"file,number,label\nt/a.png,1,cat\nt/a.png,2,\n"
WIDE = encoded(TWO_OBJECTS.astype(np.uint16))


def semantic(root: Path, **files: bytes) -> Path:
    trees = {"images/a.jpg": image_file(), "masks/a.png": palette_png(TWO_OBJECTS)}
    return put(root, trees | {"classes.csv": CLASSES} | files)


def instances(root: Path, **files: bytes) -> Path:
    trees = {"images/t/a.jpg": image_file(), "masks/t/a.png": WIDE}
    return put(root, trees | {"instances.csv": TABLE} | files)


def test_each_class_on_an_image_is_one_object(tmp_path: Path) -> None:
    apart = TWO_OBJECTS.copy()
    apart[3, 0] = 1
    dataset = Semantic(semantic(tmp_path, **{"masks/a.png": encoded(apart)}))
    assert objects(dataset) == [[*FIRST, (3, 0)], SECOND]
    assert dataset[0].labels == ("a/b é, c", "dog")
    assert dataset.class_names == ("a/b é, c", "dog")
    assert pixels(dataset[0].ignore) == IGNORED


def test_255_is_a_class_where_the_table_names_it(tmp_path: Path) -> None:
    dataset = Semantic(semantic(tmp_path, **{"classes.csv": CLASSES + b"255,rim,1,1,1\n"}))
    assert objects(dataset) == [FIRST, SECOND, IGNORED]
    assert dataset[0].labels[2] == "rim"
    assert dataset[0].ignore is None


def test_a_class_that_the_table_does_not_name_has_no_label(tmp_path: Path) -> None:
    dataset = Semantic(semantic(tmp_path, **{"classes.csv": b"\xef\xbb\xbfIndex, Name\n1, cat\n"}))
    assert dataset[0].labels == ("cat", None)


def test_a_class_whose_name_is_empty_has_no_label(tmp_path: Path) -> None:
    dataset = Semantic(semantic(tmp_path, **{"classes.csv": b"index,name\n1,\n2,dog\n"}))
    assert dataset[0].labels == (None, "dog")
    assert dataset.class_names == ("dog",)


@pytest.mark.parametrize(
    "table",
    [
        b"", b"number,name\n1,a\n", b"index,name\nx,a\n", b"\xff\xfe",
        b"index,name\n1,a\n1,b\n", b"index,name\n-1,a\n", b'index,name\n1,"' + b"a" * 200_000,
    ],
    ids=["empty", "columns", "no-number", "utf-8", "twice", "negative", "long"],
)  # fmt: skip
def test_a_table_of_classes_that_cannot_be_read_is_refused(tmp_path: Path, table: bytes) -> None:
    with pytest.raises(DatasetError, match=r"classes\.csv"):
        Semantic(semantic(tmp_path, **{"classes.csv": table}))


def test_objects_are_numbered_and_labelled(tmp_path: Path) -> None:
    dataset = Instances(instances(tmp_path))
    assert dataset.sample_names == ("t/a",)
    assert objects(dataset) == [FIRST, SECOND, IGNORED]  # of 16 bits, 255 is an object
    assert dataset[0].labels == ("cat", None, None)
    assert dataset.class_names == ("cat",)


def test_more_objects_than_8_bits_hold(tmp_path: Path) -> None:
    numbers = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2000
    rows = "".join(f"t/a.jpg,{number},c{number}\n" for number in numbers.ravel() if number)
    table = f"file,number,label\n{rows}".encode()
    sample = Instances(
        instances(tmp_path, **{"masks/t/a.png": encoded(numbers), "instances.csv": table})
    )[0]
    assert len(sample.objects) == 23
    assert sample.labels == tuple(f"c{number}" for number in numbers.ravel()[1:])


def test_rows_for_nothing_are_told(tmp_path: Path) -> None:
    table = TABLE + b"t/a.png,9,cat\nb.png,1,cat\nt/a.png,x,cat\n,1,cat\n.,1,cat\n"
    dataset = Instances(instances(tmp_path, **{"instances.csv": table}))
    assert [each.fault for each in dataset.left_out] == ["line 6", "line 7", "b", "."]
    assert dataset[0].left_out == (LeftOut("objects without a pixel"),)


@pytest.mark.parametrize("kind", [Semantic, Instances])
def test_splits_are_folders(tmp_path: Path, kind: type[Semantic | Instances]) -> None:
    put(tmp_path, {"classes.csv": CLASSES, "instances.csv": TABLE})
    for name in ("train/a", "val/b", "val/x/c"):
        put(tmp_path, {f"images/{name}.jpg": image_file(), f"masks/{name}.png": WIDE})
    assert kind(tmp_path).sample_names == ("train/a", "val/b", "val/x/c")
    assert kind(tmp_path, split="val").sample_names == ("val/b", "val/x/c")
    with pytest.raises(DatasetError, match="no split 'test'"):
        kind(tmp_path, split="test")


def test_images_may_lie_elsewhere_and_masks_decide_their_orientation(tmp_path: Path) -> None:
    root = semantic(tmp_path / "set")
    put(tmp_path, {"other/a.png": turned_image(4, 6, 6)})
    assert Semantic(root, images=tmp_path / "other")[0].rgb.shape == (4, 6, 3)


def test_a_mask_without_an_image_is_an_error(tmp_path: Path) -> None:
    semantic(tmp_path, **{"masks/b.png": WIDE})
    with pytest.raises(DatasetError, match=r"1 \(b\) without an image"):
        Semantic(tmp_path)


def test_a_mask_of_another_size_is_an_error(tmp_path: Path) -> None:
    semantic(tmp_path, **{"masks/a.png": encoded(TWO_OBJECTS[:2])})
    with pytest.raises(DatasetError, match="has 6×2"):
        Semantic(tmp_path)[0]
