from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.layouts.yolo import YoloSeg, are_yolo_boxes
from edgeflow.data.left_out import LeftOut
from tests.unit.edgeflow.data.making import FIRST, image_file, objects, pixels, put

TABLE = b'train: images/train\nval: images/val\nnames:\n  0: cat\n  1: "a/b \\u00e9"\n'
SQUARE = ".25 .375 .42 .375 .42 .64 .25 .64"


def tree(root: Path, labels: str, table: bytes = TABLE, **files: bytes) -> Path:
    return put(
        root,
        {
            "data.yaml": table,
            "images/train/a.b.jpg": image_file(),
            "images/val/c.png": image_file(kind="PNG"),
            "labels/train/a.b.txt": labels.encode(),
            **files,
        },
    )


def test_a_line_is_an_object(tmp_path: Path) -> None:
    dataset = YoloSeg(
        tree(tmp_path / "set", f"0 {SQUARE}\n1 .7 .3 .9 .3 .7 .9\n7 {SQUARE}"), "train"
    )
    assert dataset.name == "set train"
    assert dataset.sample_names == ("train/a.b",)
    assert dataset.class_names == ("cat", "a/b é")
    assert objects(dataset)[0] == FIRST
    assert dataset[0].labels == ("cat", "a/b é", None)
    assert dataset[0].left_out == (LeftOut("labels of classes that data.yaml does not name"),)
    assert dataset[0].file_name == "train/a.b.jpg"


def test_an_image_without_labels_has_no_object(tmp_path: Path) -> None:
    sample = YoloSeg(tree(tmp_path, f"0 {SQUARE}"), "val")[0]
    assert sample.name == "val/c"
    assert sample.objects == ()


def test_outlines_are_filled_as_ultralytics_fills_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    outlines = rng.random((20, 9, 2))
    lines = [" ".join(["0", *(f"{value:.6f}" for value in each.ravel())]) for each in outlines]
    tree(tmp_path, "\n".join(lines), **{"images/train/a.b.jpg": image_file(61, 83)})
    masks = YoloSeg(tmp_path, "train")[0].objects
    assert len(masks) == 20
    for mask, line in zip(masks, lines, strict=True):
        scaled = np.array(line.split()[1:], dtype=np.float64).reshape(-1, 2) * (83, 61)
        expected = np.zeros((61, 83), dtype=np.uint8)
        cv2.fillPoly(expected, [scaled.astype(np.int32)], color=1)
        assert np.array_equal(mask, expected.astype(bool))


def test_boxes_among_outlines_and_damaged_lines_are_left_out(tmp_path: Path) -> None:
    labels = f"0 .5 .5 .1 .1\nx\n0 {SQUARE}\n0 nan .1 .2 .3 .4 .5\n-1 {SQUARE}\n0 1e9 0 0 1 1 1\n"
    sample = YoloSeg(tree(tmp_path, labels), "train")[0]
    assert [pixels(mask) for mask in sample.objects] == [FIRST]
    assert [each.fault for each in sample.left_out] == [
        "a.b.txt, line 2", "a.b.txt, line 4", "a.b.txt, line 5", "a.b.txt, line 6", "",
    ]  # fmt: skip
    assert sample.left_out[-1] == LeftOut("boxes")


def test_a_confidence_behind_an_outline_is_no_coordinate(tmp_path: Path) -> None:
    assert objects(YoloSeg(tree(tmp_path, f"0 {SQUARE} 0.9"), "train")) == [FIRST]


def test_boxes_alone_are_another_layout(tmp_path: Path) -> None:
    tree(tmp_path, "0 .5 .5 .1 .1\n0 .5 .5 .1 .1")
    assert are_yolo_boxes(tmp_path)
    assert not YoloSeg.recognise(tmp_path)
    tree(tmp_path, f"0 .5 .5 .1 .1\n0 {SQUARE}")
    assert not are_yolo_boxes(tmp_path)
    assert YoloSeg.recognise(tmp_path)
    tree(tmp_path, "")
    assert YoloSeg.recognise(tmp_path)


