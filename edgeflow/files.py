"""Atomic file writes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edgeflow.errors import FileWriteError


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old or the new content, never a part of it.

    Args:
        path: File to write; its folder is created if it is missing.
        data: Whole content.

    Raises:
        FileWriteError: The file or its folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
            part = Path(folder) / path.name
            part.write_bytes(data)
            part.replace(path)
    except OSError as error:
        raise FileWriteError(
            f"cannot write {path}: {error.strerror}", hint="check the folder and its permissions"
        ) from error
