"""Masks as DICOM Segmentation objects (PS3.3, A.51), a segment for each label."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from itertools import groupby

import highdicom
import numpy as np
import numpy.typing as npt
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

import edgeflow
from edgeflow.errors import brief
from edgeflow.export.classes import Classes
from edgeflow.volumes.dicom.files import open_dicom
from edgeflow.volumes.dicom.frames import Frame
from edgeflow.volumes.masks import VolumeMasks
from edgeflow.volumes.volume import VolumeError

_GEOMETRY = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
    "FrameOfReferenceUID", "Rows", "Columns", "NumberOfFrames", "ImageOrientationPatient",
    "ImagePositionPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "InstanceNumber",
)  # fmt: skip
"""What a segmentation needs of its source; none of it tells of the patient."""

_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_GROUP_PARTS = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
    "StudyDate", "StudyTime", "ReferringPhysicianName",
)  # fmt: skip
"""What must be there, and may be empty."""

_STRUCTURE = codes.SCT.AnatomicalStructure
CODES: dict[str, Code] = {
    "aorta": Code("15825003", "SCT", "Aorta"),
    "bladder": Code("89837001", "SCT", "Urinary bladder"),
    "bone": Code("272673000", "SCT", "Bone"),
    "brain": Code("12738006", "SCT", "Brain"),
    "heart": Code("80891009", "SCT", "Heart"),
    "kidney": Code("64033007", "SCT", "Kidney"),
    "liver": Code("10200004", "SCT", "Liver"),
    "lung": Code("39607008", "SCT", "Lung"),
    "pancreas": Code("15776009", "SCT", "Pancreas"),
    "prostate": Code("41216001", "SCT", "Prostate"),
    "spleen": Code("78961009", "SCT", "Spleen"),
    "stomach": Code("69695003", "SCT", "Stomach"),
}
"""What labels mean in SNOMED CT, by their names in lower case; others are some structure."""


def write_segmentations(masks: VolumeMasks, *, patient: bool = False) -> Iterator[bytes]:
    """DICOM files with a volume's masks: one, or one for each file of several frames.

    Args:
        masks: Of a volume that was read from DICOM.
        patient: Whether the source's patient and study are told; else their fields are empty, and
            UIDs alone say where the object belongs.

    Raises:
        VolumeError: The source lacks what a segmentation needs.
    """
    frames: Sequence[Frame] = masks.volume.pages.frames  # type: ignore[attr-defined]
    layers = masks.layers()
    several = any(frame.plane.frame > 1 for frame in frames)
    pages = list(range(len(frames)))
    if not several:
        yield _write(masks, frames, layers, patient=patient)
        return
    pages.sort(key=lambda page: frames[page].plane)
    for _, group in groupby(pages, key=lambda page: frames[page].plane.uid):
        own = list(group)
        if layers[own].any():
            yield _write(masks, [frames[page] for page in own], layers[own], patient=patient)


def _write(
    masks: VolumeMasks,
    frames: Sequence[Frame],
    layers: npt.NDArray[np.bool_],
    *,
    patient: bool,
) -> bytes:
    paths = dict.fromkeys(frame.path for frame in frames)
    sources = [_source(open_dicom(path, _wanted(patient)), patient=patient) for path in paths]
    if sources[0].get("NumberOfFrames", 1) > 1 and len(frames) < sources[0].NumberOfFrames:
        whole = np.zeros((sources[0].NumberOfFrames, *layers.shape[1:]), dtype=np.bool_)
        whole[[frame.plane.frame - 1 for frame in frames]] = layers
        layers = whole
    digest = _digest(masks, frames, layers)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = Segmentation(
                source_images=sources,
                pixel_array=layers,
                segmentation_type="BINARY",
                segment_descriptions=[
                    _segment(masks.classes, number)
                    for number in range(1, len(masks.classes.names) + 1)
                ],
                series_instance_uid=generate_uid(entropy_srcs=[digest, "series"]),
                series_number=1,
                sop_instance_uid=generate_uid(entropy_srcs=[digest, "instance"]),
                instance_number=1,
                manufacturer="EdgeFlow",
                manufacturer_model_name="edgeflow",
                software_versions=edgeflow.__version__,
                device_serial_number="0",
                content_label="SEGMENTATION",
            )
            buffer = io.BytesIO()
            made.save_as(buffer)
    except Exception as error:  # what highdicom asks of a source is in its errors alone
        reason = brief(error, 200) or type(error).__name__
        raise VolumeError(
            f"{masks.volume.said} cannot be a DICOM segmentation: {reason!a}",
            hint="choose --format nifti, or complete the source's tags",
        ) from error
    return buffer.getvalue()


def _wanted(patient: bool) -> tuple[str, ...]:
    return (*_GEOMETRY, *_GROUPS, "SpecificCharacterSet", *(_EMPTY if patient else ()))


def _source(dataset: Dataset, *, patient: bool) -> Dataset:
    """What highdicom may see of a source."""
    source = Dataset()
    source.file_meta = dataset.file_meta
    for name in _GEOMETRY:
        if name in dataset:
            source[name] = dataset[name]
    for name in _EMPTY:
        setattr(source, name, dataset.get(name, "") if patient else "")
    for name in _GROUPS:
        if name in dataset:
            setattr(source, name, [_kept(each) for each in dataset[name].value])
    return source


def _kept(group: Dataset) -> Dataset:
    kept = Dataset()
    for name in _GROUP_PARTS:
        if name in group:
            kept[name] = group[name]
    return kept


def _segment(classes: Classes, number: int) -> SegmentDescription:
    name = classes.names[number - 1]
    return SegmentDescription(
        segment_number=number,
        segment_label=name[:64].replace("\\", "/"),
        segmented_property_category=_STRUCTURE,
        segmented_property_type=CODES.get(name.lower(), _STRUCTURE),
        algorithm_type="SEMIAUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="EdgeFlow", family=codes.DCM.ArtificialIntelligence, version=edgeflow.__version__
        ),
        display_color=CIELabColor.from_rgb(*classes.colour(number)),
    )


def _digest(masks: VolumeMasks, frames: Sequence[Frame], layers: npt.NDArray[np.bool_]) -> str:
    """The same for the same masks, so that a second run makes the same objects."""
    digest = hashlib.sha256(np.packbits(layers).tobytes())
    digest.update(repr((masks.classes.names, [frame.plane for frame in frames])).encode())
    return digest.hexdigest()