def test_of_several_splits_one_must_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="2 splits and none is chosen"):
        YoloSeg(tree(tmp_path, f"0 {SQUARE}"))
    with pytest.raises(DatasetError, match="no split 'test'"):
        YoloSeg(tmp_path, "test")


def test_parts_that_are_the_same_need_no_choice(tmp_path: Path) -> None:
    table = b"train: images/train\nval: images/train\nnames: [cat]\n"
    assert objects(YoloSeg(tree(tmp_path, f"0 {SQUARE}", table))) == [FIRST]


@pytest.mark.parametrize(
    "train",
    [
        "images/train",
        "./images/train/",
        "../images/train",
        "/else/where/images/train",
        "list.txt",
        "[images/train]",
        "'images/train'",
    ],
)
def test_paths_are_taken_as_ultralytics_and_roboflow_write_them(tmp_path: Path, train: str) -> None:
    table = f"# a comment\npath: /else/where\ntrain: {train}  # here\nnames: {{0: cat}}\n".encode()
    tree(tmp_path, f"0 {SQUARE}", table, **{"list.txt": b"./images/train/a.b.jpg\n"})
    assert objects(YoloSeg(tmp_path)) == [FIRST]
    (tmp_path / "data.yaml").rename(tmp_path / "mine.yaml")
    assert objects(YoloSeg(tmp_path / "mine.yaml", "train")) == [FIRST]


def test_labels_beside_their_images_are_found(tmp_path: Path) -> None:
    files = {"data.yaml": b"train: x\nnames: [cat]", "x/a.jpg": image_file()}
    put(tmp_path, files | {"x/a.txt": f"0 {SQUARE}".encode()})
    dataset = YoloSeg(tmp_path)
    assert dataset.sample_names == ("x/a",)
    assert objects(dataset) == [FIRST]


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (b"train: /etc\nnames: [a]", "not a name for an image"),
        (b"train: images/../../etc\nnames: [a]", "not a name for an image"),
        (b"train: nowhere\nnames: [a]", "missing"),
        (b"train: list.txt\nnames: [a]", "not a name for an image"),
        (b"train: images/train\nnames: [a\nkpt_shape: [17, 3]", "not closed"),
        (b"train: images/train\nnames: a\n", "neither a list nor a map"),
        (b"train: images/train\nnames: [a]\nkpt_shape: [17, 3]", "skeletons"),
        (b"train: {a: b}\nnames: [a]", "not texts"),
        (b"\xff\xfe", "table of contents"),
    ],
    ids=["absolute", "above", "missing", "list", "open", "names", "pose", "map", "utf-8"],
)
def test_tables_that_cannot_be_followed_are_refused(
    tmp_path: Path, table: bytes, match: str
) -> None:
    tree(tmp_path, f"0 {SQUARE}", table, **{"list.txt": b"../../etc/passwd.jpg"})
    with pytest.raises(DatasetError, match=match):
        YoloSeg(tmp_path, "train")


def test_a_hostile_outline_costs_only_itself(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    points = (f"{value:.3f}" for value in rng.random(200_000))
    sample = YoloSeg(
        tree(
            tmp_path,
            f"0 {' '.join(points)}\n0 {SQUARE}",
            **{"images/train/a.b.jpg": image_file(400, 600)},
        ),
        "train",
    )[0]
    assert len(sample.objects) == 1
    assert "pixels long" in sample.left_out[0].reason


def test_linked_folders_are_not_followed(tmp_path: Path) -> None:
    tree(tmp_path / "set", f"0 {SQUARE}")
    (tmp_path / "set/images/train/loop").symlink_to(tmp_path / "set/images")
    assert YoloSeg(tmp_path / "set", "train").sample_names == ("train/a.b",)


def test_where_no_class_is_named_numbers_are_the_labels(tmp_path: Path) -> None:
    table = b"train: images/train\nval: images/val\n"
    sample = YoloSeg(tree(tmp_path, f"7 {SQUARE}", **{"data.yaml": table}), "train")[0]
    assert (sample.labels, sample.left_out) == (("7",), ())
