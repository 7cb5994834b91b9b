"""DICOM files, opened within bounds: what they claim is checked before it is believed."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from edgeflow.errors import brief
from edgeflow.volumes.volume import VolumeError

MAX_BYTES = 1 << 30
"""Of a file, and of what a deflated one unpacks to."""

_PREAMBLE = 132
"""Bytes before the first element; the last of them are the following."""
_MAGIC = b"DICM"


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do."""
    with path.open("rb") as file:
        return file.read(_PREAMBLE)[-len(_MAGIC) :] == _MAGIC


def open_dicom(path: Path, tags: Sequence[str] | None = None) -> FileDataset:
    """Read a file.

    Args:
        path: DICOM file, untrusted.
        tags: Keywords of all that is read; None for everything, the pixels too.

    Raises:
        VolumeError: It is no DICOM file, or damaged, or larger than is allowed.
    """
    if path.stat().st_size > MAX_BYTES:
        raise VolumeError(
            f"{path} is larger than {MAX_BYTES >> 20} MiB", hint="split it into single frames"
        )
    if not is_dicom(path):
        raise VolumeError(
            f"{path} is not a DICOM file", hint="name a .dcm file, or a folder with such files"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that break a rule and can be read
            source: Path | io.BytesIO = path
            meta = pydicom.filereader.read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                source = _inflated(path, meta)
            dataset = pydicom.dcmread(
                source,
                stop_before_pixels=tags is not None,
                specific_tags=None if tags is None else list(tags),
            )
    except VolumeError:
        raise
    # pydicom raises almost anything on damaged or hostile bytes.
    except Exception as error:
        raise damaged(path, error) from error
    if "TransferSyntaxUID" not in dataset.file_meta:
        raise VolumeError(
            f"{path} does not say how it is encoded: it has no TransferSyntaxUID",
            hint="export it anew",
        )
    return dataset


def damaged(path: Path, error: Exception) -> VolumeError:
    """The error for a file whose content cannot be read."""
    reason = brief(error) or type(error).__name__
    return VolumeError(f"{path} is damaged: {reason!a}", hint="export it anew")


def _inflated(path: Path, meta: FileMetaDataset) -> io.BytesIO:
    """A deflated file as one that is not, of bounded size; pydicom knows no bound."""
    data = path.read_bytes()
    start = _PREAMBLE + 12 + int(meta.FileMetaInformationGroupLength)
    packed = zlib.decompressobj(-zlib.MAX_WBITS)
    body = packed.decompress(data[start:], MAX_BYTES)
    if packed.unconsumed_tail:
        raise VolumeError(
            f"{path} unpacks to more than {MAX_BYTES >> 20} MiB", hint="split it into single frames"
        )
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    file.write(data[:_PREAMBLE])
    buffer = pydicom.filebase.DicomBytesIO()
    write_file_meta_info(buffer, meta, enforce_standard=False)
    file.write(buffer.getvalue())
    file.write(body)
    file.seek(0)
    return file
