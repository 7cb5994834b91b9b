"""The pixels of DICOM frames, a frame at a time, and how the file says that they are shown."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, JPEGExtended12Bit

from edgeflow.arrays import RGBImage
from edgeflow.images import quiet_decoders
from edgeflow.volumes.dicom.codestream import codestream_size, is_subsampled
from edgeflow.volumes.dicom.decoder import DecodingError, FrameDecoder
from edgeflow.volumes.dicom.files import damaged, open_dicom
from edgeflow.volumes.dicom.frames import Frame
from edgeflow.volumes.volume import PageValues, VolumeError
from edgeflow.volumes.windows import Function, Shown, Table, Window

_FLOATS = ("FloatPixelData", "DoubleFloatPixelData")
_LUT_ENTRIES = 1 << 16
_CONVERT = "convert it to Explicit VR Little Endian, such as by dcmtk's dcmdjpeg or gdcmconv"
_DECODING = (
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
)  # fmt: skip
"""All that the decoder of a frame must know."""


class DicomPages:
    """The pages of a volume. The last file stays open, since its frames follow each other.

    Args:
        frames: In the volume's order.
    """

    def __init__(self, frames: tuple[Frame, ...]) -> None:
        self.frames = frames
        self._open: tuple[Path, FileDataset] | None = None
        self._decoder = FrameDecoder()

    def __getitem__(self, index: int) -> PageValues:
        """See :class:`edgeflow.volumes.volume.Pages`."""
        frame = self.frames[index]
        if self._open is None or self._open[0] != frame.path:
            self._open = None
            self._open = frame.path, open_dicom(frame.path)
        return read_page(self._open[1], frame, self._decoder)


def read_page(dataset: FileDataset, frame: Frame, decoder: FrameDecoder) -> PageValues:
    """Decode a frame.

    Args:
        dataset: The whole file.
        frame: One of its frames.
        decoder: Decodes it if it is compressed.

    Raises:
        VolumeError: It cannot be decoded, or is not what the file claims.
    """
    path = frame.path
    try:
        with warnings.catch_warnings(), quiet_decoders():
            warnings.simplefilter("ignore")
            pixels = _decoded(dataset, frame, _checked(dataset, frame), decoder)
            if frame.colour:
                return PageValues(_colour(pixels, dataset))
            return _grey(pixels, dataset, frame.plane.frame - 1)
    except VolumeError:
        raise
    except Exception as error:  # decoders raise almost anything on damaged or hostile bytes
        raise damaged(path, error) from error


def _decoded(
    dataset: FileDataset, frame: Frame, data: bytes | None, decoder: FrameDecoder
) -> npt.NDArray[Any]:
    if data is not None:
        values = frame.size.height * frame.size.width * int(dataset.get("SamplesPerPixel") or 1)
        try:
            pixels = decoder.decode(_alone(dataset, data), values)
        except DecodingError as error:
            raise VolumeError(
                f"{frame.path} is damaged, or of a rare kind of "
                f"{UID(str(dataset.file_meta.TransferSyntaxUID)).name}: {error.message}",
                hint="export it anew, or as Explicit VR Little Endian",
            ) from error
    else:
        pixels = pixel_array(dataset, index=frame.plane.frame - 1)
    if pixels.shape[:2] != frame.size:
        raise VolumeError(
            f"{frame.path} has pixels for another size than it says", hint="export it anew"
        )
    return pixels


def _alone(dataset: FileDataset, data: bytes) -> bytes:
    """A DICOM file of nothing but a compressed frame and what its decoder must know."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    alone = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    for name in _DECODING:
        if name in dataset:
            alone[name] = dataset[name]
    if str(alone.get("PhotometricInterpretation")) == "RGB" and is_subsampled(data):
        alone.PhotometricInterpretation = "YBR_FULL_422"
    alone.PixelData = encapsulate([data])
    alone["PixelData"].VR = "OB"
    alone["PixelData"].is_undefined_length = True
    file = io.BytesIO()
    dcmwrite(file, alone, enforce_file_format=False)
    return file.getvalue()


