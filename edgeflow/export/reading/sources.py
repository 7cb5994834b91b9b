"""Where annotations come from: a path in any layout, or a project of a Label Studio."""

from __future__ import annotations

from pathlib import Path

from edgeflow.annotated import Annotations
from edgeflow.data.annotators import FIRST
from edgeflow.data.base import DatasetError
from edgeflow.data.drawn_tasks import TasksFile, image_folders, read_label_config
from edgeflow.data.opening import AUTO, open_dataset, recognise
from edgeflow.data.pulled import IMAGES, LABEL_CONFIG, TASKS
from edgeflow.export.reading.datasets import annotations_of
from edgeflow.export.reading.finder import Finder
from edgeflow.export.reading.remote import LatestFetched
from edgeflow.export.reading.spool import Spool
from edgeflow.export.reading.tasks import annotations_of_tasks
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.transport import Params
from edgeflow.label_studio.config.label_config import LabelConfig, parse_label_config
from edgeflow.pull.store import Fetcher

PAGE_SIZE = 25
"""Tasks that are asked for at once: with large masks, more take Label Studio minutes."""

LABEL_STUDIO, PULLED = "label-studio", "pulled"
"""The layouts of which more is exported than a dataset holds: outlines, boxes, ids."""


def open_annotations(
    path: Path,
    *,
    layout: str = AUTO,
    split: str | None = None,
    images: Path | None = None,
    label_config: Path | None = None,
    annotator: str = FIRST,
) -> Annotations:
    """The annotations at a path.

    Args:
        path: A Label Studio export, or whatever :func:`edgeflow.data.opening.open_dataset` reads.
        layout: As there.
        split: As there.
        images: Folder of the images; of a Label Studio export they need not be at hand.
        label_config: File with the project's labelling config.
        annotator: Whose annotation counts; see
            :func:`edgeflow.data.annotators.choose_annotations`.

    Raises:
        DatasetError: It cannot be read.
    """
    if layout == AUTO and path.exists():
        layout = recognise(path)
    if layout == LABEL_STUDIO and split is None:
        folders = [images] if images is not None else image_folders(path)
        return _of_file(path.stem, path, folders, label_config, annotator)
    if layout == PULLED and split is None:
        folders = [path / IMAGES] if images is None else [images]
        config = label_config or path / LABEL_CONFIG
        return _of_file(path.resolve().name, path / TASKS, folders, config, annotator)
    if annotator != FIRST and layout not in (LABEL_STUDIO, PULLED):  # those have no splits
        raise DatasetError(
            f"{path} has the layout {layout}, which knows no annotators",
            hint="leave --annotator out",
        )
    return annotations_of(
        open_dataset(path, layout=layout, split=split, images=images, label_config=label_config)
    )


def _of_file(
    name: str, tasks: Path, folders: list[Path], label_config: Path | None, annotator: str
) -> Annotations:
    config = read_label_config(label_config) if label_config is not None else None
    return annotations_of_tasks(name, TasksFile(tasks), config, Finder(folders), annotator)


def project_annotations(
    api: LabelStudioAPI,
    project: int,
    *,
    images: Path | None = None,
    label_config: LabelConfig | None = None,
    annotator: str = FIRST,
    fetcher: Fetcher | None = None,
) -> Annotations:
    """The annotations of a project, task by task over the API.

    Label Studio's own exports fail as a whole where one region or the labelling config is not to
    their liking; the list of tasks does not.

    Args:
        api: The Label Studio.
        project: Id of the project.
        images: Folder of the images, if they are at hand.
        label_config: Instead of the project's own.
        annotator: Whose annotation counts.
        fetcher: Fetches images that are not at hand when a format needs them.

    Raises:
        EdgeFlowError: Label Studio does not answer, or the labelling config cannot be read.
    """
    tasks, config = project_tasks(api, project, label_config)
    folders = [images] if images is not None else []
    latest = LatestFetched(fetcher) if fetcher is not None else None
    finder = Finder(folders, latest)
    return annotations_of_tasks(f"project {project}", tasks, config, finder, annotator)


def project_tasks(
    api: LabelStudioAPI, project: int, label_config: LabelConfig | None = None
) -> tuple[Spool, LabelConfig]:
    """A project's tasks as the API lists them, and its labelling config.

    Args:
        api: The Label Studio.
        project: Id of the project.
        label_config: Instead of the project's own.

    Raises:
        EdgeFlowError: Label Studio does not answer, or the labelling config cannot be read.
    """
    described = api.project(project)
    config = label_config or parse_label_config(described.label_config)
    # As stored, not as signed URLs: images are called after their location.
    query: Params = {"project": project, "fields": "all", "resolve_uri": "false"}
    return Spool(api.pages("/api/tasks/", query, key="tasks", size=PAGE_SIZE)), config
