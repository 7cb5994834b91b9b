"""NIfTI: files to volumes, and masks to label maps; needs the extra ``dicom``."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)

from edgeflow.errors import brief
from edgeflow.geometry import Size
from edgeflow.images import MAX_PIXELS
from edgeflow.volumes.volume import Affine, PageValues, Plane, Volume, VolumeError

MAX_BYTES = 1 << 30
"""Of a file when it is unpacked."""

ENDINGS = (".nii", ".nii.gz")
_TURN = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Between DICOM's axes, left and back, and NIfTI's, right and forward."""


def is_nifti(path: Path) -> bool:
    """Whether a file is called as NIfTI files are."""
    return path.name.lower().endswith(ENDINGS)


class NiftiPages:
    """The pages of an array.

    Args:
        values: Column, row, page.
        own: The file's affine, before the array was turned.
    """

    def __init__(self, values: npt.NDArray[Any], own: Affine) -> None:
        self._values, self.own = values, own

    def __getitem__(self, index: int) -> PageValues:
        """See :class:`edgeflow.volumes.volume.Pages`."""
        return PageValues(np.ascontiguousarray(self._values[:, :, index].T, dtype=np.float32))


def read_nifti(path: Path) -> Volume:
    """Read a file. Its array is turned, by whole axes, to how viewers show it.

    Columns then run to the patient's left, rows to the back, and pages upwards; the affine says so.

    Raises:
        VolumeError: It cannot be read, is larger than allowed, or holds no stack of grey slices.
    """
    data = _read(path)
    try:
        values, affine = _content(data, path)
    except VolumeError:
        raise
    except Exception as error:  # nibabel raises almost anything on damaged bytes
        reason = brief(error) or type(error).__name__
        message = f"{path} is not readable NIfTI: {reason!a}"
        raise VolumeError(message, hint="save it anew") from error
    turn = _turn(affine, path)
    upright = apply_orientation(values, turn)
    lps = _TURN @ affine @ inv_ornt_aff(turn, values.shape)
    uid = hashlib.sha256(data).hexdigest()[:32]
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    columns, rows, count = upright.shape
    return Volume(
        name=f"nifti-{uid}",
        series=uid,
        study="",
        modality="",
        size=Size(rows, columns),
        planes=tuple(Plane(uid, number) for number in range(1, count + 1)),
        pages=NiftiPages(upright, affine),
        spacing=(float(spacing[1]), float(spacing[0])),
        distance=float(spacing[2]),
        affine=lps,
    )


def _content(data: bytes, path: Path) -> tuple[npt.NDArray[Any], Affine]:
    """The array of a file, column, row, page, and its affine. Raises almost anything."""
    image = _parse(data)
    shape, kind = image.shape, image.get_data_dtype()
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3 or min(shape) < 1:
        raise VolumeError(
            f"{path} holds an array of {len(shape)} axes, not one stack of slices",
            hint="save one time or channel of it",
        )
    if kind.fields is not None or kind.kind not in "iuf":
        raise VolumeError(f"{path} holds values of type {kind}", hint="save it as numbers")
    wanted = math.prod(map(int, shape)) * kind.itemsize
    if wanted > len(data):
        raise VolumeError(
            f"{path} is cut off: its {'×'.join(map(str, shape))} values need {wanted} bytes",
            hint="fetch it anew",
        )
    if max(shape[0] * shape[1], shape[1] * shape[2], shape[0] * shape[2]) > MAX_PIXELS:
        raise VolumeError(
            f"{path} has slices of more than {MAX_PIXELS} pixels", hint="make it smaller"
        )
    values = np.asanyarray(image.dataobj).reshape(shape)
    return values, np.asarray(image.affine, dtype=np.float64)


def write_nifti(labels: npt.NDArray[np.uint16], affine: Affine) -> bytes:
    """A label map as .nii.gz, the same bytes for the same map.

    Args:
        labels: Page, row, column; 0 for the background.
        affine: Of (column, row, page), as :class:`edgeflow.volumes.volume.Volume` has it.
    """
    kind = np.uint8 if labels.max(initial=0) < 256 else np.uint16
    image = nibabel.Nifti1Image(np.ascontiguousarray(labels.T.astype(kind)), _TURN @ affine)
    image.header.set_xyzt_units("mm")
    image.header.set_intent("label")
    image.set_qform(_TURN @ affine, code="scanner", strip_shears=True)
    image.set_sform(_TURN @ affine, code="scanner")
    return gzip.compress(image.to_bytes(), mtime=0)


def turned_back(
    labels: npt.NDArray[np.uint16], own: Affine
) -> tuple[npt.NDArray[np.uint16], Affine]:
    """A label map in the grid of the file that its pages came from, and that grid's affine.

    Args:
        labels: Page, row, column, as the pages were made.
        own: The file's affine, as NIfTI has it.
    """
    back = ornt_transform(axcodes2ornt("LPS"), io_orientation(own))
    return np.ascontiguousarray(apply_orientation(labels.T, back).T), _TURN @ own


def _turn(affine: Affine, path: Path) -> npt.NDArray[np.float64]:
    turn = ornt_transform(io_orientation(affine), axcodes2ornt("LPS"))
    if not np.isfinite(affine).all() or not np.isfinite(turn).all():
        raise VolumeError(f"{path} does not say where its axes point", hint="save its affine, too")
    return np.asarray(turn, dtype=np.float64)


def _parse(data: bytes) -> nibabel.Nifti1Image:
    kinds = (nibabel.Nifti1Image, nibabel.Nifti2Image)
    first = int.from_bytes(data[:4], "little"), int.from_bytes(data[:4], "big")
    return kinds[540 in first].from_bytes(data)


def _read(path: Path) -> bytes:
    """A file's content, unpacked, within bounds."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            source: Any = gzip.GzipFile(fileobj=file) if packed else file
            buffer = io.BytesIO()
            while piece := source.read(1 << 20):
                buffer.write(piece)
                if buffer.tell() > MAX_BYTES:
                    raise VolumeError(
                        f"{path} holds more than {MAX_BYTES >> 20} MiB", hint="save a part of it"
                    )
        except (EOFError, OSError, zlib.error) as error:
            raise VolumeError(f"{path} is cut off or damaged", hint="fetch it anew") from error
    return buffer.getvalue()
