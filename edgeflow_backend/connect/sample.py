"""A first project for a Label Studio that has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.protocol.config_check import RECOMMENDED

TITLE = "EdgeFlow sample"
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def sample_project(api: LabelStudioAPI, folder: Path) -> int | None:
    """Find the sample project, or make it in a Label Studio without any project.

    So one that was deleted does not come back as long as there is another.

    Args:
        api: The Label Studio.
        folder: Folder of the pictures.

    Returns:
        Its id; None if there are other projects only.

    Raises:
        LabelStudioError: Label Studio gives no answer, or refuses.
        OSError: The pictures cannot be read.
    """
    projects = list(api.projects())
    for project in projects:
        if project.title == TITLE:
            return project.id
    if projects:
        return None
    pictures = dict(_pictures(folder))
    project = api.create_project(
        {
            "title": TITLE,
            "label_config": RECOMMENDED,
            # Shows the switches of the smart tools.
            "reveal_preannotations_interactively": True,
        }
    )
    try:
        api.upload(project.id, pictures)
    except LabelStudioError:
        api.delete(f"/api/projects/{project.id}")  # or the next try would find it, without pictures
        raise
    return project.id


def _pictures(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PICTURES:
            yield path.name, path.read_bytes()
