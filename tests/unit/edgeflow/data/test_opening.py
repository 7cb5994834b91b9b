from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeflow.cli import app
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.coco import Coco
from edgeflow.data.davis import Davis
from edgeflow.data.folder import Folder, ImgGt
from edgeflow.data.grabcut import Berkeley, GrabCut
from edgeflow.data.label_studio import LabelStudio
from edgeflow.data.opening import LAYOUTS, Layout, open_dataset
from edgeflow.data.pulled import Pulled
from edgeflow.data.sbd import Sbd
from edgeflow.data.shards import Shards
from edgeflow.data.voc import Voc
from tests.unit.edgeflow.data.making import (
    FIRST,
    TWO_OBJECTS,
    encoded,
    image_file,
    objects,
    put,
    put_tar,
)
from tests.unit.edgeflow.data.test_sbd import LABELS as NUMBERS
from tests.unit.edgeflow.data.test_sbd import mat

ONE = np.where(TWO_OBJECTS == 1, np.uint8(1), np.uint8(0))
SHEET = encoded(ONE)
BINARY = encoded(ONE * np.uint8(255))
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 6}],
    "annotations": [{"image_id": 1, "category_id": 5, "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]]}],
    "categories": [{"id": 5, "name": "cat"}],
}
EXPORT = [
    {
        "data": {"image": "a.jpg"},
        "annotations": [
            {
                "result": [
                    {
                        "type": "polygonlabels",
                        "value": {
                            "points": [[20, 25], [45, 25], [45, 70], [20, 70]],
                            "polygonlabels": ["Cat"],
                        },
                    }
                ]
            }
        ],
    }
]

TREES: dict[str, dict[str, bytes]] = {
    "folder": {"images/a.jpg": image_file(), "masks/a.png": SHEET},
    "berkeley": {"images/a.jpg": image_file(), "masks/a.png": BINARY},
    "img-gt": {"img/a.jpg": image_file(), "gt/a.png": BINARY},
    "grabcut": {
        "data_GT/a.jpg": image_file(),
        "boundary_GT/a.bmp": encoded(ONE * np.uint8(255), "BMP"),
    },
    "davis": {"JPEGImages/480p/s/a.jpg": image_file(), "Annotations/480p/s/a.png": BINARY},
    "voc": {
        "JPEGImages/a.jpg": image_file(),
        "SegmentationClass/a.png": encoded(ONE * np.uint8(8)),
        "SegmentationObject/a.png": SHEET,
        "ImageSets/Segmentation/val.txt": b"a",
        "Annotations/a.xml": b"",
    },
    "sbd": {
        "img/a.jpg": image_file(),
        "inst/a.mat": mat(NUMBERS * (NUMBERS == 1)),
        "val.txt": b"a",
    },
    "coco": {
        "annotations/instances_val.json": json.dumps(COCO).encode(),
        "val/a.jpg": image_file(),
    },
    "shards": {},
    "label-studio": {"e.json": json.dumps(EXPORT).encode(), "a.jpg": image_file()},
    "pulled": {
        "pulled.json": b"{}",
        "project.json": json.dumps(EXPORT).replace('"type"', '"to_name": "image", "type"').encode(),
        "label_config.xml": b'<View><Image name="image" value="$image"/></View>',
        "images/a.jpg": image_file(),
    },
}
CLASSES = {
    "folder": Folder, "berkeley": Berkeley, "img-gt": ImgGt, "grabcut": GrabCut, "davis": Davis,
    "voc": Voc, "sbd": Sbd, "coco": Coco, "shards": Shards, "label-studio": LabelStudio,
    "pulled": Pulled,
}  # fmt: skip


def make(root: Path, layout: str) -> Path:
    """A tree of a layout; what to open."""
    put(root, TREES[layout])
    if layout == "shards":
        put_tar(root / "x.tar", [("s/a.jpg", image_file()), ("s/a.png", SHEET)])
    return root / "e.json" if layout == "label-studio" else root


def test_every_layout_is_tested_here() -> None:
    assert set(LAYOUTS) == set(TREES) == set(CLASSES)


def test_every_layout_is_documented() -> None:
    page = (Path(__file__).parents[4] / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert [name for name in LAYOUTS if f"| [`{name}`](" not in page] == []


@pytest.mark.parametrize("layout", TREES)
def test_each_layout_is_recognised_and_read(tmp_path: Path, layout: str) -> None:
    dataset = open_dataset(make(tmp_path, layout))
    assert dataset.__class__.__name__ == CLASSES[layout].__name__
    assert len(dataset) == 1
    assert objects(dataset) == [FIRST]


LABELS = {"voc": "cat", "sbd": "aeroplane", "coco": "cat", "label-studio": "Cat", "pulled": "Cat"}
"""Of the object in those trees that name classes."""


@pytest.mark.parametrize("layout", TREES)
def test_objects_have_labels_where_the_layout_names_classes(tmp_path: Path, layout: str) -> None:
    sample = open_dataset(make(tmp_path, layout))[0]
    assert sample.labels == (LABELS.get(layout),)


@pytest.mark.parametrize("layout", TREES)
def test_each_layout_is_recognised_by_itself_alone(tmp_path: Path, layout: str) -> None:
    path = make(tmp_path, layout)
    assert [name for name, each in LAYOUTS.items() if each.recognise(path)] == [layout]


@pytest.mark.parametrize("layout", TREES)
def test_each_layout_can_be_named(tmp_path: Path, layout: str) -> None:
    assert objects(open_dataset(make(tmp_path, layout), layout=layout)) == [FIRST]


@pytest.mark.parametrize("layout", TREES)
def test_a_layout_that_the_path_does_not_have_is_refused(tmp_path: Path, layout: str) -> None:
    other = make(tmp_path, "label-studio" if layout == "davis" else "davis")
    with pytest.raises(DatasetError):
        open_dataset(other, layout=layout)


def test_the_error_for_a_path_without_a_layout_lists_all_trees(tmp_path: Path) -> None:
    put(tmp_path, {"notes.txt": b"", "x.json": b'"text"'})
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "x.json"):
        with pytest.raises(DatasetError, match="has none of the known layouts") as caught:
            open_dataset(path)
        for name, layout in LAYOUTS.items():
            assert name in caught.value.hint
            assert layout.what in caught.value.hint
            assert layout.tree in caught.value.hint


def test_the_error_for_a_path_with_several_layouts_names_them(tmp_path: Path) -> None:
    make(tmp_path, "folder")
    make(tmp_path, "img-gt")
    with pytest.raises(DatasetError, match="could have the layouts folder, img-gt") as caught:
        open_dataset(tmp_path)
    assert "--layout" in caught.value.hint
    assert LAYOUTS["voc"].tree not in caught.value.hint
    assert open_dataset(tmp_path, layout="img-gt").__class__ is ImgGt


def test_unknown_layouts_and_missing_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="unknown layout 'vok'") as caught:
        open_dataset(tmp_path, layout="vok")
    assert "PASCAL VOC" in caught.value.hint
    with pytest.raises(DatasetError, match="nowhere is missing"):
        open_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize("layout", TREES)
