from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgeflow.annotated import AnnotatedImage
from edgeflow.arrays import RGBImage
from edgeflow.export.formats.overlay import OPACITY
from edgeflow.export.splits import parse_splits
from edgeflow.geometry import Size
from edgeflow.masks.palette import voc_colour
from tests.unit.edgeflow.export.exported import PixelPicture, export
from tests.unit.edgeflow.export.formats.scene import BOX, HOSTILE, ODD, image, masks

SIZE = Size(200, 300)


def grey_image(
    *places: tuple[int, int, int, int], labels: tuple[str, ...], key: str = "pic"
) -> AnnotatedImage:
    """Rectangles (top, left, bottom, right) on plain grey."""
    drawn = []
    for top, left, bottom, right in places:
        mask = np.zeros(SIZE, dtype=np.bool_)
        mask[top:bottom, left:right] = True
        drawn.append(mask)
    objects = image(*drawn, labels=labels).objects
    return AnnotatedImage(key, f"{key}.png", SIZE, objects, PixelPicture(grey()))


def grey() -> RGBImage:
    return np.full((*SIZE, 3), 128, dtype=np.uint8)


def shown(path: Path) -> Any:
    with Image.open(path) as read:
        assert (read.format, read.size) == ("JPEG", (SIZE.width, SIZE.height))
        return np.asarray(read).astype(int)


def test_objects_are_tinted_in_the_colours_of_their_classes_and_the_rest_stays(
    tmp_path: Path,
) -> None:
    places = (60, 20, 120, 100), (60, 160, 120, 260)
    assert export(tmp_path, "overlay", grey_image(*places, labels=("a", "b"))) == []
    pixels = shown(tmp_path / "pic.jpg")
    for (top, left, bottom, right), number in zip(places, (1, 2), strict=True):
        inside = pixels[top + 16 : bottom - 16, left + 16 : right - 16]
        expected = 128 * (1 - OPACITY) + np.array(voc_colour(number)) * OPACITY
        assert np.abs(inside - expected).max() <= 4
        border = np.abs(pixels[top + 10 : bottom - 10, left - 3 : left + 3] - 128).sum(axis=2)
        assert (border.max(axis=1) > 100).all()
    assert np.abs(pixels[140:] - 128).max() <= 3


def test_a_hole_is_not_tinted(tmp_path: Path) -> None:
    ring = np.zeros(SIZE, dtype=np.bool_)
    ring[40:160, 60:240] = True
    ring[70:130, 110:190] = False
    picture = AnnotatedImage("1", "pic.png", SIZE, image(ring).objects, PixelPicture(grey()))
    assert export(tmp_path, "overlay", picture) == []
    assert np.abs(shown(tmp_path / "pic.jpg")[80:120, 120:180] - 128).max() <= 3


def test_names_are_written_whole_inside_the_picture(tmp_path: Path) -> None:
    corner = (0, 280, 20, 300)
    plain = grey_image(corner, labels=("a",))
    named = grey_image(corner, labels=("quite a long name",), key="named")
    assert export(tmp_path, "overlay", plain, named) == []
    tags = [
        np.flatnonzero((np.abs(shown(tmp_path / name)[4:12] - 128).sum(axis=2) > 60).all(axis=0))
        for name in ("pic.jpg", "named.jpg")
    ]
    assert tags[0].min() > 250
    assert tags[1].min() < 220


def test_names_in_any_script_and_boxes_are_drawn(tmp_path: Path) -> None:
    names = (HOSTILE, ODD, "猫", "x" * 500, "\ud800")
    picture = image(*masks().values(), BOX, labels=(*names, "box"))
    assert export(tmp_path, "overlay", picture, image(key="none")) == []
    assert (tmp_path / "pic.jpg").is_file()
    assert (tmp_path / "none.jpg").is_file()


def test_accents_are_left_out_of_names(tmp_path: Path) -> None:
    place = (60, 20, 120, 100)
    for name in ("é", "e"):
        export(tmp_path / name, "overlay", grey_image(place, labels=(name,)), labels=())
    assert (tmp_path / "é/pic.jpg").read_bytes() == (tmp_path / "e/pic.jpg").read_bytes()


def test_a_picture_that_is_not_at_hand_is_told(tmp_path: Path) -> None:
    (told,) = export(tmp_path, "overlay", image(masks()["dot"], picture=False))
    assert told.fault == "pic.png"
    assert "its picture is not at hand" in told.reason


def test_a_picture_that_is_too_long_for_a_jpeg_is_told(tmp_path: Path) -> None:
    size = Size(1, 65_536)
    pixels = PixelPicture(np.zeros((*size, 3), dtype=np.uint8))
    (told,) = export(tmp_path, "overlay", AnnotatedImage("1", "long.png", size, (), pixels))
    assert told.fault == "long.png"
    assert "65535 pixels a side" in told.reason


def test_each_part_is_a_folder(tmp_path: Path) -> None:
    export(tmp_path, "overlay", image(masks()["dot"]), splits=parse_splits("train=1,val=1"))
    (path,) = tmp_path.rglob("*.jpg")
    assert path.parent.name in {"train", "val"}
