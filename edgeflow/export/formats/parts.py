"""The records of one part of an export, and JSON of many of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from edgeflow.export.output import Record


def of_part(records: Iterable[Record], split: str) -> Iterator[Record]:
    """The records of one part, by their ``split``."""
    return (each for each in records if each["split"] == split)


def listed(entries: Iterable[Record]) -> Iterator[bytes]:
    """A JSON list in pieces, so that it need not fit into memory."""
    yield b"["
    for place, entry in enumerate(entries):
        yield (b", " if place else b"") + json.dumps(entry).encode()
    yield b"]"


def lines(entries: Iterable[Record]) -> Iterator[bytes]:
    """JSON lines."""
    return (json.dumps(entry).encode() + b"\n" for entry in entries)
