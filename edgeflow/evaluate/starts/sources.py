"""Where start masks come from: a table of kinds, or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import read_bytes
from edgeflow.data.label_maps import Annotation, any_value, binary, label_map
from edgeflow.data.layouts.davis585 import Davis585, object_files, start_file
from edgeflow.evaluate.chance import chance
from edgeflow.evaluate.starts.flawed import flawed


class StartMasks(Protocol):
    """A mask for each object of a dataset, which clicks begin from."""

    @property
    def kind(self) -> str:
        """What they are, in reports."""
        ...

    def of(self, sample: Sample, number: int) -> BoolMask:
        """The start mask of an object.

        Args:
            sample: The image with its objects.
            number: Number of the object, from 1; it has a pixel that is not ignored.

        Returns:
            H×W mask of the image's size; it may be empty.

        Raises:
            DatasetError: There is none, or it cannot be read or has another size.
        """
        ...


@dataclass(frozen=True)
class Generated:
    """Flawed masks made of the right ones; see :func:`.flawed.flawed`.

    Attributes:
        seed: Another one gives other flaws.
    """

    seed: int = 0

    @property
    def kind(self) -> str:
        """See :attr:`StartMasks.kind`."""
        return f"generated, seed {self.seed}"

    def of(self, sample: Sample, number: int) -> BoolMask:
        """See :meth:`StartMasks.of`."""
        truth = sample.objects[number - 1]
        valid = np.ones_like(truth) if sample.ignore is None else ~sample.ignore
        rng = chance("start mask", self.seed, sample.name, number)
        return flawed(sample.rgb, truth & valid, valid, rng)


@dataclass(frozen=True)
class Published:
    """The masks that DAVIS585 brings, beside those of its objects.

    Attributes:
        method: ``sp`` for those flawed by superpixels, ``stm`` for those that a tracker made.
    """

    method: str

    @property
    def kind(self) -> str:
        """See :attr:`StartMasks.kind`."""
        return f"DAVIS585, {self.method}"

    def of(self, sample: Sample, number: int) -> BoolMask:
        """See :meth:`StartMasks.of`."""
        masks = [] if sample.path is None else object_files(sample.path)
        if len(masks) != len(sample.objects):
            raise DatasetError(
                f"{sample.name} has no start masks beside its image",
                hint="only folders in the layout davis585 have them; for others use "
                "`--start-masks generated`, or a folder of your own",
            )
        path = start_file(masks[number - 1], self.method)
        return _only(binary(read_bytes(path), str(path)), sample, path)


@dataclass(frozen=True)
class InFolder:
    """Masks of any origin, such as another model's: ``<sample>.png`` in a folder.

    Of an image with one object, what is not 0 is its start mask; of one with several, value k is
    that of the k-th.

    Attributes:
        folder: The folder.
    """

    folder: Path

    @property
    def kind(self) -> str:
        """See :attr:`StartMasks.kind`."""
        return f"folder {self.folder.resolve().name}"

    def of(self, sample: Sample, number: int) -> BoolMask:
        """See :meth:`StartMasks.of`."""
        path = self.folder / f"{sample.name}.png"
        data, count = read_bytes(path), len(sample.objects)
        if count == 1:
            return _only(any_value(data, str(path)), sample, path)
        values = label_map(data, str(path))
        if (highest := int(values.max())) > count:
            raise DatasetError(
                f"{path} numbers an object {highest}, {sample.name} has {count}",
                hint="value k is the start mask of the k-th object of the image",
            )
        return _of_size(values == number, sample, path)


KINDS: Mapping[str, StartMasks] = {
    "generated": Generated(),
    "sp": Published("sp"),
    "stm": Published("stm"),
}
"""By name, as on the command line; anything else is a folder."""


def find_start_masks(name: str) -> StartMasks:
    """The start masks of a name in :data:`KINDS`, or of a folder.

    Raises:
        DatasetError: It is neither; or a folder of the layout davis585, which has two kinds.
    """
    if name in KINDS:
        return KINDS[name]
    folder = Path(name)
    if not folder.is_dir():
        raise DatasetError(
            f"{name} is neither a folder of start masks nor one of {', '.join(KINDS)}",
            hint="see docs/evaluation.md",
        )
    if Davis585.recognise(folder):
        raise DatasetError(
            f"{name} has the layout davis585, which has two start masks for each object",
            hint=f"choose: --data {name} --start-masks sp, or stm",
        )
    return InFolder(folder)


def _only(annotation: Annotation, sample: Sample, path: Path) -> BoolMask:
    empty = np.zeros(annotation.size, dtype=np.bool_)
    return _of_size(next(iter(annotation.objects), empty), sample, path)


def _of_size(mask: BoolMask, sample: Sample, path: Path) -> BoolMask:
    height, width = sample.rgb.shape[:2]
    if mask.shape != (height, width):
        raise DatasetError(
            f"{path} has {mask.shape[1]}×{mask.shape[0]} pixels, its image {width}×{height}",
            hint="start masks need the size of their image",
        )
    return mask
