"""The accepted objects of one project on disk: an SQLite file that no crash leaves half written.

Each change is one transaction, written ahead. The store only holds what Label Studio's API said, so
a damaged one is removed, and made anew by the next reconciliation.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edgeflow.errors import EdgeFlowError
from edgeflow.learning.accepted import AcceptedObject
from edgeflow_backend.learning.rows import Row, SpoiledRowError, pack, unpack
from edgeflow_backend.log import get_logger

LAYOUT = 1
"""Version of the tables; a store of another one is made anew."""

BUSY_S = 10.0
"""How long another process may write before this one gives up."""

_TABLES = """
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY, stamp TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
  task INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  picture TEXT NOT NULL, nbytes INTEGER NOT NULL,
  facts TEXT NOT NULL, mask TEXT NOT NULL, digest BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_task ON objects (task);
CREATE TABLE IF NOT EXISTS pictures (
  location TEXT PRIMARY KEY, digest TEXT NOT NULL, changed_at REAL NOT NULL
);
"""


class StoreError(EdgeFlowError):
    """The store cannot be read or written."""

    code = "learning_store"


class Seen(NamedTuple):
    """The image's file at a location.

    Attributes:
        location: Digest of where it is; the URL itself may hold a secret.
        digest: SHA-256 of the file, 64 hex digits.
        changed_at: When it was found to be another one than before, seconds since 1970; 0 if never.
    """

    location: str
    digest: str
    changed_at: float


class Store:
    """A file of accepted objects. Thread-safe, and several processes may share it.

    Every method may raise :class:`StoreError`: the disk is full, say; then nothing has changed.

    Args:
        path: The file; made with its folder when it is first written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = get_logger()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the file open: else each change, as the last one, is moved out of the log."""
        with self._in_words():
            rows = self._connect()
        with contextlib.closing(rows):
            yield

    def stamps(self) -> dict[int, str]:
        """The stamp of each task that was read; see :class:`edgeflow.label_studio.api.heads`."""
        with self._open() as rows:
            return dict(rows.execute("SELECT id, stamp FROM tasks"))

    def drop(self, tasks: Collection[int]) -> None:
        """Forget tasks with their objects."""
        with self._write() as rows:
            rows.executemany("DELETE FROM tasks WHERE id = ?", [(task,) for task in tasks])

    def put(self, task: int, stamp: str, accepted: Sequence[AcceptedObject]) -> None:
        """Take a task's objects in place of those that were there: all of them, or none."""
        with self._write() as rows:
            rows.execute("DELETE FROM tasks WHERE id = ?", (task,))
            rows.execute("INSERT INTO tasks VALUES (?, ?)", (task, stamp))
            rows.executemany(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)",
                [(task, each.picture, (row := pack(each)).nbytes, *row) for each in accepted],
            )

    def nbytes(self) -> int:
        """Bytes of all objects, roughly."""
        with self._open() as rows:
            (total,) = rows.execute("SELECT total(nbytes) FROM objects").fetchone()
        return int(total)

    def objects(self) -> list[AcceptedObject]:
        """All objects, in the order of their tasks.

        One that has changed on the disk is left out, and its task is read again next time.
        """
        found, spoiled = [], set()
        with self._open() as rows:
            query = "SELECT task, facts, mask, digest FROM objects ORDER BY task, rowid"
            for task, *columns in rows.execute(query):
                try:
                    found.append(unpack(Row(*columns)))
                except SpoiledRowError as error:
                    self._log.warning("object not read", task=task, reason=str(error))
                    spoiled.add(task)
        if spoiled:
            self.drop(spoiled)
        return [each for each in found if each.origin.task not in spoiled]

    def seen(self, location: str) -> Seen | None:
        """What the image's file at a location was, when it was fetched last."""
        with self._open() as rows:
            query = "SELECT location, digest, changed_at FROM pictures WHERE location = ?"
            found = rows.execute(query, (location,)).fetchone()
        return None if found is None else Seen(*found)

    def see(self, seen: Seen) -> None:
        """Remember what is at a location.

        Where that is another file than before, tasks with the former one are to be read again.
        """
        with self._write() as rows:
            rows.execute(
                "DELETE FROM tasks WHERE id IN (SELECT task FROM objects JOIN pictures ON "
                "objects.picture = pictures.digest WHERE location = ? AND picture <> ?)",
                (seen.location, seen.digest),
            )
            rows.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)", seen)

    def notes(self) -> dict[str, Any]:
        """What was noted of the store as a whole."""
        with self._open() as rows:
            return {key: json.loads(text) for key, text in rows.execute("SELECT * FROM notes")}

    def note(self, notes: Mapping[str, Any]) -> None:
        """Note something of the store as a whole: JSON values by name."""
        with self._write() as rows:
            rows.executemany(
                "INSERT OR REPLACE INTO notes VALUES (?, ?)",
                [(key, json.dumps(value)) for key, value in notes.items()],
            )

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction; whatever goes wrong inside it changes nothing."""
        with self._open() as rows:
            rows.execute("BEGIN IMMEDIATE")
            try:
                yield rows
                rows.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    rows.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._in_words(), contextlib.closing(self._connect()) as rows:
            yield rows

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        """What goes wrong, as a :class:`StoreError`."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreError(
                f"cannot use {self._path}: {error}",
                hint="check the folder, its permissions and the space on its disk",
            ) from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                raise  # a defect, and no damage
            self._log.warning("store damaged", file=str(self._path), reason=str(error))
            self.remove()
            raise StoreError(
                f"{self._path} was damaged, and removed", hint="it is read again from Label Studio"
            ) from error
        except OSError as error:
            raise StoreError(
                f"cannot use {self._path}: {error.strerror}",
                hint="check the folder and its permissions",
            ) from error

    def remove(self) -> None:
        """Remove the file."""
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        rows = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
        try:
            self._path.chmod(0o600)
            rows.text_factory = _text
            rows.execute("PRAGMA journal_mode = WAL")
            rows.execute("PRAGMA synchronous = NORMAL")
            rows.execute("PRAGMA foreign_keys = ON")
            rows.execute("PRAGMA secure_delete = ON")
            if _layout(rows) != LAYOUT:
                # Another process may be about to do the same.
                script = f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;"
                rows.executescript(script)
        except BaseException:
            rows.close()
            raise
        return rows


def _layout(rows: sqlite3.Connection) -> int:
    """The version of a file's tables; 0 of a new file.

    Raises:
        sqlite3.DatabaseError: It is of another release.
    """
    (layout,) = rows.execute("PRAGMA user_version").fetchone()
    if layout not in (0, LAYOUT):
        raise sqlite3.DatabaseError(f"its layout is {layout}")
    return int(layout)


def _text(data: bytes) -> str:
    """A text of the file; a damaged one is found by its row's checksum, and none is an error."""
    return data.decode("utf-8", "replace")
