"""``metadata.jsonl``: a table of files, a JSON object a line, for Hugging Face's ``datasets``.

Two layouts have one: image folders with masks, and cut-outs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from edgeflow.data.files import is_there, read_bytes

FILE = "metadata.jsonl"
IMAGE = "file_name"
MASKS, MASK = "instances_file_names", "mask_file_name"
"""Keys of a line with masks."""

MAX_BYTES = 1 << 30
HEAD = 1 << 20


def rows(path: Path) -> Iterator[dict[str, Any] | None]:
    """The lines of the table; None for one that is not a JSON object.

    Raises:
        DatasetError: It is missing or too long.
    """
    for line in read_bytes(path, MAX_BYTES).splitlines():
        if line.strip():
            yield _parsed(line)


def names_masks(folder: Path) -> bool:
    """Whether a folder has such a table, and some line at its beginning names masks."""
    if not is_there(folder / FILE):
        return False
    with (folder / FILE).open("rb") as file:
        parsed = [_parsed(line) for line in file.read(HEAD).splitlines()]
    return any(row is not None and (MASKS in row or MASK in row) for row in parsed)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None
