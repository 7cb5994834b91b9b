"""Where the commands for sequences write: into a folder of their own."""

from __future__ import annotations

from pathlib import Path

from edgeflow.errors import FileWriteError
from edgeflow.files import check_outputs


def check_new_folder(folder: Path) -> None:
    """Refuse, before any work is done, a folder that holds something already.

    So nothing that is read can be replaced, and results of two runs are never mixed.

    Raises:
        FileWriteError: It is not empty, no folder, or cannot be written.
    """
    check_outputs({"result": folder / "tasks.json"}, [])
    if folder.is_dir() and any(folder.iterdir()):
        raise FileWriteError(
            f"{folder} is not empty", hint="name a new folder, or delete what is in it"
        )
