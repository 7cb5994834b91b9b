"""Where libraries outlive the process: a folder with a file for each project."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgeflow.errors import EdgeFlowError
from edgeflow.files import write_atomically
from edgeflow_backend.examples.codec import SpoiledLibraryError, pack, unpack
from edgeflow_backend.examples.library import Library
from edgeflow_backend.log import get_logger

TEXT_BYTES = 8
"""Bytes of a file for each byte of its library, at most: numbers are written in digits."""


class Shelf:
    """A folder of libraries, readable by the backend's user only. Thread-safe for each project.

    A library only saves work: one that cannot be read is made anew from Label Studio.

    Args:
        folder: The folder, made when it is first written to.
        max_bytes: Most bytes of a library.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes * TEXT_BYTES
        self._log = get_logger()

    def load(self, url: str, project: str) -> tuple[Library, str]:
        """A project's library, and what is wrong with its file: mostly nothing.

        A file that is damaged is removed.

        Args:
            url: Of the Label Studio.
            project: The project's id.

        Returns:
            An empty library where there is no file, or no good one.
        """
        path = self._path(url, project)
        try:
            with path.open("rb") as file:
                return unpack(file.read(self._max_bytes)), ""  # a longer one is not whole then
        except FileNotFoundError:
            return Library(), ""
        except SpoiledLibraryError as error:
            path.unlink(missing_ok=True)
            wrong = f"the file of its examples was damaged ({error}); they are read again"
        except OSError as error:
            wrong = f"the file of its examples cannot be read: {error.strerror}"
        self._log.warning("examples not loaded", file=str(path), reason=wrong)
        return Library(), wrong

    def save(self, url: str, project: str, library: Library) -> str:
        """Store a project's library; returns what went wrong, mostly nothing."""
        path = self._path(url, project)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, pack(library))
        except (EdgeFlowError, OSError) as error:
            reason = error.message if isinstance(error, EdgeFlowError) else error.strerror
            self._log.warning("examples not stored", file=str(path), reason=reason)
            return f"its examples will be lost with this process: {reason}"
        return ""

    def _path(self, url: str, project: str) -> Path:
        name = hashlib.sha256(f"{url}\n{project}".encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / f"{name[:32]}.examples"
