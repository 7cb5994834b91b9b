"""The frames of a DICOM file: what each is called, and where it lies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID, MediaStorageDirectoryStorage

from edgeflow.errors import brief
from edgeflow.geometry import Size
from edgeflow.images import MAX_PIXELS
from edgeflow.volumes.dicom.files import damaged, open_dicom
from edgeflow.volumes.volume import Plane, VolumeError

MAX_FRAMES = 5000
"""Of a file."""

Triple = tuple[float, float, float]
Orientation = tuple[float, float, float, float, float, float]
"""Cosines of a row's direction, from column to column, then of a column's."""

MARKS = (
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "EchoNumbers",
    "EchoTime",
    "DiffusionBValue",
    "TriggerTime",
    "NominalCardiacTriggerDelayTime",
    "ConvolutionKernel",
    "ImageType",
    "FrameType",
    "StackID",
)
"""What may tell pages at one position apart, the likeliest first. None identifies a person."""

_SEQUENCES = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
TAGS = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality",
    "Rows", "Columns", "NumberOfFrames", "InstanceNumber", "PhotometricInterpretation",
    "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "ImagerPixelSpacing",
    *MARKS, *_SEQUENCES,
)  # fmt: skip
"""All that is read of a file to put it in its place."""

NO_PICTURES = frozenset(("SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "SR", "PR", "KO", "REG", "DOC"))
"""Modalities that hold no pictures of a patient."""


class NoPicturesError(VolumeError):
    """A DICOM file that is sound and holds no pictures."""


@dataclass(frozen=True)
class Frame:
    """A frame of a file.

    Attributes:
        path: The file.
        plane: What it is called.
        series: SeriesInstanceUID.
        study: StudyInstanceUID.
        modality: Such as ``CT``.
        colour: Whether it is no greyscale.
        size: In pixels.
        number: InstanceNumber, if there is one.
        spacing: Millimetres from row to row, and from column to column.
        orientation: Of its rows and columns.
        position: Of its first pixel's centre, in millimetres.
        marks: Values of :data:`MARKS`, as text.
    """

    path: Path
    plane: Plane
    series: str
    study: str
    modality: str
    colour: bool
    size: Size
    number: int | None
    spacing: tuple[float, float] | None
    orientation: Orientation | None
    position: Triple | None
    marks: tuple[str, ...]

    @property
    def depth(self) -> float | None:
        """Its place along the slices' normal, in millimetres."""
        if self.position is None or self.orientation is None:
            return None
        return math.fsum(map(math.prod, zip(self.position, normal(self.orientation), strict=True)))


def normal(orientation: Orientation) -> Triple:
    """The direction in which pages follow each other: a row's times a column's."""
    a, b, c, d, e, f = orientation
    return b * f - c * e, c * d - a * f, a * e - b * d


def frames_of(path: Path) -> list[Frame]:
    """The frames of a file, in its order.

    Raises:
        NoPicturesError: It holds none.
        VolumeError: It cannot be read, or lacks what tells where it belongs.
    """
    dataset = open_dicom(path, TAGS)
    try:
        return list(_frames(path, dataset))
    except VolumeError:
        raise
    except Exception as error:  # values of a wrong kind, which pydicom converts when it is asked
        raise damaged(path, error) from error


