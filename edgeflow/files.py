"""File writes that are atomic, and that never destroy what a command reads."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import BinaryIO

from edgeflow.errors import FileWriteError

UNFINISHED = ".writing-"
"""What the names of folders begin with that hold a file until it is whole; a process that is killed
leaves them behind."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old or the new content, never a part of it.

    A file that exists keeps its mode; a symbolic link stays one, and its target is written. Devices
    and pipes, which cannot be replaced, are written to directly.

    Args:
        path: File to write; its folder is created if it is missing.
        data: Whole content.

    Raises:
        FileWriteError: The file or its folder cannot be written.
    """
    try:
        if is_special(path):
            path.write_bytes(data)
            return
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=UNFINISHED) as folder:
            part = Path(folder) / target.name
            part.write_bytes(data)
            if target.is_file():
                part.chmod(target.stat().st_mode)
            part.replace(target)
    except (OSError, RuntimeError) as error:  # RuntimeError: a symbolic link to itself
        raise FileWriteError(
            f"cannot write {path}: {getattr(error, 'strerror', None) or error}",
            hint="check the folder and its permissions",
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece, which takes the path's place if all goes well.

    Args:
        path: File to write; its folder is created if it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=UNFINISHED) as folder:
        part = Path(folder) / path.name
        with part.open("wb") as file:
            yield file
        part.replace(path)


def is_special(path: Path) -> bool:
    """Whether a path is a device or a pipe, such as ``/dev/null``."""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_outputs(
    outputs: Mapping[str, Path], inputs: Iterable[Path], *, make_folders: bool = True
) -> None:
    """Refuse outputs that would replace an input or each other, before any work is done.

    Paths are compared by the file that they lead to, however they are spelled: relative, through
    links (hard ones as well), or in another case where the file system ignores case.

    Args:
        outputs: Files to be written, by what a message calls them.
        inputs: Files that are read; those that do not exist are passed over.
        make_folders: Whether missing folders will be made; without, they are refused.

    Raises:
        FileWriteError: An output is an input, another output or a folder, or cannot be written.
    """
    read = [path for path in inputs if path.exists()]
    written = {name: path for name, path in outputs.items() if not is_special(path)}
    for name, path in written.items():
        for each in read:
            if path.exists() and path.samefile(each):
                raise FileWriteError(
                    f"the {name} {path} would replace {each}, which is read",
                    hint="choose another name for the output",
                )
        _check_writable(path, make_folders=make_folders)
    for (name, path), (other_name, other) in combinations(written.items(), 2):
        if _same(path, other):
            raise FileWriteError(
                f"{name} and {other_name} are the same file, {path}",
                hint="choose two different names",
            )


def in_folders(
    outputs: Iterable[Path], folders: Iterable[Path], made_here: Callable[[Path], bool]
) -> list[Path]:
    """Those outputs that exist in a folder that is read, as far as they are no earlier output.

    Args:
        outputs: Files to be written.
        folders: Folders that are read, subfolders included; files among them are passed over.
        made_here: Tells whether an existing file is an earlier output, which may be replaced.
    """
    roots = [folder.resolve() for folder in folders if folder.is_dir()]
    return [
        path
        for path in outputs
        if path.is_file()
        and any(path.resolve().is_relative_to(root) for root in roots)
        and not made_here(path)
    ]


def _check_writable(path: Path, *, make_folders: bool) -> None:
    folder = path.absolute().parent
    if path.is_dir():
        fault = "it is a folder"
    elif path.exists() and not os.access(path, os.W_OK):
        fault = "it is write-protected"
    elif not folder.is_dir() and (folder.exists() or not make_folders):
        fault = f"there is no folder {folder}"
    elif folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        fault = f"the folder {folder} is write-protected"
    else:
        return
    raise FileWriteError(
        f"cannot write the result to {path}: {fault}", hint="check the folder and its permissions"
    )


def _same(one: Path, other: Path) -> bool:
    """Whether two files that may not exist yet will be the same."""
    if one.exists() and other.exists():
        return one.samefile(other)
    one, other = (Path(os.path.realpath(path)) for path in (one, other))
    if one == other:
        return True
    if not (one.parent.is_dir() and other.parent.is_dir() and one.parent.samefile(other.parent)):
        return False
    # Only the file system knows which names it takes for one: case, Unicode forms.
    with tempfile.TemporaryDirectory(dir=one.parent, prefix=UNFINISHED) as folder:
        (Path(folder) / one.name).touch()
        return (Path(folder) / other.name).exists()
