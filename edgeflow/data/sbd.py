"""SBD, the Semantic Boundaries Dataset (Hariharan et al., ICCV 2011)."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeflow.data.annotation_files.voc_classes import class_name
from edgeflow.data.base import DatasetError
from edgeflow.data.label_maps import Annotation, split_labels
from edgeflow.data.paired import PairedDataset
from edgeflow.data.splits import choose_split, listed_pairs, splits_in

MAX_BYTES = 1 << 20
"""Published files have up to 50 kB. They are compressed, so this bounds memory, too."""


class Sbd(PairedDataset):
    """``img/<id>.jpg`` and ``inst/<id>.mat``; no pixel is ignored.

    Args:
        root: Folder of these two and the lists, or the one that holds it as ``dataset``.
        split: List, ``train`` or ``val``; may be None where there is only one list.

    Raises:
        DatasetError: There is no such list, none is chosen, or SciPy is missing.
    """

    def __init__(self, root: Path, split: str | None = None) -> None:
        home = _home(root) or root
        chosen = choose_split(splits_in(home), split, str(home))
        pairs = listed_pairs(home, chosen, (home / "img", ".jpg"), (home / "inst", ".mat"))
        _require_scipy()
        super().__init__(f"{root.name} {chosen}", pairs, read_instances)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there."""
        return _home(path) is not None


def read_instances(data: bytes, source: str) -> Annotation:
    """The objects of a ``.mat`` file: ``GTinst.Segmentation``, H×W, 0 background, k object k.

    Class names are those of ``GTinst.Categories``, which counts VOC's classes from 1.

    Raises:
        DatasetError: The file is not one of these.
    """
    _require_scipy()
    from scipy.io import loadmat  # noqa: PLC0415 - optional

    hint = "SBD's own files are in dataset/inst; see docs/datasets.md"
    if len(data) > MAX_BYTES:
        raise DatasetError(f"{source} has more than {MAX_BYTES} bytes", hint=hint)
    try:
        record = loadmat(io.BytesIO(data), variable_names=["GTinst"])["GTinst"]
        labels = np.asarray(record["Segmentation"].item())
        names = _class_names(record)
    except Exception as error:  # the parser raises almost anything on damaged or hostile bytes
        raise DatasetError(f"{source} is not a MATLAB file with GTinst", hint=hint) from error
    whole = labels.dtype.kind in "ui" or (
        labels.dtype.kind == "f" and bool((labels == np.floor(labels)).all())
    )
    if labels.ndim != 2 or not labels.size or not whole:
        raise DatasetError(f"{source}: GTinst.Segmentation is not a label map", hint=hint)
    if labels.min() < 0 or labels.max() > 65535:
        raise DatasetError(f"{source}: GTinst.Segmentation has labels out of range", hint=hint)
    annotation = split_labels(labels.astype(np.uint16), None, source)
    present = np.unique(labels[labels > 0]).astype(int).tolist()
    return replace(annotation, labels=tuple(names.get(number) for number in present))


def _class_names(record: Any) -> dict[int, str | None]:  # noqa: ANN401 - a MATLAB structure
    """Class names by object number: ``GTinst.Categories``, a VOC class for each object."""
    if "Categories" not in (record.dtype.names or ()):
        return {}
    categories = np.asarray(record["Categories"].item()).ravel().tolist()
    return {number: class_name(int(each)) for number, each in enumerate(categories, start=1)}


def _require_scipy() -> None:
    try:
        import scipy.io  # noqa: F401, PLC0415 - optional
    except ImportError as error:
        raise DatasetError(
            "SBD's annotations are MATLAB files, and SciPy, which reads them, is not installed",
            hint="pip install scipy",
        ) from error


def _home(root: Path) -> Path | None:
    for home in (root, root / "dataset"):
        if (home / "inst").is_dir() and (home / "img").is_dir():
            return home
    return None
