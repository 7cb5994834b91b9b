"""The masks that were drawn on a volume's pages, put back into the volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeflow.annotated import AnnotatedObject, mask_of
from edgeflow.data.base import DatasetError
from edgeflow.data.drawn_tasks import key_of
from edgeflow.data.left_out import LeftOut
from edgeflow.export.classes import Classes
from edgeflow.export.flat import BOXES, HIDDEN, flatten
from edgeflow.export.format import Overlap
from edgeflow.export.reading.finder import Finder, Found
from edgeflow.export.reading.tasks import annotations_of_tasks
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.volumes.tasks import planes_of
from edgeflow.volumes.volume import Plane, Volume

MAX_VOXELS = 1 << 31
"""Of a volume, times its labels where each has a layer of its own."""


@dataclass(frozen=True, eq=False)
class VolumeMasks:
    """What is drawn on a volume.

    Attributes:
        volume: The volume.
        objects: By page, from 0.
        classes: The labels of all objects, numbered from 1.
    """

    volume: Volume
    objects: dict[int, list[AnnotatedObject]]
    classes: Classes

    def layers(self) -> npt.NDArray[np.bool_]:
        """A layer for each class: page, row, column, class. They may overlap.

        Raises:
            DatasetError: It would not fit into memory.
        """
        layers = np.zeros(self._shape(len(self.classes.names)), dtype=np.bool_)
        for page, objects in self.objects.items():
            for each in objects:
                mask = mask_of(each.shape)
                if mask is not None:
                    layer = layers[page, :, :, self.classes.number(each.label) - 1]
                    layer[mask.box.slices] |= mask.pixels
        return layers

    def label_map(self, overlap: Overlap) -> tuple[npt.NDArray[np.uint16], list[LeftOut]]:
        """One class a voxel: page, row, column; 0 for the background. And what it has no place for.

        Args:
            overlap: The rule where several objects cover a pixel.

        Raises:
            DatasetError: It would not fit into memory, or objects overlap and the rule forbids it.
        """
        labels = np.zeros(self._shape(), dtype=np.uint16)
        left_out: list[LeftOut] = []
        for page, objects in self.objects.items():
            flat = flatten(objects, self.volume.size, overlap)
            numbers = [0, *(self.classes.number(each.label) for each in flat.objects)]
            labels[page] = np.array(numbers, dtype=np.uint16)[flat.numbers]
            left_out += [each for each in flat.left_out if each.reason == HIDDEN]
        return labels, left_out

    def _shape(self, *more: int) -> tuple[int, ...]:
        shape = (len(self.volume.planes), *self.volume.size, *more)
        if np.prod(shape, dtype=object) > MAX_VOXELS:
            raise DatasetError(
                f"{self.volume.said} has {'×'.join(map(str, shape))} voxels to write, the limit is "
                f"{MAX_VOXELS}",
                hint="write labels one by one, with projects of fewer labels",
            )
        return shape


class _Tasks:
    """Tasks, whose planes are noted as they pass."""

    def __init__(self, tasks: Iterable[dict[str, Any]]) -> None:
        self._tasks = tasks
        self.planes: dict[tuple[str, str], Plane] = {}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for task in self._tasks:
            key = key_of(task)
            self.planes.update({(key, url): each for url, each in planes_of(task.get("data"))})
            yield task


class _PlaneFinder(Finder):
    """Finds the pages of volumes in place of pictures."""

    def __init__(self, tasks: _Tasks, sizes: dict[Plane, Size]) -> None:
        super().__init__()
        self._tasks, self._sizes = tasks, sizes

    def find(self, location: str, task: str, number: int, drawn_on: list[Size | None]) -> Found:
        """See :meth:`Finder.find`; the name is the plane's, as :func:`_name` makes it."""
        del number, drawn_on
        plane = self._tasks.planes.get((task, location))
        if plane is None:
            raise DatasetError(
                "it is no task that `edgeflow dicom` made: its data does not say which slices its "
                "pages are",
                hint="import the tasks.json that it wrote",
            )
        if plane not in self._sizes:
            raise DatasetError(
                f"slice {plane.uid}, frame {plane.frame}, is not among the files",
                hint="name the folder of its series, too",
            )
        return Found(_name(plane), _name(plane), self._sizes[plane], None)


def _name(plane: Plane) -> str:
    return f"{plane.uid}/{plane.frame}"


def masks_of(
    volumes: Sequence[Volume],
    tasks: Iterable[dict[str, Any]],
    config: LabelConfig | None,
    annotator: str,
) -> Iterator[VolumeMasks | LeftOut]:
    """What is drawn on volumes, each with something on it.

    Args:
        volumes: Those that the tasks may be of.
        tasks: As Label Studio's API lists them, untrusted; read twice.
        config: The project's labelling config, where it is at hand.
        annotator: Whose annotation of a task counts.
    """
    places = {
        _name(plane): (volume, page)
        for volume in volumes
        for page, plane in enumerate(volume.planes)
    }
    sizes = {plane: volume.size for volume in volumes for plane in volume.planes}
    noted = _Tasks(tasks)
    annotations = annotations_of_tasks(
        "tasks", noted, config, _PlaneFinder(noted, sizes), annotator
    )
    drawn: dict[str, dict[int, list[AnnotatedObject]]] = {}
    faults: Counter[LeftOut] = Counter()
    for each in annotations.images:
        if isinstance(each, LeftOut):
            faults[each] += 1  # a fault of each of a hundred pages is told once
            if not each.fault or faults[each] == 1:
                yield each
            continue
        volume, page = places[each.file_name]
        boxes = [one for one in each.objects if mask_of(one.shape) is None]
        yield from [LeftOut(BOXES)] * len(boxes)
        if len(boxes) < len(each.objects):
            pages = drawn.setdefault(volume.name, {})
            pages.setdefault(page, []).extend(one for one in each.objects if one not in boxes)
    for volume in volumes:
        if objects := drawn.get(volume.name):
            used = {one.label for page in objects.values() for one in page}
            labels = tuple(label for label in annotations.labels if label in used)
            yield VolumeMasks(volume, objects, Classes(labels, unlabelled=None in used))
