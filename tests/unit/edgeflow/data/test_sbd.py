from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from edgeflow.data import sbd
from edgeflow.data.base import DatasetError
from edgeflow.data.sbd import Sbd, read_instances
from tests.unit.edgeflow.data.making import (
    FIRST,
    SECOND,
    TWO_OBJECTS,
    image_file,
    objects,
    pixels,
    put,
)

LABELS = np.where(TWO_OBJECTS == 255, np.uint8(0), TWO_OBJECTS)


def mat(segmentation: Any, *, name: str = "GTinst", more: Any = None, **options: Any) -> bytes:
    """As published: a struct with three fields."""
    buffer = io.BytesIO()
    categories = {"Categories": [[1], [2]]} if more is None else more
    record = {"Segmentation": segmentation, "Boundaries": np.zeros((2, 1)), **categories}
    savemat(buffer, {name: record}, **options)
    return buffer.getvalue()


FILES = {
    "img/2008_1.jpg": image_file(),
    "img/2008_2.jpg": image_file(),
    "inst/2008_1.mat": mat(LABELS, do_compression=True),
    "inst/2008_2.mat": b"not MATLAB",
    "cls/2008_1.mat": b"",
    "train.txt": b"2008_2\n",
    "val.txt": b"2008_1\n",
}


@pytest.mark.parametrize("nested", [".", "dataset"])
def test_instances_are_objects(tmp_path: Path, nested: str) -> None:
    put(tmp_path / nested, FILES)
    assert Sbd.recognise(tmp_path)
    dataset = Sbd(tmp_path, "val")
    assert dataset.sample_names == ("2008_1",)
    assert objects(dataset) == [FIRST, SECOND]
    assert dataset[0].ignore is None
    assert dataset[0].labels == ("aeroplane", "bicycle")


def test_the_split_must_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="2 splits and none is chosen") as caught:
        Sbd(put(tmp_path, FILES))
    assert caught.value.hint == "splits: train, val"


def test_what_is_no_matlab_file_is_named(tmp_path: Path) -> None:
    dataset = Sbd(put(tmp_path, FILES), "train")
    with pytest.raises(DatasetError, match=r"inst/2008_2\.mat is not a MATLAB file"):
        dataset[0]


def test_floating_point_labels_are_taken_where_they_are_whole() -> None:
    found = read_instances(mat(LABELS.astype(float)), "a.mat")
    assert [pixels(mask) for mask in found.objects] == [FIRST, SECOND]


def test_labels_are_the_categories_of_the_objects() -> None:
    categories = {"Categories": np.array([[15], [12], [8]], dtype=np.uint8)}
    assert read_instances(mat(LABELS, more=categories), "a.mat").labels == ("person", "dog")
    later = np.where(LABELS == 1, 3, LABELS)
    assert read_instances(mat(later, more=categories), "a.mat").labels == ("dog", "cat")


@pytest.mark.parametrize("more", [{}, {"Categories": []}, {"Categories": [[0], [21]]}])
def test_objects_without_a_category_have_no_label(more: Any) -> None:
    assert read_instances(mat(LABELS, more=more), "a.mat").labels == (None, None)


def test_label_255_is_an_object() -> None:
    found = read_instances(mat(np.array([[0, 255]], dtype=np.uint8)), "a.mat")
    assert [pixels(mask) for mask in found.objects] == [[(0, 1)]]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        mat(LABELS)[:200],
        mat(LABELS, name="GTcls"),
        mat("text"),
        mat(np.zeros((2, 2, 2))),
        mat(np.zeros((0, 0))),
        mat(np.array([[0.5, 1.0]])),
        mat(np.array([[np.nan, np.inf]])),
        mat(np.array([[-1, 1]])),
        mat(np.array([[0, 70_000]])),
        mat(LABELS, more={"Categories": "ab"}),
        mat({"deeper": 1}),
        bytes(range(256)) * 20,
        b"\x89HDF\r\n\x1a\n" + bytes(600),
        b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(600),
    ],
)
def test_other_contents_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(DatasetError, match=r"^a\.mat") as caught:
        read_instances(data, "a.mat")
    assert caught.value.hint


def test_files_that_are_too_long_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbd, "MAX_BYTES", 100)
    with pytest.raises(DatasetError, match="more than 100 bytes"):
        read_instances(mat(LABELS), "a.mat")


def test_without_scipy_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, FILES)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(DatasetError, match="SciPy") as caught:
        Sbd(tmp_path, "val")
    assert "pip install scipy" in caught.value.hint
