"""What an export has written: it goes on where it stopped, and takes away what is out of date."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Set
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from edgeflow.data.left_out import LeftOut
from edgeflow.errors import FileWriteError
from edgeflow.export.output import Record
from edgeflow.files import replacing

FILE = ".edgeflow-export.jsonl"
"""Name of the journal in an output folder."""


class Entry(NamedTuple):
    """A line of the journal: an image in the folder.

    Attributes:
        key: The image's.
        digest: Of all that its files depend on.
        files: Paths of its files, relative to the folder.
        record: What the files of the whole need of it.
        left_out: What of it is not in the files.
    """

    key: str
    digest: str
    files: tuple[str, ...]
    record: Record
    left_out: tuple[LeftOut, ...]


class Journal:
    """The journal of a folder. Lines are added as images are written; the last of a key counts.

    Only places in the file are held in memory, not the entries.

    Args:
        folder: Output folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / FILE
        self._known: dict[str, tuple[str, int]] = {}
        self._owner: dict[str, str] = {}
        self._current: list[int] = []
        for place, entry in self._entries():
            self._note(entry)
            self._known[entry.key] = (entry.digest, place)

    def _note(self, entry: Entry) -> None:
        """Files have a new content, so the entries that they stood in hold no more."""
        for path in entry.files:
            self._known.pop(self._owner.get(path, ""), None)
            self._owner[path] = entry.key

    def wrote(self, path: Path) -> bool:
        """Whether an export wrote a file, which is given by its absolute path without links."""
        folder = self._folder.resolve()
        return path.is_relative_to(folder) and self.holds(path.relative_to(folder).as_posix())

    def holds(self, path: str) -> bool:
        """Whether an export wrote a file, which is given by its path in the folder."""
        return path in self._owner

    def recall(self, key: str, digest: str, taken: Set[str]) -> Entry | None:
        """The entry of an image whose files are written and in date; it then counts as written.

        Args:
            key: The image's.
            digest: Of all that its files depend on.
            taken: Files of this run's other images, casefolded: they are not this one's any more.
        """
        known, place = self._known.get(key, ("", 0))
        if known != digest or (entry := self._at(place)) is None:
            return None
        if not taken.isdisjoint(map(str.casefold, entry.files)):
            return None
        if not all((self._folder / path).is_file() for path in entry.files):
            return None
        self._current.append(place)
        return entry

    def claim(self, paths: Iterable[str]) -> None:
        """Note files that are about to be written, so that an interruption leaves none unknown.

        From here on, what they held before counts as lost, also to a run after an interruption.

        Raises:
            FileWriteError: One of them is there already, and no export wrote it.
        """
        files = tuple(paths)
        for path in files:
            if path not in self._owner and os.path.lexists(self._folder / path):
                raise FileWriteError(
                    f"{self._folder / path} is there already, and no export wrote it",
                    hint="choose another folder with --output, or move the file away",
                )
        if files:
            self._append(Entry("", "", files, {}, ()))

    def add(self, entry: Entry) -> None:
        """Note an image whose files are written."""
        self._current.append(self._append(entry))

    def _append(self, entry: Entry) -> int:
        """Write a line; returns its place."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            if file.tell() and not _ends_a_line(self._path):
                file.write(b"\n")  # after a line that an interruption cut off
            place = file.tell()
            file.write(_line(entry))
        self._note(entry)
        return place

    def records(self) -> Iterator[Record]:
        """The records of this export's images, in their order."""
        for entry in self._written():
            yield entry.record

    def finish(self, whole: list[str], read: Set[Path] = frozenset()) -> list[str]:
        """Take away files of earlier exports that this one has not, and keep its own entries only.

        Args:
            whole: Paths of the files of the whole.
            read: Pictures of this export, absolute and without links, which are not taken away.

        Returns:
            The paths that were taken away.
        """
        folder = self._folder.resolve()
        own = (path.relative_to(folder).as_posix() for path in read if path.is_relative_to(folder))
        of_none = (*whole, *sorted(filter(self.holds, own)))
        kept = set(of_none)
        with replacing(self._path) as file:
            file.write(_line(Entry("", "", of_none, {}, ())))
            for entry in self._written():
                kept.update(entry.files)
                file.write(_line(entry))
            stale = sorted(self._owner.keys() - kept)
            for path in stale:  # before they are forgotten
                (self._folder / path).unlink(missing_ok=True)
                for parent in PurePosixPath(path).parents:
                    with contextlib.suppress(OSError):  # others' files are in it
                        (self._folder / parent).rmdir()
        return stale

    def _written(self) -> Iterator[Entry]:
        for place in self._current:
            if (entry := self._at(place)) is not None:
                yield entry

    def _at(self, place: int) -> Entry | None:
        with self._path.open("rb") as file:
            file.seek(place)
            return _entry(file.readline())

    def _entries(self) -> Iterator[tuple[int, Entry]]:
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            place = 0
            for line in file:
                if (entry := _entry(line)) is not None:
                    yield place, entry
                place += len(line)


def _line(entry: Entry) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _entry(line: bytes) -> Entry | None:
    """A line's entry; None if it was cut off, or is none of ours."""
    try:
        key, digest, files, record, left_out = json.loads(line)
        entry = Entry(key, digest, tuple(files), record, tuple(LeftOut(*each) for each in left_out))
    except (ValueError, TypeError):
        return None
    return entry if isinstance(record, dict) and all(map(_inside, entry.files)) else None


def _inside(path: object) -> bool:
    """Whether a path is a relative one that stays in its folder."""
    if not isinstance(path, str) or not path:
        return False
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and "\\" not in path


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