def _checked(dataset: FileDataset, frame: Frame) -> bytes | None:
    """Refuse a file that claims more than it holds, or needs a decoder that is not there.

    Returns:
        The compressed frame; None of a file that is not compressed.
    """
    path, syntax = frame.path, UID(str(dataset.file_meta.TransferSyntaxUID))
    if not any(name in dataset for name in ("PixelData", *_FLOATS)):
        raise VolumeError(f"{path} has no pixels", hint="export it anew, with its pixels")
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        decoder = None
    if decoder is None or not decoder.is_available:
        raise VolumeError(
            f"{path} is compressed in a way that cannot be read: {syntax.name!a}",
            hint=_CONVERT,
        )
    frames = int(dataset.get("NumberOfFrames") or 1)
    samples = int(dataset.get("SamplesPerPixel") or 1)
    if samples not in (1, 3):
        raise VolumeError(f"{path} has {samples} values a pixel", hint="1 and 3 can be shown")
    if syntax.is_encapsulated:
        if syntax == JPEGExtended12Bit and int(dataset.get("BitsStored") or 0) > 8:
            raise VolumeError(
                f"{path} is compressed in a way that cannot be read: {syntax.name!a} of "
                f"{dataset.BitsStored} bits",
                hint=_CONVERT,
            )
        data = get_frame(dataset.PixelData, frame.plane.frame - 1, number_of_frames=frames)
        claimed = codestream_size(data)
        if claimed is not None and claimed != frame.size:
            raise VolumeError(
                f"{path} says {frame.size.width}×{frame.size.height} pixels, and its compressed "
                f"frame says {claimed[1]}×{claimed[0]}",
                hint="export it anew",
            )
        return data
    bits = int(dataset.get("BitsAllocated") or 0) * samples * frame.size.height * frame.size.width
    if str(dataset.get("PhotometricInterpretation")) == "YBR_FULL_422":
        bits = bits * 2 // 3
    name = next(name for name in ("PixelData", *_FLOATS) if name in dataset)
    held, wanted = len(dataset[name].value), (bits * frames + 7) // 8
    if held < wanted:
        raise VolumeError(
            f"{path} is cut off: its {frames} frames need {wanted} bytes of pixels, it has {held}",
            hint="fetch or export it anew",
        )
    return None


def _grey(pixels: npt.NDArray[Any], dataset: Dataset, index: int) -> PageValues:
    groups = [
        *(dataset.get("PerFrameFunctionalGroupsSequence") or [])[index : index + 1],
        *(dataset.get("SharedFunctionalGroupsSequence") or [])[:1],
    ]
    rescale = _group(dataset, groups, "PixelValueTransformationSequence", "RescaleSlope")
    values = pixels.astype(np.float32)
    padding = dataset.get("PixelPaddingValue")
    if table := _table(dataset.get("ModalityLUTSequence"), values.min() < 0):
        values, padding = table.look_up(values), None
    else:
        slope = float(rescale.get("RescaleSlope", 1) or 1)
        intercept = float(rescale.get("RescaleIntercept", 0) or 0)
        values = values * np.float32(slope) + np.float32(intercept)
        padding = None if padding is None else float(padding) * slope + intercept
    inverted = str(dataset.get("PhotometricInterpretation")) == "MONOCHROME1"
    if shape := dataset.get("PresentationLUTShape"):  # it says so itself, or else the above does
        inverted = str(shape) == "INVERSE"
    window = _group(dataset, groups, "FrameVOILUTSequence", "WindowCenter")
    own = _table(dataset.get("VOILUTSequence"), values.min() < 0) or _window(window)
    return PageValues(values, own, inverted, padding)


def _group(dataset: Dataset, groups: list[Dataset], sequence: str, name: str) -> Dataset:
    """The part of a file that has a value: the frame's, that of all frames, or the whole."""
    for group in groups:
        parts: Sequence[Dataset] = group.get(sequence) or []
        for part in parts[:1]:
            if name in part:
                return part
    return dataset


def _window(dataset: Dataset) -> Shown | None:
    """The first window of a file."""
    centre, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    function = str(dataset.get("VOILUTFunction") or "LINEAR")
    if centre is None or width is None or width <= 0:
        return None
    known: dict[str, Function] = {"LINEAR_EXACT": "LINEAR_EXACT", "SIGMOID": "SIGMOID"}
    return Window(centre, width, known.get(function, "LINEAR"))


def _first(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except TypeError:  # several
        number = float(value[0])  # type: ignore[index]
    return number if np.isfinite(number) else None


def _table(sequence: Sequence[Dataset] | None, signed: bool) -> Table | None:
    """The first look-up table of a sequence."""
    if not sequence:
        return None
    item = sequence[0]
    count, first, bits = (int(each) for each in item.LUTDescriptor)
    count = count or _LUT_ENTRIES
    data = item.LUTData
    raw = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.atleast_1d(np.array(data))
    entries = raw[:count].astype(np.float32)
    if not entries.size:
        return None
    if signed and first >= 1 << 15:
        first -= 1 << 16
    return Table(first, entries, float(2 ** min(max(bits, 1), 16) - 1))


def _colour(pixels: npt.NDArray[Any], dataset: Dataset) -> RGBImage:
    bits = int(dataset.get("BitsStored") or 16)
    if str(dataset.get("PhotometricInterpretation")) == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
        bits = int(dataset.RedPaletteColorLookupTableDescriptor[2])
    if pixels.ndim != 3 or pixels.shape[2] < 3:
        raise VolumeError("colours of a kind that cannot be shown")
    pixels = pixels[..., :3]
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, dtype=np.uint8)
    bits = bits if pixels.dtype.itemsize == 2 else 16
    part = pixels.astype(np.float32) / (2 ** max(bits, 8) - 1)
    return np.asarray((part * 255).clip(0, 255), dtype=np.uint8)
