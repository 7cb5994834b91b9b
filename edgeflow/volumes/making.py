"""Pages and tasks of volumes, written to a folder or brought into a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edgeflow.files import write_atomically
from edgeflow.volumes.pictures import Chosen, pictures
from edgeflow.volumes.tasks import page_name, parts, task_of
from edgeflow.volumes.volume import Plane, Volume


class Project(Protocol):
    """The part of Label Studio's API that new tasks need."""

    def task_heads(self, project: int) -> Iterable[dict[str, Any]]:
        """The tasks that are there, with their data."""
        ...

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
        there: Pages that the project shows already, and in which window; they are not made again.
    """

    folder: Path
    url: Callable[[str], str]
    api: Project | None = None
    project: int = 0
    there: Mapping[Plane, str] = field(default_factory=dict)

    def missing(self, volume: Volume) -> list[int]:
        """The numbers of a volume's pages that are not there yet, from 0."""
        return [page for page, plane in enumerate(volume.planes) if plane not in self.there]

    def windows_there(self, volume: Volume) -> set[str]:
        """What a volume's pages show that are there already."""
        return {self.there[plane] for plane in volume.planes if plane in self.there}


def make_tasks(
    volume: Volume, window: Chosen, name: str, most_pages: int, target: Target
) -> list[dict[str, Any]]:
    """Write a volume's pages, and make its tasks; those pages alone that are not there already.

    Args:
        volume: The volume.
        window: What pages show.
        name: What that is called in the tasks.
        most_pages: Of a task.
        target: Where both go. Nothing is uploaded before all pages are written.

    Raises:
        VolumeError: A page cannot be read.
    """
    missing = target.missing(volume)
    names = {page: page_name(volume, page) for page in missing}
    for path, png in zip(names.values(), pictures(volume, window, missing), strict=True):
        write_atomically(target.folder / path, png)
    tasks = []
    for part in parts(volume, missing, most_pages) if missing else ():
        urls = [_url(names[page], target) for page in part.pages]
        tasks.append(task_of(part, urls, name))
    if target.api is not None and tasks:
        target.api.import_tasks(target.project, tasks)
    return tasks


def _url(path: str, target: Target) -> str:
    if target.api is None:
        return target.url(path)
    data = (target.folder / path).read_bytes()
    return target.api.keep_upload(target.project, path.replace("/", "-"), data)
