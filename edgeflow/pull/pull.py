"""Pulls a project: its images, its labelling config, and its tasks with annotations.

Images come first, each written whole, and the tasks at the end; so a pull that was interrupted goes
on where it stopped, and the folder holds the last complete list of tasks meanwhile.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeflow.data.pulled import IMAGES, LABEL_CONFIG, SOURCE, TASKS
from edgeflow.errors import EdgeFlowError, LabelConfigError
from edgeflow.files import replacing, write_atomically
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.transport import Params
from edgeflow.label_studio.config.label_config import LabelConfig, parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow.pull.locations import PictureError, renamed, shown_images
from edgeflow.pull.store import Store

PAGE_SIZE = 25
"""Tasks that are asked for at once: with large masks, more take Label Studio minutes."""

TASKS_SHOWN = 10


@dataclass
class Report:
    """What a pull did.

    Attributes:
        tasks: Tasks that were written.
        annotations: Annotations in them.
        skipped: Ids of tasks that were left out, by reason.
    """

    tasks: int = 0
    annotations: int = 0
    skipped: dict[str, list[object]] = field(default_factory=lambda: defaultdict(list))

    def lines(self) -> Iterator[str]:
        """The report in words."""
        yield f"{self.tasks} tasks, {self.annotations} annotations"
        for reason, tasks in self.skipped.items():
            shown = ", ".join(map(str, tasks[:TASKS_SHOWN]))
            more = ", …" if len(tasks) > TASKS_SHOWN else ""
            yield f"skipped {len(tasks)} (task {shown}{more}): {reason}"


class Project:
    """A project that can be pulled.

    Args:
        api: Its Label Studio.
        number: Its id.

    Raises:
        EdgeFlowError: Label Studio does not answer, or the labelling config cannot be read or
            shows no image.
    """

    def __init__(self, api: LabelStudioAPI, number: int) -> None:
        self._api, self._number = api, number
        described = api.project(number)
        self._label_config = described.label_config
        self._config = parse_label_config(described.label_config)
        if not self._config.for_task(None).images:
            raise LabelConfigError(
                f"the labelling config of project {number} shows no image",
                hint="only projects with an Image tag can be pulled",
            )

    def claim(self, folder: Path, url: str) -> None:
        """Mark a folder as this project's.

        Args:
            folder: New, empty, or that of an earlier pull.
            url: Label Studio's, by which the folder is known again.

        Raises:
            EdgeFlowError: The folder holds something else, or cannot be written.
        """
        source = {"url": url, "project": self._number}
        if (known := _claimed(folder)) is None:
            write_atomically(folder / SOURCE, json.dumps(source).encode())
        elif known != source:
            raise EdgeFlowError(
                f"{folder} holds another project: {known.get('project')} of {known.get('url')}",
                hint="choose another folder",
            )
        write_atomically(folder / LABEL_CONFIG, self._label_config.encode())

    def pull(
        self, folder: Path, store: Store, report: Report, *, annotated_only: bool = False
    ) -> Iterator[int]:
        """Pull into a claimed folder.

        Args:
            folder: The folder.
            store: Its images.
            report: Told what was done.
            annotated_only: Leave out tasks for which nobody submitted an annotation.

        Yields:
            The number of tasks written so far, after each.

        Raises:
            EdgeFlowError: Label Studio does not answer, or a file cannot be written.
        """
        query: Params = {"project": self._number, "fields": "all", "resolve_uri": "false"}
        with replacing(folder / TASKS) as file:
            file.write(b"[")
            for task in self._api.pages("/api/tasks/", query, key="tasks", size=PAGE_SIZE):
                annotations = task.get("annotations")
                annotations = annotations if isinstance(annotations, list) else []
                if annotated_only and not any(map(_counts, annotations)):
                    continue
                try:
                    data = _with_files(task, self._config, store)
                except (PictureError, LabelConfigError) as error:
                    report.skipped[error.message].append(task.get("id"))
                else:
                    kept = {"id": task.get("id"), "data": data, "annotations": annotations}
                    file.write((b",\n" if report.tasks else b"\n") + json.dumps(kept).encode())
                    report.tasks += 1
                    report.annotations += len(annotations)
                yield report.tasks
            file.write(b"\n]\n")


def _with_files(task: JSONObject, config: LabelConfig, store: Store) -> JSONObject:
    """A task's data, with the paths of files in place of its images' locations.

    Raises:
        PictureError: An image is not to be had.
        LabelConfigError: The task makes too much of the config.
    """
    data, number = task.get("data"), task.get("id")
    if not isinstance(data, dict) or not isinstance(number, int):
        raise PictureError("no task of Label Studio's")
    locations = shown_images(config, data)
    if not locations:
        raise PictureError("its data has no image where the labelling config looks for one")
    files = {each: f"/{IMAGES}/{store.keep(each, number)}" for each in locations}
    changed: JSONObject = renamed(data, files)
    if shown_images(config, changed) != list(files.values()):
        raise PictureError("the labelling config composes the image's URL of several parts")
    return changed


def _counts(annotation: object) -> bool:
    return isinstance(annotation, dict) and not annotation.get("was_cancelled")


def _claimed(folder: Path) -> Mapping[str, Any] | None:
    """What a folder's mark says; None for a new or empty folder.

    Raises:
        EdgeFlowError: It holds something else.
    """
    with contextlib.suppress(OSError, ValueError):
        mark = json.loads((folder / SOURCE).read_bytes())
        return mark if isinstance(mark, dict) else {}
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EdgeFlowError(
            f"{folder} holds something else than a pulled project",
            hint="choose a new or an empty folder",
        )
    return None
