"""The files that a volume's masks become."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from edgeflow.data.left_out import LeftOut
from edgeflow.export.format import Overlap
from edgeflow.volumes.dicom.segmentation import write_segmentations
from edgeflow.volumes.masks import VolumeMasks
from edgeflow.volumes.nifti import NiftiPages, turned_back, write_nifti
from edgeflow.volumes.volume import VolumeError


def files_of(
    masks: VolumeMasks,
    formats: Sequence[str],
    overlap: Overlap,
    left_out: list[LeftOut],
    *,
    patient: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files.

    Args:
        masks: Of one volume.
        formats: ``seg`` and ``nifti``, or one of them; of a NIfTI volume it is always ``nifti``.
        overlap: For NIfTI, in which a voxel has one label.
        left_out: Gets what a format has no place for.
        patient: See :func:`write_segmentations`.

    Raises:
        VolumeError: The volume lacks what a format needs.
        DatasetError: It would not fit into memory, or objects overlap that must not.
    """
    volume = masks.volume
    source = volume.pages if isinstance(volume.pages, NiftiPages) else None
    if "seg" in formats and source is None:
        made = list(write_segmentations(masks, patient=patient))
        for number, data in enumerate(made, start=1):
            yield f"{volume.name}-seg{'' if len(made) == 1 else f'-{number}'}.dcm", data
    if "nifti" in formats or source is not None:
        if volume.affine is None:
            raise VolumeError(
                "where its pages lie is not known, or they are not evenly apart, and NIfTI must "
                "tell",
                hint="choose --format seg",
            )
        labels, hidden = masks.label_map(overlap)
        left_out += hidden
        affine = volume.affine
        if source is not None:
            labels, affine = turned_back(labels, source.own)
        yield f"{volume.name}-labels.nii.gz", write_nifti(labels, affine)
        names = {str(number): name for number, name in enumerate(masks.classes.names, start=1)}
        yield f"{volume.name}-labels.json", json.dumps(names, ensure_ascii=False).encode()
