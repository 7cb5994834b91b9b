"""Pixels of every encoding and kind, and files that claim more than they hold."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from edgeflow.volumes.dicom import files
from edgeflow.volumes.dicom.codestream import codestream_size
from edgeflow.volumes.dicom.frames import MAX_FRAMES, frames_of
from edgeflow.volumes.dicom.pixels import DicomPages
from edgeflow.volumes.volume import PageValues, VolumeError
from edgeflow.volumes.windows import Table, Window
from tests.unit.edgeflow.volumes.scans import scan, slice_of

VALUES = scan(1, 64)[0]


def saved(dataset: FileDataset, folder: Path) -> Path:
    path = folder / "slice.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def first_page(path: Path) -> PageValues:
    return DicomPages(tuple(frames_of(path)))[0]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_compressed_slices_are_read_to_the_last_bit(syntax: UID, tmp_path: Path) -> None:
    dataset = slice_of(VALUES, 0)
    dataset.compress(syntax)
    np.testing.assert_array_equal(first_page(saved(dataset, tmp_path)).values, VALUES)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_slices_are_read_in_every_encoding(syntax: UID, tmp_path: Path) -> None:
    dataset = slice_of(VALUES, 0)
    dataset.file_meta.TransferSyntaxUID = syntax
    np.testing.assert_array_equal(first_page(saved(dataset, tmp_path)).values, VALUES)


def test_big_endian_slices_are_read(tmp_path: Path) -> None:
    dataset = slice_of(VALUES.byteswap(), 0)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    path = tmp_path / "slice.dcm"
    dcmwrite(path, dataset, implicit_vr=False, little_endian=False, force_encoding=True)
    np.testing.assert_array_equal(first_page(path).values, VALUES)


def test_values_are_rescaled_and_the_padding_with_them(tmp_path: Path) -> None:
    stored = (VALUES.astype(np.int32) + 1024).clip(0).astype(np.uint16)
    page = first_page(
        saved(
            slice_of(
                stored, 0, PixelRepresentation=0, RescaleSlope=2, RescaleIntercept=-1024,
                PixelPaddingValue=0,
            ),
            tmp_path,
        )
    )  # fmt: skip
    np.testing.assert_array_equal(page.values, stored.astype(np.float32) * 2 - 1024)
    assert page.padding == -1024


@pytest.mark.parametrize(
    ("tags", "window", "inverted"),
    [
        ({}, Window(60, 400), False),
        ({"WindowCenter": [1, 2], "WindowWidth": [30, 40]}, Window(1, 30), False),
        ({"VOILUTFunction": "SIGMOID"}, Window(60, 400, "SIGMOID"), False),
        ({"WindowWidth": 0}, None, False),
        ({"WindowCenter": None}, None, False),
        ({"PhotometricInterpretation": "MONOCHROME1"}, Window(60, 400), True),
        ({"PresentationLUTShape": "INVERSE"}, Window(60, 400), True),
    ],
)
def test_a_file_says_how_it_is_shown(
    tags: dict[str, Any], window: Window | None, inverted: bool, tmp_path: Path
) -> None:
    page = first_page(saved(slice_of(VALUES, 0, **tags), tmp_path))
    assert (page.own, page.inverted) == (window, inverted)


def test_a_table_comes_before_a_window(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor = [4, 0, 8]
    table.LUTData = np.array([0, 255, 51, 102], dtype="<u2").tobytes()
    stored = np.array([[0, 1], [2, 9]], dtype=np.uint16)
    dataset = slice_of(stored, 0, PixelRepresentation=0, VOILUTSequence=[table])
    page = first_page(saved(dataset, tmp_path))
    assert isinstance(page.own, Table)
    assert page.own.grey(page.values.astype(np.float32)).tolist() == [[0, 255], [51, 102]]


def test_colour_stays_colour(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    dataset = slice_of(
        rgb, 0, Rows=8, Columns=6, SamplesPerPixel=3, PlanarConfiguration=0, BitsAllocated=8,
        BitsStored=8, HighBit=7, PixelRepresentation=0, PhotometricInterpretation="RGB",
    )  # fmt: skip
    np.testing.assert_array_equal(first_page(saved(dataset, tmp_path)).values, rgb)


def refusal(path: Path) -> str:
    with pytest.raises(VolumeError) as caught:
        first_page(path)
    assert caught.value.hint
    assert str(path) in caught.value.message
    return caught.value.message


def encapsulated(frame: bytes, syntax: UID) -> FileDataset:
    dataset = slice_of(VALUES, 0)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    return dataset


def bombs() -> dict[str, tuple[FileDataset, str]]:
    cut = slice_of(VALUES, 0)
    cut.PixelData = cut.PixelData[:100]
    bare = slice_of(VALUES, 0)
    del bare.PixelData
    compressed = slice_of(np.zeros((2000, 128), dtype=np.int16), 0)
    compressed.compress(JPEG2000Lossless)
    other_size = encapsulated(b"later", JPEG2000Lossless)
    other_size.PixelData = compressed.PixelData
    return {
        "cut off": (cut, "is cut off: its 1 frames need 8192 bytes of pixels, it has 100"),
        "no pixels": (bare, "has no pixels"),
        "huge": (slice_of(VALUES, 0, Rows=65535, Columns=65535), "65535×65535 pixels, the limit"),
        "frames": (slice_of(VALUES, 0, NumberOfFrames=MAX_FRAMES + 1), "frames; 1 to"),
        "more frames": (slice_of(VALUES, 0, NumberOfFrames=9), "its 9 frames need"),
        "no size": (slice_of(VALUES, 0, Rows=0), "does not say how large"),
        "video": (encapsulated(b"video", MPEG2MPML), "cannot be read: 'MPEG2 Main Profile"),
        "not a JPEG": (encapsulated(b"\xff\xd8nothing", JPEGBaseline8Bit), "is damaged"),
        "other size": (other_size, "says 64×64 pixels, and its compressed frame says 128×2000"),
        "no series": (slice_of(VALUES, 0, SeriesInstanceUID=None), "no SeriesInstanceUID"),
        "no bits": (slice_of(VALUES, 0, BitsAllocated=None), "is damaged"),
    }


@pytest.mark.parametrize("kind", bombs())
def test_a_file_that_lies_or_lacks_is_refused_in_a_sentence(kind: str, tmp_path: Path) -> None:
    dataset, message = bombs()[kind]
    assert message in refusal(saved(dataset, tmp_path))


def test_a_deflated_file_unpacks_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = slice_of(np.zeros((1000, 1000), dtype=np.int16), 0)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = saved(dataset, tmp_path)
    monkeypatch.setattr(files, "MAX_BYTES", 1 << 20)
    assert path.stat().st_size < 1 << 20
    assert "unpacks to more than 1 MiB" in refusal(path)


@pytest.mark.parametrize("kept", [0, 131, 140, 300, 700])
def test_a_truncated_file_is_refused(kept: int, tmp_path: Path) -> None:
    path = saved(slice_of(VALUES, 0), tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    refusal(path)


def test_damaged_bytes_never_end_in_another_error(tmp_path: Path) -> None:
    path = saved(slice_of(VALUES[:4, :4], 0), tmp_path)
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(150):
        damaged: npt.NDArray[np.uint8] = data.copy()
        places = rng.integers(132, len(data), 6)
        damaged[places] = rng.integers(0, 256, 6)
        path.write_bytes(damaged.tobytes())
        try:
            first_page(path)
        except VolumeError:
            refused += 1
    assert refused > 10


def test_a_codestream_tells_its_size() -> None:
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01"
    assert codestream_size(jpeg) == (16, 32)
    assert codestream_size(zlib.compress(b"anything")) is None
    assert codestream_size(io.BytesIO(b"\xff\xd8\xff").getvalue()) is None
