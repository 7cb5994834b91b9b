"""Synthetic scans: an ellipsoid organ in a body, written as DICOM slices or NIfTI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

PATIENT = "Mustermann^Erika"
"""Stands in every identifying tag of a scan, and in a private one."""

HU_BODY, HU_ORGAN, HU_AIR = 40, 160, -1000

Values = npt.NDArray[np.int16]
"""Page, row, column, in Hounsfield units."""


Change = Callable[[FileDataset, int], None]
"""What is done to the slice of a page, from 0."""


def uid(*parts: object) -> str:
    return str(generate_uid(entropy_srcs=["scan", *map(str, parts)]))


def organ(pages: int = 24, side: int = 128) -> npt.NDArray[np.bool_]:
    """Page, row, column: an ellipsoid that moves to the right as it goes up."""
    page, row, column = np.mgrid[:pages, :side, :side].astype(np.float64)
    at = page / max(pages - 1, 1) * 2 - 1
    return np.asarray(
        ((row / side - 0.5) / 0.2) ** 2 + ((column / side - 0.45 - 0.05 * at) / 0.25) ** 2
        <= 1 - (at / 1.6) ** 2
    )


def scan(pages: int = 24, side: int = 128) -> Values:
    """The organ in an elliptic body in air, with noise."""
    row, column = np.mgrid[:side, :side] / side - 0.5
    body = (row / 0.42) ** 2 + (column / 0.47) ** 2 <= 1
    values = np.where(body, HU_BODY, HU_AIR)[None].repeat(pages, axis=0)
    values[organ(pages, side)] = HU_ORGAN
    noise = np.random.default_rng(0).normal(0, 8, values.shape)
    return np.asarray(values + noise, dtype=np.int16)


def slice_of(
    pixels: npt.NDArray[np.integer[Any]], page: int, *, series: str = "A", **tags: Any
) -> FileDataset:
    """A CT slice, 2.5 mm from the next, with the patient's name all over.

    Args:
        pixels: H×W int16, as stored.
        page: From 0, upwards.
        series: What its UID is made of.
        tags: To set, or with None to leave out.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(uid(series, page))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    values: dict[str, Any] = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": uid(series, page),
        "SeriesInstanceUID": uid(series), "StudyInstanceUID": uid("study"),
        "FrameOfReferenceUID": uid("frame"), "Modality": "CT", "InstanceNumber": 7 * page % 31 + 1,
        "PatientName": PATIENT, "PatientID": PATIENT, "ReferringPhysicianName": PATIENT,
        "SeriesDescription": PATIENT, "InstitutionName": PATIENT, "PatientComments": PATIENT,
        "StudyDate": "20260102", "StudyTime": "010203", "PatientBirthDate": "19500102",
        "PatientSex": "F", "AccessionNumber": "Mustermann", "StudyID": "Mustermann",
        "Rows": pixels.shape[-2], "Columns": pixels.shape[-1], "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 16,
        "HighBit": 15, "PixelRepresentation": 1, "RescaleSlope": 1, "RescaleIntercept": 0,
        "PixelSpacing": [0.8, 0.8], "SliceThickness": 2.5,
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [-50, -60, -30 + 2.5 * page],
        "WindowCenter": 60, "WindowWidth": 400,
    }  # fmt: skip
    for name, value in (values | tags).items():
        if value is not None:
            setattr(made, name, value)
    made.private_block(0x0011, "MAKER", create=True).add_new(1, "LO", PATIENT)
    made.PixelData = np.ascontiguousarray(pixels).tobytes()
    return made


def write_series(
    folder: Path,
    values: npt.NDArray[np.integer[Any]],
    change: Change | None = None,
    **tags: Any,
) -> list[Path]:
    """A file a slice, in an order and under names that say nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    names = np.random.default_rng(1).permutation(len(values))
    paths = []
    for page, (name, pixels) in enumerate(zip(names, values, strict=True)):
        dataset = slice_of(pixels, page, **tags)
        if change is not None:
            change(dataset, page)
        paths.append(folder / f"IM{name:04d}")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def multiframe(values: Values, order: list[int]) -> FileDataset:
    """An enhanced CT, its frames stored in an order of their own."""
    made = slice_of(
        values[order], 0, series="E", NumberOfFrames=len(values), SOPInstanceUID=uid("E"),
        ImageOrientationPatient=None, ImagePositionPatient=None, PixelSpacing=None,
        RescaleSlope=None, RescaleIntercept=None, WindowCenter=None, WindowWidth=None,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1",
    )  # fmt: skip
    shared = Dataset()
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[0.8, 0.8], SliceThickness=2.5)]
    shared.PixelValueTransformationSequence = [
        _item(RescaleSlope=1, RescaleIntercept=0, RescaleType="HU")
    ]
    made.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for page in order:
        frame = Dataset()
        frame.PlanePositionSequence = [_item(ImagePositionPatient=[-50, -60, -30 + 2.5 * page])]
        frame.FrameVOILUTSequence = [_item(WindowCenter=60, WindowWidth=400)]
        frames.append(frame)
    made.PerFrameFunctionalGroupsSequence = frames
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return item
