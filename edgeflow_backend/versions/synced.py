"""Writing so that a crash of the whole machine leaves the old or the new, never a part of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from edgeflow.files import UNFINISHED


def replace_synced(path: Path, data: bytes) -> None:
    """Write a file that is on the disk when this returns.

    Args:
        path: The file, in a folder that exists.
        data: Whole content.

    Raises:
        OSError: It cannot be written; then it is as it was.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=UNFINISHED) as folder:
        part = Path(folder) / path.name
        part.write_bytes(data)
        sync(part)
        part.replace(path)
    sync(path.parent)


def rename_synced(folder: Path, to: Path) -> None:
    """Give a folder of plain files its name once all of it is on the disk.

    Raises:
        OSError: It cannot be written, or the name is taken.
    """
    for path in folder.iterdir():
        sync(path)
    sync(folder)
    folder.rename(to)
    sync(to.parent)


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk.

    Raises:
        OSError: They cannot be written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
