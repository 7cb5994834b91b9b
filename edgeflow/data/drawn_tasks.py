"""The tasks of a Label Studio project: what is drawn on which image."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from edgeflow.data.annotators import FIRST, Counted, choose_annotations
from edgeflow.data.base import DatasetError
from edgeflow.data.drawn_regions import DrawnRegion, read_regions
from edgeflow.data.files import is_there, read_bytes
from edgeflow.data.json_list import list_elements
from edgeflow.data.json_min import is_json_min, tasks_of
from edgeflow.data.left_out import LeftOut
from edgeflow.data.task_images import Located, image_names, locations
from edgeflow.errors import EdgeFlowError, LabelConfigError, brief
from edgeflow.label_studio.config.label_config import LabelConfig, parse_label_config
from edgeflow.label_studio.controls import LABELS_TAG


class DrawnTask(NamedTuple):
    """A task and what is drawn on its images in one of its annotations.

    Attributes:
        key: The task's id, as text.
        annotation: The annotation; None if none counts.
        images: Regions by the location of their image, in the annotation's order; an empty location
            where the task has no image.
        left_out: What else the task holds.
    """

    key: str
    annotation: Counted | None
    images: dict[str, list[DrawnRegion]]
    left_out: tuple[LeftOut, ...]

    @property
    def annotated(self) -> bool:
        """Whether it has an annotation that counts, perhaps an empty one."""
        return self.annotation is not None

    @property
    def source(self) -> str:
        """What messages call it."""
        return f"task {self.key}"


def drawn_task(
    task: dict[str, Any], config: LabelConfig | None, *, masks_only: bool = False
) -> DrawnTask:
    """Read a task's first annotation; see :func:`drawn_annotations`."""
    return drawn_annotations(task, config, masks_only=masks_only)[0]


def drawn_annotations(
    task: dict[str, Any],
    config: LabelConfig | None,
    *,
    annotator: str = FIRST,
    masks_only: bool = False,
) -> list[DrawnTask]:
    """Read a task, once for each annotation that counts, and once if none does.

    Args:
        task: As Label Studio exports it, untrusted.
        config: The project's labelling config, where it is at hand.
        annotator: Whose annotation counts; see
            :func:`edgeflow.data.annotators.choose_annotations`.
        masks_only: Whether to leave out regions that say where an object is, and not what it
            covers.

    Raises:
        DatasetError: Without a labelling config it cannot be told which image a region is on.
    """
    key = key_of(task)
    chosen = choose_annotations(task, f"task {key}", annotator)
    bare = DrawnTask(key, None, {}, ())
    data = task.get("data")
    drawn = [_drawn(bare, each, data, config, masks_only) for each in chosen.annotations] or [bare]
    first = drawn[0]
    return [first._replace(left_out=chosen.left_out + first.left_out), *drawn[1:]]


def _drawn(
    task: DrawnTask,
    annotation: Counted,
    data: object,
    config: LabelConfig | None,
    masks_only: bool,
) -> DrawnTask:
    """The task with what is drawn in one of its annotations."""
    drawn = read_regions(annotation.results, task.source)
    left_out = list(drawn.left_out)
    regions = list(drawn.regions)
    if masks_only:
        regions = [each for each in regions if each.kind.mask and each.kind.mask.drawn_is_mask]
        boxes = len(drawn.regions) - len(regions)
        left_out += [LeftOut("rectangles")] * boxes
    images: dict[str, list[DrawnRegion]] = {}
    located = _locate(data, regions, config, task.source)
    for region in regions:
        if fault := located.faults.get(region.place):
            left_out.append(LeftOut(fault, task.source))
        else:
            images.setdefault(located.images[region.place], []).append(region)
    return DrawnTask(task.key, annotation, images, tuple(left_out))


def key_of(task: dict[str, Any]) -> str:
    """A task's id as text, without characters that do harm in a terminal or a file's name."""
    number = task.get("id")
    return str(number) if type(number) is int else re.sub(r"[^\w-]", "_", brief(number))


def _locate(
    data: object, regions: list[DrawnRegion], config: LabelConfig | None, source: str
) -> Located:
    places = dict.fromkeys(region.place for region in regions)
    try:
        return locations(data, places, config, source)
    except LabelConfigError as error:
        return Located({}, dict.fromkeys(places, error.message))


class TasksFile:
    """The tasks of an export file, read anew, one at a time, whenever they are gone through.

    Args:
        path: File in Label Studio's export format JSON or JSON_MIN, perhaps larger than memory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The tasks.

        Raises:
            DatasetError: The file cannot be read, or is of another format.
        """
        elements = list_elements(self._path)
        first = next(elements, None)
        entries = itertools.chain(() if first is None else (first,), elements)
        if is_json_min(first):
            yield from tasks_of(each for each in entries if isinstance(each, dict))
            return
        known, count = False, 0
        for count, task in enumerate(entries, start=1):
            known |= isinstance(task, dict) and "annotations" in task
            number = {"id": count - 1}
            yield number | task if isinstance(task, dict) else number
        if count and not known:  # that of a project without tasks is an empty list
            raise DatasetError(
                f"{self._path} is not an export of Label Studio's",
                hint="export the project as JSON",
            )


def read_label_config(path: Path) -> LabelConfig:
    """Read a file with a labelling config.

    Raises:
        DatasetError: It cannot be read, or is none.
    """
    try:
        return parse_label_config(read_bytes(path).decode("utf-8-sig"))
    except (UnicodeDecodeError, EdgeFlowError) as error:
        if isinstance(error, DatasetError):
            raise
        reason = error.message if isinstance(error, EdgeFlowError) else "not UTF-8"
        raise DatasetError(
            f"{path} is not a labelling config: {reason}",
            hint="save the text under Settings, Labeling Interface, Code",
        ) from error


def declared_labels(config: LabelConfig) -> tuple[str, ...]:
    """The labels that regions of a project may have, as stored, each once, in the config's order.

    Those of controls for points alone are not among them.

    Args:
        config: The project's.
    """
    return tuple(
        dict.fromkeys(
            label.stored
            for control in config.for_task(None).controls
            if control.holds_masks or control.tag == LABELS_TAG
            for label in control.labels
        )
    )


def image_folders(path: Path) -> list[Path]:
    """Where the images of an export file are looked for."""
    return [path.parent / "images", path.parent]


def find_image(location: str, folders: list[Path]) -> tuple[Path, str] | None:
    """The first folder that has a task's image, and the image's path in it."""
    for name in image_names(location):
        for folder in folders:
            if is_there(folder / name):
                return folder, name
    return None
