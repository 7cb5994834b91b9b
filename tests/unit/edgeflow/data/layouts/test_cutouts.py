from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.layouts.cutouts import Cutouts
from edgeflow.data.layouts.hf import HfImageFolder
from edgeflow.data.left_out import LeftOut
from tests.unit.edgeflow.data.making import FIRST, TWO_OBJECTS, encoded, image_file, objects, put

ALPHA = np.where(TWO_OBJECTS == 1, np.uint8(200), np.uint8(0))
ALPHA[0, 0] = 127  # less than one half
RGBA = np.dstack((np.full((4, 6, 3), 9, dtype=np.uint8), ALPHA))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_what_is_opaque_is_the_object(tmp_path: Path, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    put(tmp_path, {f"x/a.{kind.lower()}": encoded(RGBA, kind, **options)})
    assert Cutouts.recognise(tmp_path)
    dataset = Cutouts(tmp_path)
    assert dataset.sample_names == ("x/a",)
    assert objects(dataset) == [FIRST]
    assert dataset[0].labels == (None,)
    assert dataset[0].rgb[3, 5].tolist() == [255, 255, 255]
    assert dataset[0].file_name == f"x/a.{kind.lower()}"


def test_a_cutout_without_an_opaque_pixel_has_no_object(tmp_path: Path) -> None:
    put(tmp_path, {"a.png": encoded(RGBA // np.uint8(2)), "b.png": encoded(RGBA)})
    sample = Cutouts(tmp_path)[0]
    assert sample.objects == ()
    assert sample.left_out == (LeftOut("objects without a pixel"),)


def test_folders_of_other_images_are_not_recognised(tmp_path: Path) -> None:
    opaque = RGBA.copy()
    opaque[..., 3] = 255
    put(tmp_path, {"a.png": encoded(opaque), "b.png": encoded(opaque)})
    assert not Cutouts.recognise(tmp_path)
    put(tmp_path, {"a.png": encoded(RGBA)})  # b.png shows an object that fills its box
    assert Cutouts.recognise(tmp_path)
    put(tmp_path, {"b.png": image_file(kind="PNG")})
    assert not Cutouts.recognise(tmp_path)
    put(tmp_path, {"b.png": b"damaged"})
    assert not Cutouts.recognise(tmp_path)
    (tmp_path / "b.png").unlink()
    assert Cutouts.recognise(tmp_path)
    put(tmp_path, {"list.json": b"{}"})
    assert not Cutouts.recognise(tmp_path)
    assert not Cutouts.recognise(tmp_path / "a.png")


def test_labels_come_from_the_table(tmp_path: Path) -> None:
    rows = [
        {"file_name": "a.png", "label": "cat", "picture": "x.jpg"},
        {"file_name": "b.png", "labels": ["a/b é"]},
        {"file_name": "c.png", "labels": ["cat", "dog"]},
        {"file_name": "d.png", "label": 3},
        [],
    ]
    table = "\n".join(map(json.dumps, rows)).encode()
    put(tmp_path, {f"{name}.png": encoded(RGBA) for name in "abcde"} | {"metadata.jsonl": table})
    assert Cutouts.recognise(tmp_path)
    assert not HfImageFolder.recognise(tmp_path)
    dataset = Cutouts(tmp_path)
    labels = [dataset[index].labels for index in range(5)]
    assert labels == [("cat",), ("a/b é",), (None,), (None,), (None,)]
    assert dataset.class_names == ("a/b é", "cat")


def test_a_table_tells_of_images_in_folders_of_folders(tmp_path: Path) -> None:
    row = {"file_name": "cat/sub/a.png", "label": "cat"}
    files = {"cat/sub/a.png": encoded(RGBA), "metadata.jsonl": json.dumps(row).encode()}
    put(tmp_path, files)
    assert Cutouts.recognise(tmp_path)
    assert Cutouts(tmp_path)[0].labels == ("cat",)
    put(tmp_path / "in", {"metadata.jsonl": json.dumps({"file_name": "../cat/sub/a.png"}).encode()})
    assert not Cutouts.recognise(tmp_path / "in")


def test_an_image_without_transparency_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"a.png": encoded(RGBA), "b.png": image_file(kind="PNG")})
    with pytest.raises(DatasetError, match=r"b\.png has no transparency"):
        Cutouts(tmp_path)[1]
    with pytest.raises(DatasetError, match="transparent in part"):
        Cutouts(put(tmp_path / "other", {"b.png": image_file(kind="PNG")}))


def test_a_table_that_names_files_elsewhere_does_not_lead_there(tmp_path: Path) -> None:
    secret = put(tmp_path / "elsewhere", {"b.png": image_file(kind="PNG")}) / "b.png"
    rows = [{"file_name": "a.png"}, {"file_name": str(secret)}, {"file_name": "../elsewhere/b.png"}]
    table = "\n".join(map(json.dumps, rows)).encode()
    assert Cutouts.recognise(
        put(tmp_path / "set", {"a.png": encoded(RGBA), "metadata.jsonl": table})
    )
