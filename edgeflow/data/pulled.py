"""A folder that ``edgeflow pull`` wrote: a Label Studio project with its images."""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.label_studio import LabelStudio

TASKS = "project.json"
IMAGES = "images"
LABEL_CONFIG = "label_config.xml"
SOURCE = "pulled.json"
"""Names in such a folder; the last says which project it is, and marks the folder."""


class Pulled(LabelStudio):
    """A project in a folder of its own.

    Args:
        root: The folder.

    Raises:
        DatasetError: As for an export; also before the first pull is complete.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root / TASKS, images=root / IMAGES, label_config=root / LABEL_CONFIG)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is a folder with the mark."""
        return (path / SOURCE).is_file()
