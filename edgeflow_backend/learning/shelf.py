"""Where projects' accepted objects are kept: a folder for each, which can be erased as a whole."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edgeflow_backend.learning.pictures import Files, Pictures
from edgeflow_backend.learning.store import Store, StoreError
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.redact.urls import describe_url
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder
from edgeflow_backend.versions.lock import alone

OBJECTS = "objects.sqlite"


class Shelf:
    """The folders of projects; a folder's name tells nothing of its project.

    Args:
        settings: The backend's.
        pictures: Opens the copies of images.
    """

    def __init__(self, settings: Settings, pictures: Pictures) -> None:
        self._settings = settings
        self._pictures = pictures
        self._root = settings.learn_folder

    def folder(self, project: ProjectRef) -> Path:
        """A project's folder, which may not exist."""
        return project_folder(self._settings, project)

    def files(self, project: ProjectRef) -> Files:
        """A project's store, and its copies of images."""
        return self.files_in(self.folder(project))

    def files_in(self, folder: Path) -> Files:
        """The store and the copies of images in a folder."""
        return Files(self._pictures.copies(folder), Store(folder / OBJECTS))

    def note_source(self, project: ProjectRef) -> None:
        """Write into a project's store whose it is, without a secret.

        Raises:
            StoreError: It cannot be written.
        """
        url = describe_url(self._settings.label_studios[project.host].url)
        self.files(project).store.note({"project": str(project), "url": url})

    def folders(self) -> list[Path]:
        """All folders that hold a store, also of projects that are no longer switched on."""
        if not self._root.is_dir():
            return []
        return sorted(path for path in self._root.iterdir() if (path / OBJECTS).is_file())

    @contextlib.contextmanager
    def alone(self, project: ProjectRef, *, patience_s: float = 0.0) -> Iterator[bool]:
        """Keep other processes from reconciling a project; a process that dies lets go.

        Args:
            project: The project.
            patience_s: How long to wait for another one.

        Yields:
            Whether no other process is at it.

        Raises:
            StoreError: The folder cannot be written.
        """
        path = self.folder(project).with_suffix(".lock")
        with contextlib.ExitStack() as held:
            try:
                self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
                mine = held.enter_context(alone(path, patience_s))
            except (OSError, sqlite3.Error) as error:
                raise _unusable(path, error) from error
            yield mine

    def forget(self, project: ProjectRef) -> bool:
        """Erase a project's folder; returns whether there was one.

        Whoever calls it holds :meth:`alone`.

        Raises:
            StoreError: It cannot be erased, or not wholly.
        """
        folder = self.folder(project)
        folder.with_suffix(".lock").unlink(missing_ok=True)
        if not folder.exists():
            return False
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise StoreError(
                f"cannot erase {folder}: {error.strerror}", hint="check its permissions"
            ) from error
        return True


def _unusable(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"cannot use {path}: {getattr(error, 'strerror', None) or error}",
        hint="check EDGEFLOW_LEARN_DIR and its permissions",
    )
