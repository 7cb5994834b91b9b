from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.train.config import Data, Source
from edgeflow.train.errors import TrainingError
from edgeflow.train.training_data import open_material
from tests.training.shapes import write_shapes
from tests.unit.edgeflow.data.making import image_file, put, put_json
from tests.unit.edgeflow.data.test_label_studio import brush, region, task


def test_sources_are_joined_weighted_and_cached(tmp_path: Path) -> None:
    first = write_shapes(tmp_path / "first", 4, 1)
    second = write_shapes(tmp_path / "second", 4, 2)
    for index in range(4):  # names must differ between sources
        for folder, suffix in (("images", "png"), ("masks", "png")):
            path = second / folder / f"{index:03}.{suffix}"
            path.rename(path.with_name(f"other{index}.{suffix}"))
    data = Data(
        sources=(Source(path=first), Source(path=second, weight=3.0)),
        side=64,
        cache=tmp_path / "cache",
        held_out=0,
    )
    said: list[str] = []
    material = open_material(data, 0, said.append)
    assert len(material.store.names) == 8
    factors = dict(zip(material.store.names, material.factors, strict=True))
    assert factors["000"] == 1.0
    assert factors["other0"] == 3.0
    assert any(text.startswith("decoding") for text in said)
    said.clear()
    again = open_material(data, 0, said.append)
    assert not any(text.startswith("decoding") for text in said)
    assert np.array_equal(again.store.labels.numpy(), material.store.labels.numpy())


def test_excluded_names_are_left_out_of_training_and_validation(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "shapes", 10, 1)
    exclude = tmp_path / "near-duplicates.txt"
    exclude.write_text("# name\n003\tgrabcut/x\t0.99\n007\n")
    data = Data(sources=(Source(path=folder, exclude=exclude),), side=64, held_out=0.5)
    material = open_material(data, 10)
    used = {*material.store.names, *material.held_out.sample_names}
    assert used == {f"{n:03}" for n in range(10)} - {"003", "007"}


def test_a_missing_exclude_file_and_a_source_named_twice_are_errors(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "shapes", 2, 1)
    missing = Source(path=folder, exclude=tmp_path / "none.txt")
    with pytest.raises(TrainingError, match=r"none\.txt"):
        open_material(Data(sources=(missing,)), 0)
    twice = Data(sources=(Source(path=folder), Source(path=folder)))
    with pytest.raises(TrainingError, match="one name"):
        open_material(twice, 0)


def test_what_annotators_accepted_in_label_studio_can_be_learnt_from(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "shapes", 3, 1)
    tasks = []
    for index in range(3):
        with Image.open(folder / "masks" / f"{index:03}.png") as stored:
            mask = np.asarray(stored) == 1
        height, width = mask.shape
        region = {
            "id": f"region{index}",
            "type": "brushlabels",
            "from_name": "mask",
            "to_name": "image",
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {
                "format": "rle",
                "rle": list(encode_brush(mask)),
                "brushlabels": ["Object"],
            },
        }
        tasks.append(
            {
                "id": index + 1,
                "data": {"image": f"/data/upload/1/a1b2c3d4-{index:03}.png"},
                "annotations": [{"id": index, "was_cancelled": False, "result": [region]}],
            }
        )
    export = tmp_path / "project.json"
    export.write_bytes(orjson.dumps(tasks))
    elsewhere = tmp_path / "elsewhere"
    (folder / "images").rename(elsewhere)
    data = Data(sources=(Source(path=export, images=elsewhere),), side=96, held_out=0)
    store = open_material(data, 0).store
    assert len(store.names) == 3
    with Image.open(folder / "masks" / "000.png") as stored:
        expected = np.asarray(stored) == 1
    assert any(np.array_equal(each.numpy() == 1, expected) for each in store.labels)


def test_what_is_left_out_of_an_export_is_said(tmp_path: Path) -> None:
    put(tmp_path, {"images/a.jpg": image_file()})
    damaged, point = region("brushlabels", {"rle": [1, 2]}), region("keypoint", {"x": 1, "y": 1})
    export = put_json(tmp_path / "e.json", [task(31, brush(1), damaged, point)])
    said: list[str] = []
    data = Data(sources=(Source(path=export),), side=32, min_area=0, held_out=0)
    open_material(data, 0, said.append)
    assert "left out: results of type 'keypoint' (1)" in said
    assert "  task 31: the brush RLE is truncated" in said
