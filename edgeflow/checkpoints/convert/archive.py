"""What lies in a zip or a folder of weights. Nothing is extracted to disk."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from edgeflow.errors import ConversionError

MAX_BYTES = 1 << 30
"""Size limit of a file; the published networks have 17 to 46 MB."""


class Member(NamedTuple):
    """A file in a zip or folder, and how to read it."""

    name: str
    read: Callable[[], bytes]


def members_of_folder(folder: Path) -> list[Member]:
    """The files of a folder, by name, without those of its folders.

    Raises:
        ConversionError: It cannot be listed.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise _unreadable(folder, error) from error
    return [Member(p.name, partial(read_file, p)) for p in paths if not is_litter(p.name)]


def members_of_zip(archive: zipfile.ZipFile) -> list[Member]:
    """The files of a zip, in its order.

    Raises:
        ConversionError: A name points outside of it, or it would unpack to more than a gibibyte.
    """
    infos = archive.infolist()
    for info in infos:
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or PureWindowsPath(info.filename).drive:
            raise ConversionError(
                f"the zip has a member that points outside of it: {info.filename[:80]!r}",
                hint="do not trust this file",
            )
    if sum(info.file_size for info in infos) > MAX_BYTES:
        raise ConversionError(
            f"the zip would unpack to more than {MAX_BYTES} bytes", hint="do not trust this file"
        )
    return [
        Member(info.filename, partial(archive.read, info))
        for info in infos
        if not info.is_dir() and not is_litter(info.filename)
    ]


def open_zip(data: bytes) -> zipfile.ZipFile:
    """Open a zip in memory.

    Raises:
        ConversionError: It is none.
    """
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (*ZIP_ERRORS, ValueError) as error:
        raise damaged_zip(error) from error


ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error)
"""What reading a damaged or encrypted member raises."""


def damaged_zip(error: Exception) -> ConversionError:
    """The error of a zip that cannot be read."""
    return ConversionError(
        f"the zip is damaged or encrypted ({type(error).__name__})",
        hint="download it again, or unpack it first",
    )


def is_litter(name: str) -> bool:
    """Whether a file is what macOS and Windows leave in folders and archives."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or (
        bool(parts)
        and (parts[-1].startswith("._") or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))
    )


def read_file(path: Path) -> bytes:
    """Read a whole file.

    Raises:
        ConversionError: It is missing, too large or not readable.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConversionError(
                f"{path.name} is larger than {MAX_BYTES} bytes",
                hint="these are not a click network's weights",
            )
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ConversionError:
    return ConversionError(
        f"cannot read {path}: {error.strerror}", hint="check the path and its permissions"
    )
