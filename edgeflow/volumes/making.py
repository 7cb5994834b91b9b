"""Pages and tasks of volumes, written to a folder or brought into a project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edgeflow.files import write_atomically
from edgeflow.volumes.pictures import Chosen, pictures
from edgeflow.volumes.tasks import page_name, parts, task_of
from edgeflow.volumes.volume import Volume


class Project(Protocol):
    """The part of Label Studio's API that new tasks need."""

    def keep_upload(self, project: int, name: str, data: bytes) -> str:
        """Upload a picture; returns its path for a task's data."""
        ...

    def import_tasks(self, project: int, tasks: list[dict[str, Any]]) -> None:
        """Make tasks."""
        ...


@dataclass(frozen=True)
class Target:
    """Where tasks go.

    Attributes:
        folder: For the pages.
        url: A page's URL by its path in the folder, unless it is uploaded.
        api: Of the Label Studio that pages are uploaded to; None for a file of tasks alone.
        project: Id of its project.
    """

    folder: Path
    url: Callable[[str], str]
    api: Project | None = None
    project: int = 0


def make_tasks(
    volume: Volume, window: Chosen, name: str, most_pages: int, target: Target
) -> list[dict[str, Any]]:
    """Write a volume's pages, and make its tasks.

    Args:
        volume: The volume.
        window: What pages show.
        name: What that is called in the tasks.
        most_pages: Of a task.
        target: Where both go. Nothing is uploaded before all pages are written.

    Raises:
        VolumeError: A page cannot be read.
    """
    names = [page_name(volume, index) for index in range(len(volume.planes))]
    for path, png in zip(names, pictures(volume, window), strict=True):
        write_atomically(target.folder / path, png)
    tasks = []
    for part in parts(volume, most_pages):
        urls = [_url(path, target) for path in names[part.start : part.stop]]
        tasks.append(task_of(part, urls, name))
    if target.api is not None:
        target.api.import_tasks(target.project, tasks)
    return tasks


def _url(path: str, target: Target) -> str:
    if target.api is None:
        return target.url(path)
    data = (target.folder / path).read_bytes()
    return target.api.keep_upload(target.project, path.replace("/", "-"), data)
