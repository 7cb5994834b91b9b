"""Tasks on disk, so that they can be read again without being fetched or held in memory."""

from __future__ import annotations

import json
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import orjson


class Spool:
    """Tasks in a file without a name, which vanishes with the spool.

    Args:
        tasks: Read once, to the end, the first time that the spool is gone through.
    """

    def __init__(self, tasks: Iterable[dict[str, Any]]) -> None:
        self._tasks: Iterator[dict[str, Any]] | None = iter(tasks)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the spool is
        weakref.finalize(self, self._file.close)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._fetch()
        self._file.seek(0)
        place = 0
        while line := self._file.readline():
            place += len(line)
            yield _parsed(line)
            self._file.seek(place)  # others may have read meanwhile

    def _fetch(self) -> None:
        if self._tasks is not None:
            for task in self._tasks:
                self._file.write(_line(task))
            self._tasks = None


def _line(task: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(task) + b"\n"
    except orjson.JSONEncodeError:  # half a surrogate pair, or a number of more than 64 bits
        return json.dumps(task).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        task: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        task = json.loads(line)
    return task
