"""Each transfer syntax and kind of colour that is read, and each that is refused by its name."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gdcm  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    JPEG2000,
    MPEG4HP41,
    UID,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from edgeflow.volumes.dicom.decoder import FrameDecoder
from edgeflow.volumes.dicom.files import open_dicom
from edgeflow.volumes.dicom.frames import frames_of
from edgeflow.volumes.dicom.pixels import read_page
from edgeflow.volumes.volume import PageValues, VolumeError
from tests.unit.edgeflow.volumes.scans import scan, slice_of

HEIGHT, WIDTH = 48, 64
GREY = scan(1, 64)[0]
ROW, COLUMN = np.mgrid[:HEIGHT, :WIDTH]
RGB = np.stack((COLUMN * 4, ROW * 5, np.full_like(ROW, 128)), axis=-1).astype(np.uint8)
YBR = convert_color_space(RGB, "RGB", "YBR_FULL")
INDEX = (COLUMN // 16 + 4 * (ROW // 16)).astype(np.uint8)
BYTES: dict[str, Any] = {
    "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0,
    "Rows": HEIGHT, "Columns": WIDTH,
}  # fmt: skip
TWELVE: dict[str, Any] = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0}

Pixels = npt.NDArray[Any]


class Case(NamedTuple):
    """A file.

    Attributes:
        write: Writes it.
        values: What a page of it has.
        away: How far it may be off, being lossy.
    """

    write: Callable[[Path], object]
    values: Pixels
    away: float = 0


@pytest.fixture(scope="module")
def decoder() -> FrameDecoder:
    """One for all files: what one of them does to it is of no matter to the next."""
    return FrameDecoder()


def page(path: Path, decoder: FrameDecoder) -> PageValues:
    return read_page(open_dicom(path), frames_of(path)[0], decoder)


def colour(pixels: Pixels, kind: str = "RGB", **tags: Any) -> FileDataset:
    more = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "PhotometricInterpretation": kind}
    return slice_of(pixels, 0, **(BYTES | more | tags))


def plain(dataset: FileDataset) -> Callable[[Path], object]:
    return lambda path: dataset.save_as(path, enforce_file_format=True)


def by_pydicom(dataset: FileDataset, syntax: UID, **options: Any) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        dataset.compress(syntax, **options)
        dataset.save_as(path, enforce_file_format=True)

    return write


def by_gdcm(dataset: FileDataset, syntax: UID) -> Callable[[Path], object]:
    """By a library that also writes lossless JPEG."""

    def write(path: Path) -> None:
        dataset.save_as(path, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()

    return write


def wrapped(dataset: FileDataset, data: bytes, syntax: UID) -> Callable[[Path], object]:
    """A compressed frame that was made elsewhere."""
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([data])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return plain(dataset)


def jpeg(pixels: Pixels, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def palette(table: npt.NDArray[np.integer[Any]], bits: int) -> FileDataset:
    """A file whose pixels are places in tables of colours: 3×N."""
    dataset = slice_of(INDEX, 0, **BYTES, PhotometricInterpretation="PALETTE COLOR")
    for name, entries in zip(("Red", "Green", "Blue"), table, strict=True):
        data = entries.astype("<u2" if bits == 16 else "u1").tobytes()
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [len(entries), 0, bits])
        setattr(dataset, f"{name}PaletteColorLookupTableData", data)
    return dataset


def halved() -> FileDataset:
    """YBR whose colours are stored once for two pixels: Y Y B R."""
    light = YBR[..., 0].reshape(HEIGHT, WIDTH // 2, 2)
    pairs = np.dstack((light, YBR[:, ::2, 1], YBR[:, ::2, 2]))
    return colour(pairs, "YBR_FULL_422")


def grey() -> FileDataset:
    return slice_of(GREY, 0)


def cases() -> dict[str, Case]:
    twelve = (GREY.astype(np.int32) + 1024).clip(0, 4095).astype(np.uint16)
    small = np.random.default_rng(0).integers(0, 256, (3, 12))
    large = np.random.default_rng(1).integers(0, 1 << 16, (3, 12))
    bright = (COLUMN * 4).astype(np.uint8)
    halves = jpeg(RGB, subsampling=2)
    bare = halves[:2] + halves[2 + 2 + int.from_bytes(halves[4:6], "big") :]  # without JFIF
    found = {
        "grey, JPEG-LS, lossy": Case(
            by_pydicom(grey(), JPEGLSNearLossless, jls_error=2), GREY, away=2
        ),
        "grey, JPEG 2000, lossy": Case(by_pydicom(grey(), JPEG2000, j2k_psnr=[100]), GREY, away=9),
        "grey, JPEG": Case(
            wrapped(slice_of(bright, 0, **BYTES), jpeg(bright), JPEGBaseline8Bit), bright, 2
        ),
        "grey, JPEG extended, 8 bits": Case(
            wrapped(slice_of(bright, 0, **BYTES), jpeg(bright), JPEGExtended12Bit), bright, 2
        ),
        "RGB, colour by pixel": Case(plain(colour(RGB)), RGB),
        "RGB, colour by plane": Case(
            plain(colour(np.moveaxis(RGB, 2, 0), PlanarConfiguration=1)), RGB
        ),
        "YBR": Case(plain(colour(YBR, "YBR_FULL")), RGB, 1),
        "YBR, halved": Case(plain(halved()), RGB, 4),
        "YBR, RLE": Case(by_pydicom(colour(YBR, "YBR_FULL"), RLELossless), RGB, 1),
        "YBR, JPEG": Case(
            wrapped(colour(RGB, "YBR_FULL_422"), jpeg(RGB, subsampling=1), JPEGBaseline8Bit), RGB, 5
        ),
        "RGB, JPEG": Case(
            wrapped(colour(RGB), jpeg(RGB, keep_rgb=True, subsampling=0), JPEGBaseline8Bit), RGB, 2
        ),
        "YBR that is called RGB, JPEG": Case(
            wrapped(colour(RGB), bare, JPEGBaseline8Bit), RGB, 5
        ),
        "palette of 8 bits": Case(plain(palette(small, 8)), np.moveaxis(small[:, INDEX], 0, -1)),
        "palette of 16 bits": Case(
            plain(palette(large, 16)), np.moveaxis(large[:, INDEX], 0, -1) / 65535 * 255, 1
        ),
    }  # fmt: skip
    for syntax in (JPEGLossless, JPEGLosslessSV1):
        found[f"12 bits, {syntax.name}"] = Case(
            by_gdcm(slice_of(twelve, 0, **TWELVE), syntax), twelve
        )
    for syntax in (JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless):
        found[f"signed, {syntax.name}"] = Case(by_gdcm(grey(), syntax), GREY)
        found[f"RGB, {syntax.name}"] = Case(by_gdcm(colour(RGB), syntax), RGB)
    return found


@pytest.mark.parametrize("name", cases())
def test_what_a_file_holds_is_on_its_page(name: str, decoder: FrameDecoder, tmp_path: Path) -> None:
    case, path = cases()[name], tmp_path / "slice.dcm"
    case.write(path)
    values = page(path, decoder).values
    assert values.shape == case.values.shape
    assert np.abs(values.astype(np.float64) - case.values).max() <= case.away


@pytest.mark.parametrize(
    ("syntax", "said"),
    [
        (MPEG4HP41, "'MPEG-4 AVC/H.264 High Profile / Level 4.1'"),
        (UID("1.2.840.10008.1.2.1.98"), "'Encapsulated Uncompressed Explicit VR"),
        (UID("1.2.840.10008.1.2.4.92"), "'JPEG 2000 Part 2 Multi-component"),
        (UID("1.2.276.0.99.1"), "'1.2.276.0.99.1'"),
        (JPEGExtended12Bit, "'JPEG Extended (Process 2 and 4)' of 12 bits"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(
    syntax: UID, said: str, decoder: FrameDecoder, tmp_path: Path
) -> None:
    wrapped(slice_of(GREY.astype(np.uint16), 0, **TWELVE), b"a frame.", syntax)(tmp_path / "a.dcm")
    with pytest.raises(VolumeError, match="compressed in a way that cannot be read") as caught:
        page(tmp_path / "a.dcm", decoder)
    assert said in caught.value.message
    assert "dcmdjpeg" in caught.value.hint


@pytest.mark.parametrize(
    "syntax",
    [JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless, HTJ2KLossless],
)
def test_a_frame_that_is_cut_off_is_refused(
    syntax: UID, decoder: FrameDecoder, tmp_path: Path
) -> None:
    path = tmp_path / "slice.dcm"
    by_gdcm(slice_of(GREY, 0), JPEG2000Lossless if syntax == HTJ2KLossless else syntax)(path)
    dataset = dcmread(path)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    wrapped(dataset, frame[: len(frame) * 9 // 10], syntax)(path)
    with pytest.raises(VolumeError, match="is damaged, or of a rare kind of ") as caught:
        page(path, decoder)
    assert syntax.name in caught.value.message
    assert "\n" not in caught.value.message
