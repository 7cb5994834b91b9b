"""What a writer gives back."""

from __future__ import annotations

from typing import NamedTuple


class File(NamedTuple):
    """A file to be written.

    Attributes:
        path: Relative to the output folder, with slashes.
        data: Whole content.
    """

    path: str
    data: bytes
