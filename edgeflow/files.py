"""Files that readers never see half written."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edgeflow.errors import CheckpointError


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old or the new content, never a part.

    Raises:
        CheckpointError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
            part = Path(folder) / path.name
            part.write_bytes(data)
            part.replace(path)
    except OSError as error:
        raise CheckpointError(
            f"cannot write {path}: {error.strerror}", hint="check the folder and its permissions"
        ) from error
