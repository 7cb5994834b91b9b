from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.folder import PROBED, Folder
from edgeflow.data.grabcut import Berkeley, GrabCut
from tests.unit.edgeflow.data.making import (
    FIRST,
    TWO_OBJECTS,
    encoded,
    image_file,
    objects,
    palette_png,
    pixels,
    put,
)

BINARY = np.where(TWO_OBJECTS == 1, np.uint8(255), np.uint8(0))


def test_the_band_of_a_trimap_is_ignored_whatever_the_extensions(tmp_path: Path) -> None:
    trimap = BINARY.copy()
    trimap[0] = 128
    put(
        tmp_path,
        {
            "data_GT/banana.bmp": image_file(kind="BMP"),
            "data_GT/21077.JPG": image_file(),
            "boundary_GT/banana.bmp": encoded(trimap, "BMP"),
            "boundary_GT/21077.png": encoded(np.stack((trimap,) * 3, axis=-1)),
            "data_GT/Thumbs.db": b"",
        },
    )
    assert GrabCut.recognise(tmp_path)
    dataset = GrabCut(tmp_path)
    assert dataset.sample_names == ("21077", "banana")
    for index in range(2):
        assert objects(dataset, index) == [FIRST]
        assert pixels(dataset[index].ignore) == [(0, col) for col in range(6)]


def tree(root: Path, *masks: bytes) -> Path:
    for number, mask in enumerate(masks):
        put(root, {f"images/{number:02}.jpg": image_file(), f"masks/{number:02}.png": mask})
    return root


def test_berkeley_takes_255_for_the_object(tmp_path: Path) -> None:
    dataset = Berkeley(tree(tmp_path, encoded(BINARY)))
    assert objects(dataset) == [FIRST]
    assert dataset[0].ignore is None


@pytest.mark.parametrize(
    ("masks", "is_berkeley"),
    [
        ([encoded(BINARY)], True),
        ([encoded(BINARY), encoded(np.zeros_like(BINARY) + np.uint8(255))], True),
        ([encoded(np.stack((BINARY,) * 3, axis=-1))], True),
        ([encoded(BINARY), encoded(TWO_OBJECTS)], False),
        ([encoded(BINARY), encoded(np.minimum(BINARY, 1))], False),
        ([encoded(np.minimum(BINARY, 1))], False),
        ([encoded(np.zeros_like(BINARY))], False),
        ([palette_png(BINARY)], False),
        ([encoded(BINARY), b"broken"], True),
        ([encoded(BINARY), encoded(np.zeros_like(BINARY))], True),
        ([b"broken"], False),
        ([], False),
    ],
    ids=[
        "0 and 255", "all 255", "grey as RGB", "one with numbers", "one with 1", "1 alone",
        "nothing", "palette", "a broken one beside", "an empty one beside", "only broken",
        "no mask",
    ],
)  # fmt: skip
def test_berkeley_and_numbered_masks_are_told_apart_by_their_values(
    tmp_path: Path, masks: list[bytes], is_berkeley: bool
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    tree(tmp_path, *masks)
    assert Berkeley.recognise(tmp_path) is is_berkeley
    assert Folder.recognise(tmp_path) is not is_berkeley


def test_of_many_masks_a_few_are_looked_at_evenly(tmp_path: Path) -> None:
    count = 5 * PROBED
    tree(tmp_path, *[encoded(BINARY)] * (count - 5), *[encoded(TWO_OBJECTS)] * 5)
    assert Folder.recognise(tmp_path)


def test_a_mask_without_an_image_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"boundary_GT/a.bmp": encoded(BINARY, "BMP"), "data_GT/b.jpg": image_file()})
    with pytest.raises(DatasetError, match=r"1 \(a\.bmp\) without an image"):
        GrabCut(tmp_path)
