from __future__ import annotations

import contextlib
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
from edgeflow.data.layouts.coco_panoptic import CocoPanoptic
from edgeflow.data.layouts.cutouts import Cutouts
from edgeflow.data.layouts.cvat import Cvat
from edgeflow.data.layouts.davis585 import Davis585
from edgeflow.data.layouts.eiseg import Eiseg
from edgeflow.data.layouts.hf import HfImageFolder
from edgeflow.data.layouts.index_masks import Instances, Semantic
from edgeflow.data.layouts.labelme import Labelme
from edgeflow.data.layouts.yolo import YoloSeg
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

PANOPTIC = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 6}],
    "annotations": [
        {
            "image_id": 1,
            "file_name": "a.png",
            "segments_info": [{"id": 7 + 256, "category_id": 5, "area": 4, "iscrowd": 0}],
        }
    ],
    "categories": [{"id": 5, "name": "cat", "isthing": 1, "color": [1, 2, 3]}],
}
LABELME = {
    "version": "5.5.0",
    "shapes": [
        {"label": "cat", "points": [[1, 1], [2, 1], [2, 2], [1, 2]], "shape_type": "polygon"}
    ],
    "imagePath": "a.jpg",
    "imageData": None,
    "imageHeight": 4,
    "imageWidth": 6,
}

TREES: dict[str, dict[str, bytes]] = {
    "folder": {"images/a.jpg": image_file(), "masks/a.png": SHEET},
    "berkeley": {"images/a.jpg": image_file(), "masks/a.png": BINARY},
    "img-gt": {"img/a.jpg": image_file(), "gt/a.png": BINARY},
    "grabcut": {
        "data_GT/a.jpg": image_file(),
        "boundary_GT/a.bmp": encoded(ONE * np.uint8(255), "BMP"),
    },
    "davis": {"JPEGImages/480p/s/a.jpg": image_file(), "Annotations/480p/s/a.png": BINARY},
    "davis585": {
        "s/a.jpg": image_file(),
        "s/object1_a.png": BINARY,
        "s/init_sp_object1_a.png": BINARY,
        "s/init_stm_object1_a.png": BINARY,
    },
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
    "coco-panoptic": {
        "annotations/panoptic_val.json": json.dumps(PANOPTIC).encode(),
        "annotations/panoptic_val/a.png": encoded(np.stack((ONE * 7, ONE, ONE * 0), axis=-1)),
        "val/a.jpg": image_file(),
    },
    "yolo-seg": {
        "data.yaml": b"train: images/train\nval: images/train\nnames:\n  0: cat\n",
        "images/train/a.jpg": image_file(),
        "labels/train/a.txt": b"0 .25 .375 .42 .375 .42 .64 .25 .64",
    },
    "semantic": {
        "images/a.jpg": image_file(),
        "masks/a.png": SHEET,
        "classes.csv": b"index,name,r,g,b\n0,background,0,0,0\n1,cat,128,0,0\n",
    },
    "instances": {
        "images/a.jpg": image_file(),
        "masks/a.png": encoded(ONE.astype(np.uint16)),
        "instances.csv": b"file,number,label\na.png,1,cat\n",
    },
    "labelme": {"a.jpg": image_file(), "a.json": json.dumps(LABELME).encode()},
    "cvat": {
        "images/a.jpg": image_file(),
        "annotations.xml": b'<annotations><image id="0" name="a.jpg" width="6" height="4">'
        b'<mask label="cat" rle="0, 4" left="1" top="1" width="2" height="2" z_order="0"/>'
        b"</image></annotations>",
    },
    "hf": {
        "a.jpg": image_file(),
        "masks/a-1.png": BINARY,
        "metadata.jsonl": b'{"file_name": "a.jpg", "instances_file_names": ["masks/a-1.png"], '
        b'"labels": ["cat"]}\n',
    },
    "eiseg": {
        "images/a.jpg": image_file(),
        "a.png": SHEET,
        "a_pseudo.png": image_file(kind="PNG"),
        "a.json": b'[{"name": "cat", "labelIdx": 1, "color": [128, 0, 0], '
        b'"points": [[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]]}]',
        "labelme/a_labelme.json": json.dumps(LABELME).encode(),
        "annotations.json": json.dumps(COCO).encode(),
        "autosave_label.txt": b"1 cat 128 0 0 \n",
    },
    "cutouts": {"a.png": encoded(np.dstack((np.full((4, 6, 3), 9, np.uint8), ONE * 255)))},
}
BOXES = "yolo-box"
ALL = TREES | {
    "yolo-box": {
        "data.yaml": b"train: images/train\nval: images/train\nnames:\n  0: cat\n",
        "images/train/a.jpg": image_file(),
        "labels/train/a.txt": b"0 .33 .5 .33 .5",
    },
}
"""With the layout that is recognised and refused, since it holds no masks."""
CLASSES = {
    "folder": Folder, "berkeley": Berkeley, "img-gt": ImgGt, "grabcut": GrabCut, "davis": Davis,
    "davis585": Davis585, "voc": Voc, "sbd": Sbd, "coco": Coco, "shards": Shards,
    "label-studio": LabelStudio,
    "pulled": Pulled, "coco-panoptic": CocoPanoptic, "yolo-seg": YoloSeg, "yolo-box": YoloSeg,
    "semantic": Semantic, "instances": Instances, "labelme": Labelme, "cvat": Cvat,
    "hf": HfImageFolder, "eiseg": Eiseg, "cutouts": Cutouts,
}  # fmt: skip


