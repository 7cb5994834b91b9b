from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.files import files_by_stem, image_for, is_there, read_bytes, read_list
from edgeflow.data.listed import check_name, count_and_first
from edgeflow.geometry import Size
from edgeflow.images import decode_image
from tests.unit.edgeflow.data.making import encoded, huge_png, image_file, put, turned_image


def test_files_are_found_by_stem_sorted_and_without_hidden_ones(tmp_path: Path) -> None:
    put(tmp_path, dict.fromkeys(("b.JPG", "a.x.png", "._b.jpg", ".DS_Store", "notes.txt"), b""))
    found = files_by_stem(tmp_path, (".jpg", ".png"))
    assert list(found.items()) == [("a.x", tmp_path / "a.x.png"), ("b", tmp_path / "b.JPG")]


def test_files_that_differ_in_their_extension_alone_are_refused(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": b"", "a.png": b""})
    with pytest.raises(DatasetError, match=r"a\.jpg and .*a\.png have the same name"):
        files_by_stem(tmp_path, (".jpg", ".png"))


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot read .*nowhere: No such file"):
        files_by_stem(tmp_path / "nowhere", (".jpg",))


@pytest.mark.parametrize("name", ["gone.jpg", "x" * 300, "nul\0.jpg", "."])
def test_what_is_no_file_is_named_and_not_there(tmp_path: Path, name: str) -> None:
    assert not is_there(tmp_path / name)
    with pytest.raises(DatasetError):
        read_bytes(tmp_path / name)


def test_files_above_the_limit_are_not_read(tmp_path: Path) -> None:
    put(tmp_path, {"a.mat": b"12345"})
    assert read_bytes(tmp_path / "a.mat", 5) == b"12345"
    with pytest.raises(DatasetError, match="has 5 bytes, more than 4"):
        read_bytes(tmp_path / "a.mat", 4)


def test_lists_are_split_at_blanks(tmp_path: Path) -> None:
    put(tmp_path, {"val.txt": b"2007_1  1\r\n\n /a/b.jpg /c/d.png\n"})
    assert read_list(tmp_path / "val.txt") == [["2007_1", "1"], ["/a/b.jpg", "/c/d.png"]]


@pytest.mark.parametrize("content", [b"../secret", b"a/../../b", b"\xff\xfe", b"c:\\a", b"a\0b"])
def test_lists_with_what_is_no_relative_path_are_refused(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, {"val.txt": content})
    with pytest.raises(DatasetError, match=r"val\.txt"):
        read_list(tmp_path / "val.txt")


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "a\\b", "C:a", "a\nb", "a\ud800"],
)
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(DatasetError, match="not a name for an image") as caught:
        check_name(name, "x.tar")
    caught.value.message.encode()


@pytest.mark.parametrize(
    "name", ["a", "set/0001", "ü b/c..d", "..a", "Screenshot at 1.00\u202fPM", "全\u3000角"]
)
def test_ordinary_names_are_taken(name: str) -> None:
    check_name(name, "x.tar")


def test_long_lists_are_counted_and_begun() -> None:
    assert count_and_first("ab") == "2 (a, b)"
    assert count_and_first("abcdefg") == "7 (a, b, c, d, e, …)"


def test_an_image_comes_as_it_is_where_the_size_fits() -> None:
    data = image_file(4, 6, "PNG")
    rgb = image_for(data, Size(4, 6), "a.png", "m.png")
    assert rgb.shape == (4, 6, 3)
    assert rgb[3, 0].tolist() == [60, 0, 3]


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_an_image_on_its_side_is_brought_upright(orientation: int) -> None:
    data = turned_image(4, 6, orientation)
    rgb = image_for(data, Size(6, 4), "a.png", "m.png")
    assert np.array_equal(rgb, decode_image(data))
    assert rgb.shape == (6, 4, 3)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_it_stays_as_stored_where_only_that_fits_its_mask(orientation: int) -> None:
    data = turned_image(4, 6, orientation)
    stored = decode_image(image_file(4, 6, "PNG"))
    assert np.array_equal(image_for(data, Size(4, 6), "a.png", "m.png"), stored)


def test_an_image_of_another_size_than_its_mask_names_both() -> None:
    with pytest.raises(DatasetError, match=r"a\.png has 6×4 pixels, m\.png has 5×4") as caught:
        image_for(image_file(4, 6), Size(4, 5), "a.png", "m.png")
    assert caught.value.hint


@pytest.mark.parametrize("data", [b"", b"<html>", image_file()[:200], huge_png()])
def test_what_is_no_image_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(DatasetError, match=r"^a\.jpg: ") as caught:
        image_for(data, None, "a.jpg", "m.png")
    assert caught.value.hint


def test_without_a_size_any_image_will_do() -> None:
    grey = encoded(np.full((2, 3), 7, dtype=np.uint8))
    assert image_for(grey, None, "a.png", "m.png").tolist() == [[[7] * 3] * 3] * 2
