from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.data.base import DatasetError
from edgeflow.export.reading.image_names import file_name_of, size_of
from edgeflow.geometry import Size
from tests.unit.edgeflow.data.making import image_file, put, turned_image


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("/data/upload/3/0a1b2c3d-cat.jpg", "0a1b2c3d-cat.jpg"),
        ("http://studio:8080/data/upload/3/0a1b2c3d-cat.jpg", "0a1b2c3d-cat.jpg"),
        ("/data/local-files/?d=photos/x/cat.jpg", "photos/x/cat.jpg"),
        ("s3://bucket/x/cat.tif", "x/cat.tif"),
        ("https://host/x/cat.webp?sig=1&e=2", "x/cat.webp"),
        ("https://host/image/17", "5-2-17"),
        ("https://host/", "5-2"),
        ("", "5-2"),
        ("data:image/png;base64,AAAA", "5-2"),
        ("https://host/a%2F..%2F..%2Fcat.jpg", "cat.jpg"),
        ("../../etc/cat.jpg", "etc/cat.jpg"),
        ("https://host/a\\b:c\x1b[31m.jpg", "a/b_c_[31m.jpg"),
        ("https://host/..", "5-2-.."),
        ("http://[bad", "5-2"),
    ],
)
def test_images_that_are_not_at_hand_are_called_after_their_location(
    location: str, name: str
) -> None:
    assert file_name_of(location, "5", 2) == name


TURNED = turned_image(4, 6, 6)
TOLD: dict[str, tuple[bytes | None, list[Size | None], Size]] = {
    "as drawn on": (image_file(), [Size(4, 6)], Size(4, 6)),
    "nothing drawn": (image_file(), [], Size(4, 6)),
    "drawn on what is not said": (image_file(), [None, None], Size(4, 6)),
    "turned": (TURNED, [Size(6, 4)], Size(6, 4)),
    "turned, drawn on as stored": (TURNED, [Size(4, 6)], Size(4, 6)),
    "turned, nothing drawn": (TURNED, [], Size(6, 4)),
    "turned, mostly another size": (TURNED, [Size(9, 9), Size(9, 9), Size(6, 4)], Size(6, 4)),
    "not at hand": (None, [Size(4, 6), None], Size(4, 6)),
}
UNTOLD: dict[str, tuple[bytes | None, list[Size | None]]] = {
    "another size": (image_file(), [Size(9, 9)]),
    "two other sizes": (image_file(), [Size(9, 9), Size(8, 8)]),
    "truncated": (image_file()[:30], [Size(4, 6)]),
    "empty": (b"", []),
    "a page": (b"<html>", [Size(4, 6)]),
    "not at hand, nothing said": (None, []),
    "not at hand, two sizes": (None, [Size(4, 6), Size(6, 4)]),
}


@pytest.mark.parametrize("case", TOLD)
def test_the_size_is_that_of_the_image_as_it_was_drawn_on(tmp_path: Path, case: str) -> None:
    file, drawn_on, size = TOLD[case]
    path = None if file is None else put(tmp_path, {"a.png": file}) / "a.png"
    assert size_of(path, drawn_on) == size


@pytest.mark.parametrize("case", UNTOLD)
def test_a_size_that_cannot_be_told_is_refused(tmp_path: Path, case: str) -> None:
    file, drawn_on = UNTOLD[case]
    path = None if file is None else put(tmp_path, {"a.png": file}) / "a.png"
    with pytest.raises(DatasetError) as caught:
        size_of(path, drawn_on)
    assert caught.value.hint
