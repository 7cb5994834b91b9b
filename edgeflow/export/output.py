"""What a format gives back: files, and what the files of the whole will need of an image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from edgeflow.data.left_out import LeftOut

Record = dict[str, Any]
"""JSON."""


class File(NamedTuple):
    """A file to be written.

    Attributes:
        path: Relative to the output folder, with slashes.
        data: Whole content, or its parts in order where it is large.
    """

    path: str
    data: bytes | Iterable[bytes]


class Written(NamedTuple):
    """What a format makes of an image.

    Attributes:
        files: Files of this image alone.
        record: What the files of the whole need to know of the image; it must be JSON.
        left_out: Objects that the format has no place for.
    """

    files: tuple[File, ...] = ()
    record: Record = {}  # noqa: RUF012 - never changed
    left_out: tuple[LeftOut, ...] = ()
