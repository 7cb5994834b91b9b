"""What a run has finished, in a file that an interrupted run is taken up from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from edgeflow.errors import FileWriteError
from edgeflow.label_studio.values import JSONObject


class Entry(NamedTuple):
    """A line of the journal.

    Attributes:
        offset: Where it begins in the file.
        length: Its bytes.
        note: What was noted with the task.
    """

    offset: int
    length: int
    note: JSONObject


class Journal:
    """Finished tasks by key, a line each, written when each is finished.

    A line that a crash has cut off does not count. A journal of another run is begun afresh.

    Args:
        path: The file.
        fingerprint: Identity of the run: of all that its tasks depend on.

    Raises:
        FileWriteError: It cannot be read or written.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self._entries: dict[str, Entry] = {}
        head = _head(fingerprint)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("r+b" if path.exists() else "w+b")
            end = self._read(head)
            self._file.seek(end)
            self._file.truncate()
            if not end:
                self._file.write(head)
                self._file.flush()
        except OSError as error:
            raise FileWriteError(
                f"cannot write {path}: {error.strerror}", hint="check the folder and its rights"
            ) from error

    @staticmethod
    def continues(path: Path, fingerprint: str) -> bool:
        """Whether a file is the journal of this run, so that it would not be begun afresh."""
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.readline() == _head(fingerprint)

    def _read(self, head: bytes) -> int:
        """Read the lines that count; where they end, 0 if this is no journal of this run."""
        if self._file.readline() != head:
            return 0
        end = len(head)
        for line in self._file:
            key, note, task = _split(line)
            if key is None or task is None:
                break
            self._entries[key] = Entry(end, len(line), note)
            end += len(line)
        return end

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, key: str) -> JSONObject:
        """What was noted with a finished task."""
        return self._entries[key].note

    def add(self, key: str, note: JSONObject, task: JSONObject) -> None:
        """Note a finished task."""
        parts = (json.dumps(each) for each in (key, note, task))
        line = "\t".join(parts).encode() + b"\n"
        self._file.seek(0, 2)
        self._entries[key] = Entry(self._file.tell(), len(line), note)
        self._file.write(line)
        self._file.flush()

    def forget(self, key: str) -> None:
        """Take a task for unfinished, if it was finished: what it was made of has changed."""
        self._entries.pop(key, None)

    def tasks(self, keys: Iterable[str]) -> Iterator[bytes]:
        """The tasks of those keys that are finished, as JSON, in the keys' order."""
        for key in keys:
            if (entry := self._entries.get(key)) is not None:
                self._file.seek(entry.offset)
                yield self._file.read(entry.length).rstrip(b"\n").split(b"\t")[2]

    def remove(self) -> None:
        """Delete the file: all is done."""
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _head(fingerprint: str) -> bytes:
    return json.dumps({"journal": fingerprint}).encode() + b"\n"


def _split(line: bytes) -> tuple[str | None, JSONObject, Any]:
    """Key, note and task of a line; no key if it is not whole."""
    parts = line.split(b"\t")
    if len(parts) != 3 or not line.endswith(b"}\n"):
        return None, {}, None
    try:
        key, note = json.loads(parts[0]), json.loads(parts[1])
    except ValueError:
        return None, {}, None
    return (key, note, parts[2]) if isinstance(note, dict) else (None, {}, None)