def make(root: Path, layout: str) -> Path:
    """A tree of a layout; what to open."""
    put(root, ALL[layout])
    if layout == "shards":
        put_tar(root / "x.tar", [("s/a.jpg", image_file()), ("s/a.png", SHEET)])
    return root / "e.json" if layout == "label-studio" else root


def test_every_layout_is_tested_here() -> None:
    assert set(LAYOUTS) == set(ALL) == set(CLASSES)


def test_every_layout_is_documented() -> None:
    page = (Path(__file__).parents[4] / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert [name for name in LAYOUTS if f"| [`{name}`](" not in page] == []


@pytest.mark.parametrize("layout", TREES)
def test_each_layout_is_recognised_and_read(tmp_path: Path, layout: str) -> None:
    dataset = open_dataset(make(tmp_path, layout))
    assert dataset.__class__.__name__ == CLASSES[layout].__name__
    assert len(dataset) == 1
    assert objects(dataset) == [FIRST]


NAMELESS = {
    "folder", "berkeley", "img-gt", "grabcut", "davis", "davis585", "shards", "cutouts",
}  # fmt: skip
LABELS = dict.fromkeys(set(TREES) - NAMELESS, "cat") | {
    "sbd": "aeroplane", "label-studio": "Cat", "pulled": "Cat",
}  # fmt: skip
"""Of the object in those trees that name classes."""


@pytest.mark.parametrize("layout", TREES)
def test_objects_have_labels_where_the_layout_names_classes(tmp_path: Path, layout: str) -> None:
    sample = open_dataset(make(tmp_path, layout))[0]
    assert sample.labels == (LABELS.get(layout),)


@pytest.mark.parametrize("layout", ALL)
def test_each_layout_is_recognised_by_itself_alone(tmp_path: Path, layout: str) -> None:
    path = make(tmp_path, layout)
    assert [name for name, each in LAYOUTS.items() if each.recognise(path)] == [layout]


@pytest.mark.parametrize("layout", [each for each in TREES if each != "shards"])
def test_samples_name_their_image(tmp_path: Path, layout: str) -> None:
    dataset = open_dataset(make(tmp_path, layout))
    sample = dataset[0]
    assert (sample.name,) == dataset.sample_names
    name, _, extension = sample.file_name.rpartition(".")
    assert name == sample.name
    assert extension == ("png" if layout == "cutouts" else "jpg")


def test_boxes_are_refused_with_a_way_out(tmp_path: Path) -> None:
    path = make(tmp_path, BOXES)
    for layout in ("auto", BOXES):
        with pytest.raises(DatasetError, match="holds boxes") as caught:
            open_dataset(path, layout=layout)
        assert "edgeflow prelabel" in caught.value.hint


@pytest.mark.parametrize("layout", TREES)
def test_each_layout_can_be_named(tmp_path: Path, layout: str) -> None:
    assert objects(open_dataset(make(tmp_path, layout), layout=layout)) == [FIRST]


@pytest.mark.parametrize("layout", ALL)
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


@pytest.mark.parametrize("layout", ALL)
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


def damage(data: bytes, seed: int) -> bytes:
    """The same bytes with a few others among them, or cut off."""
    rng = np.random.default_rng(seed)
    if seed % 3 == 0:
        return data[: int(rng.integers(0, len(data) + 1))]
    damaged = bytearray(data)
    for place in rng.integers(0, max(len(data), 1), 1 + seed % 4):
        if seed % 3 == 1:
            damaged[place : place + 1] = bytes(rng.integers(0, 256, 1, dtype=np.uint8))
        else:
            damaged[place : place + 1] = bytes(rng.choice(list(b'[]{}0123456789-,.:nul"<>/')))
    return bytes(damaged)


@pytest.mark.parametrize("layout", [each for each in ALL if ALL[each] and each != "sbd"])
def test_damaged_files_are_refused_or_read_and_never_crash(tmp_path: Path, layout: str) -> None:
    """All but SBD's: some damaged MATLAB files crash SciPy's reader, and Python with it."""
    path = make(tmp_path, layout)
    for name, data in ALL[layout].items():
        for seed in range(24):
            put(tmp_path, {name: damage(data, seed)})
            for chosen in ("auto", layout):
                with contextlib.suppress(DatasetError):
                    dataset = open_dataset(path, layout=chosen)
                    for index in range(len(dataset)):
                        with contextlib.suppress(DatasetError):
                            dataset[index]
        put(tmp_path, {name: data})


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