def _frames(path: Path, dataset: Dataset) -> Iterator[Frame]:
    if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        raise NoPicturesError("DICOMDIR, a table of contents")
    modality = str(dataset.get("Modality") or "")
    if modality in NO_PICTURES:
        raise NoPicturesError(f"{modality} objects, which hold no pictures")
    uids = {name: str(dataset.get(name) or "") for name in ("SOPInstanceUID", "SeriesInstanceUID")}
    for name, uid in uids.items():
        if not UID(uid).is_valid:
            reason = f"its {name} is {brief(uid)!a}" if uid else f"it has no {name}"
            raise VolumeError(
                f"{path} cannot be told from others: {reason}", hint="export it anew, with its UIDs"
            )
    study = str(dataset.get("StudyInstanceUID") or "")
    size = _size(path, dataset)
    shared, each = (dataset.get(name) or [] for name in _SEQUENCES)
    count = int(dataset.get("NumberOfFrames") or 1)
    if not 1 <= count <= MAX_FRAMES:
        raise VolumeError(
            f"{path} says that it has {count} frames; 1 to {MAX_FRAMES} are read",
            hint="split it, if it is sound",
        )
    grey = str(dataset.get("PhotometricInterpretation") or "").startswith("MONOCHROME")
    number = dataset.get("InstanceNumber")
    for index in range(count):
        groups = [*(each[index : index + 1]), *shared[:1], dataset]
        cosines = _numbers(_find(groups, "PlaneOrientationSequence", "ImageOrientationPatient"), 6)
        where = _numbers(_find(groups, "PlanePositionSequence", "ImagePositionPatient"), 3)
        spacing = _numbers(_find(groups, "PixelMeasuresSequence", "PixelSpacing"), 2) or _numbers(
            dataset.get("ImagerPixelSpacing"), 2
        )
        yield Frame(
            path=path,
            plane=Plane(uids["SOPInstanceUID"], index + 1),
            series=uids["SeriesInstanceUID"],
            study=study if UID(study).is_valid else "",
            modality=modality[:16] if modality.isalnum() else "",
            colour=not grey,
            size=size,
            number=int(number) if number is not None else None,
            spacing=(spacing[0], spacing[1]) if spacing and min(spacing) > 0 else None,
            orientation=_orientation(cosines),
            position=(where[0], where[1], where[2]) if where else None,
            marks=tuple(_mark(groups, name) for name in MARKS),
        )


def _size(path: Path, dataset: Dataset) -> Size:
    rows, columns = dataset.get("Rows"), dataset.get("Columns")
    if rows is None and columns is None:
        raise NoPicturesError("objects without pictures")
    if not rows or not columns:
        raise VolumeError(f"{path} does not say how large it is", hint="export it anew")
    if int(rows) * int(columns) > MAX_PIXELS:
        raise VolumeError(
            f"{path} says that it has {columns}×{rows} pixels, the limit is {MAX_PIXELS}",
            hint="make it smaller, if it is sound",
        )
    return Size(int(rows), int(columns))


def _orientation(cosines: tuple[float, ...] | None) -> Orientation | None:
    """Cosines, if they are two directions at a right angle."""
    if cosines is None:
        return None
    row, column = cosines[:3], cosines[3:]
    lengths = [math.hypot(*row), math.hypot(*column)]
    slant = math.fsum(map(math.prod, zip(row, column, strict=True)))
    if not all(math.isclose(each, 1, abs_tol=0.01) for each in lengths) or abs(slant) > 0.01:
        return None
    a, b, c, d, e, f = cosines
    return a, b, c, d, e, f


def _find(groups: list[Dataset], sequence: str, name: str) -> object:
    """A value of a frame: its own, that of all frames, or that of the whole file."""
    for group in groups:
        for part in [*(group.get(sequence) or [])[:1], group]:
            if part.get(name) is not None:
                return part.get(name)
    return None


def _numbers(value: object, count: int) -> tuple[float, ...] | None:
    """A value as that many finite numbers; None if it is anything else."""
    try:
        numbers = tuple(float(each) for each in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None


_HOLDERS = {
    "TemporalPositionIndex": "FrameContentSequence",
    "StackID": "FrameContentSequence",
    "DiffusionBValue": "MRDiffusionSequence",
    "EchoTime": "MREchoSequence",
    "NominalCardiacTriggerDelayTime": "CardiacSynchronizationSequence",
    "FrameType": "MRImageFrameTypeSequence",
    "ConvolutionKernel": "CTReconstructionSequence",
}
"""Where enhanced objects keep a frame's marks."""


def _mark(groups: list[Dataset], name: str) -> str:
    value = (
        _find(groups, _HOLDERS.get(name, ""), name) if name in _HOLDERS else groups[-1].get(name)
    )
    return "" if value is None else brief(value)
