from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeflow.arrays import RGBImage
from edgeflow.data.base import DatasetError
from edgeflow.export.pictures import FilePicture, copy_of
from edgeflow.geometry import Size
from edgeflow.images import decode_image
from tests.unit.edgeflow.export.exported import PixelPicture

ORIENTATION = 0x0112


def photo(kind: str, orientation: int = 1) -> bytes:
    rows, cols = np.mgrid[:16, :24]
    pixels = np.stack((rows * 12, cols * 8, rows * 0), axis=-1).astype(np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    buffer = io.BytesIO()
    options = {"quality": 95} if kind == "JPEG" else {}
    Image.fromarray(pixels).save(buffer, kind, exif=exif, **options)
    return buffer.getvalue()


def as_trainers_read(data: bytes) -> RGBImage:
    """Without regard to EXIF, as many do."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_copied_byte_for_byte(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(photo(kind))
    copy = copy_of(FilePicture(path, Size(16, 24)))
    assert (copy.data, copy.suffix, copy.original) == (photo(kind), None, path)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_turned_picture_is_saved_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(photo(kind, orientation))
    size = Size(24, 16) if orientation >= 5 else Size(16, 24)
    copy = copy_of(FilePicture(path, size))
    assert copy.original is None
    shown = decode_image(photo(kind, orientation)).astype(int)
    assert np.abs(as_trainers_read(copy.data) - shown).max() <= (6 if kind == "JPEG" else 0)
    assert (decode_image(copy.data) == as_trainers_read(copy.data)).all()


def test_what_browsers_do_not_turn_is_not_turned_for_those_that_would(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(photo("WEBP", 6))
    copy = copy_of(FilePicture(path, Size(16, 24)))
    assert copy.suffix == ".png"
    assert (as_trainers_read(copy.data) == decode_image(photo("WEBP", 6))).all()
    assert Image.open(io.BytesIO(copy.data)).getexif().get(ORIENTATION, 1) == 1


def test_pixels_become_a_png() -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    copy = copy_of(PixelPicture(pixels))
    assert (copy.suffix, copy.original) == (".png", None)
    assert (as_trainers_read(copy.data) == pixels).all()


def test_a_picture_that_is_gone_or_damaged_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="missing"):
        copy_of(FilePicture(tmp_path / "gone.jpg", Size(1, 1)))
    (tmp_path / "a.jpg").write_bytes(photo("JPEG", 6)[:40])
    with pytest.raises(DatasetError):
        FilePicture(tmp_path / "a.jpg", Size(16, 24)).rgb()
    assert copy_of(FilePicture(tmp_path / "a.jpg", Size(16, 24))).original is not None


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    before = FilePicture(path, Size(1, 1)).stamp()
    path.write_bytes(b"22")
    assert FilePicture(path, Size(1, 1)).stamp() != before