def test_options_that_a_layout_cannot_use_are_refused(tmp_path: Path, layout: str) -> None:
    path = make(tmp_path, layout)
    if "split" not in LAYOUTS[layout].takes:
        with pytest.raises(DatasetError, match=f"layout {layout}, which has no split"):
            open_dataset(path, split="val")
    if "images" not in LAYOUTS[layout].takes:
        with pytest.raises(DatasetError, match=f"layout {layout}, which has no images"):
            open_dataset(path, images=tmp_path)


@pytest.mark.parametrize(
    ("layout", "split"), [("voc", "val"), ("sbd", "val"), ("coco", "val"), ("shards", "s")]
)
def test_splits_are_handed_on(tmp_path: Path, layout: str, split: str) -> None:
    path = make(tmp_path, layout)
    assert objects(open_dataset(path, split=split)) == [FIRST]
    with pytest.raises(DatasetError, match=r"no split 'other'|no set other|no list 'other'"):
        open_dataset(path, split="other")


@pytest.mark.parametrize("layout", ["coco", "label-studio"])
def test_image_folders_are_handed_on(tmp_path: Path, layout: str) -> None:
    path = make(tmp_path / "data", layout)
    with pytest.raises(DatasetError):
        open_dataset(path, images=tmp_path / "empty")
    put(tmp_path, {"other/a.jpg": image_file()})
    assert objects(open_dataset(path, images=tmp_path / "other")) == [FIRST]


class Toy:
    """One sample: a name a line, each a black image that is one object."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.sample_names = tuple(path.read_text(encoding="utf-8").split())

    def __len__(self) -> int:
        return len(self.sample_names)

    def __getitem__(self, index: int) -> Sample:
        rgb = np.zeros((32, 48, 3), dtype=np.uint8)
        everything = np.ones((32, 48), dtype=np.bool_)
        return Sample(self.sample_names[index], rgb, (everything,), labels=("night",))


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    row = Layout(
        "names of black images",
        "a .toy file",
        lambda path: path.suffix == ".toy",
        lambda path, _split, _images: Toy(path),
    )
    monkeypatch.setitem(LAYOUTS, "toy", row)
    path = tmp_path / "mine.toy"
    path.write_text("a b", encoding="utf-8")
    return path


def test_a_row_in_the_table_is_all_that_a_new_layout_takes(toy: Path) -> None:
    dataset = open_dataset(toy)
    assert (dataset.name, dataset.sample_names) == ("mine", ("a", "b"))
    assert dataset[1].labels == ("night",)
    with pytest.raises(DatasetError, match="layout toy, which has no split"):
        open_dataset(toy, split="val")


@pytest.mark.slow
def test_the_commands_read_and_evaluate_a_layout_from_outside(toy: Path) -> None:
    counted = CliRunner().invoke(app, ["datasets", str(toy)])
    assert "all: 2 pictures, 2 objects" in counted.output
    options = ["--data", str(toy), "--device", "cpu", "--max-clicks", "1"]
    evaluated = CliRunner().invoke(app, ["evaluate", *options])
    assert evaluated.exit_code == 0, evaluated.output
    assert "2 objects, 2 clicks" in evaluated.output
