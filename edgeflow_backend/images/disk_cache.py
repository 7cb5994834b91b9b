"""Image files cached on disk, so that a restart or another process does not fetch them again.

A file is named after its key's SHA-256 and begins with a header: the kind of file, a checksum of
the rest, and the time of creation. A file that fails these checks is never returned.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from edgeflow_backend.log import get_logger

MAGIC = b"EFPICT\x00\x01"
"""Kind of file; the last byte is the version of its layout."""

CHECKSUM_BYTES = hashlib.sha256().digest_size
HEADER_BYTES = len(MAGIC) + CHECKSUM_BYTES + 8
TEMPORARY = ".tmp"
ABANDONED_S = 3600.0
"""A temporary file older than this belongs to a process that died."""

_CLOCK_SLACK_S = 60.0
_SHARD = re.compile(r"[0-9a-f]{2}")
_ENTRY = re.compile(rf"[0-9a-f]{{64}}(\.\w+{re.escape(TEMPORARY)})?")


class DiskCache:
    """A folder of files, limited in bytes and age. Thread-safe; processes may share the folder.

    The cache only saves work: an error of the folder is logged once and counts as a miss.

    Args:
        folder: Folder of the files, created when it is first written to.
        max_bytes: Limit of all files together.
        ttl_s: Seconds after which a file expires.
    """

    def __init__(self, folder: Path, *, max_bytes: int, ttl_s: float) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._lock = threading.Lock()
        self._room = 0
        self._warned = False

    def get(self, key: str) -> bytes | None:
        """The bytes under ``key``, marked as used now; None if missing, expired or damaged."""
        path = self._path(key)
        try:
            data = _unseal(path, self._ttl_s)
            if data is None:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(error)
            return None
        if data is not None:
            with contextlib.suppress(
                OSError
            ):  # another process removed it, or the folder is read-only
                os.utime(path)
        return data

    def put(self, key: str, data: bytes) -> None:
        """Store ``data``, unless it alone exceeds the limit."""
        size = HEADER_BYTES + len(data)
        if size > self._max_bytes:
            return
        path = self._path(key)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._make_room(size)
            _write(path, _seal(path.name, data), data)
        except OSError as error:
            self._warn(error)

    def expire(self) -> None:
        """Remove what has expired, without waiting for room to be needed."""
        try:
            self._sweep(0)
        except FileNotFoundError:  # nothing was ever stored
            return
        except OSError as error:
            self._warn(error)

    @property
    def nbytes(self) -> int:
        """Bytes of all files; 0 where the folder cannot be read."""
        try:
            return sum(path.lstat().st_size for path in _cache_files(self._folder))
        except OSError:
            return 0

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / name[:2] / name

    def _make_room(self, size: int) -> None:
        """Make ``size`` more bytes fit under the limit.

        Sweeping the folder takes milliseconds, so one sweep makes room for a sixteenth of the
        limit. Each of several processes may exceed the limit by that much until the next sweep.
        """
        with self._lock:
            if size > self._room:
                margin = max(size, self._max_bytes // 16)
                self._room = min(self._max_bytes - self._sweep(margin), margin)
            self._room -= size

    def _sweep(self, margin: int) -> int:
        """Remove expired files, then the least recently used, until ``margin`` bytes are free.

        Returns:
            Bytes of the remaining files.
        """
        now = time.time()
        total = 0
        entries: list[tuple[int, int, Path]] = []
        for path in _cache_files(self._folder):
            with contextlib.suppress(FileNotFoundError):  # another process may sweep, too
                status = path.lstat()
                if not stat.S_ISREG(status.st_mode):
                    continue
                temporary = path.suffix == TEMPORARY
                if now - status.st_mtime > (ABANDONED_S if temporary else self._ttl_s):
                    path.unlink()
                    continue
                total += status.st_size
                if not temporary:  # temporary files are just being written
                    entries.append((status.st_mtime_ns, status.st_size, path))
        for _, size, path in sorted(entries):
            if total + margin <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            get_logger().warning(
                "images are not cached on disk",
                folder=str(self._folder),
                reason=error.strerror or type(error).__name__,
            )


def _cache_files(folder: Path) -> Iterator[Path]:
    """Entries and temporary files of the cache; other files in the folder are left alone."""
    for shard in folder.iterdir():
        if _SHARD.fullmatch(shard.name) and shard.is_dir():
            for path in shard.iterdir():
                if _ENTRY.fullmatch(path.name):
                    yield path


def _checksum(name: str, created: bytes, data: bytes) -> bytes:
    """Checksum of name, time and data; with the name, since a renamed file is a wrong image."""
    digest = hashlib.sha256(name.encode() + created)
    digest.update(data)
    return digest.digest()


def _seal(name: str, data: bytes) -> bytes:
    created = struct.pack(">d", time.time())
    return MAGIC + _checksum(name, created, data) + created


def _unseal(path: Path, ttl_s: float) -> bytes | None:
    """A file's bytes after its header; None if it is damaged or expired.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
            return None
        data = file.read()
    checksum, created = header[len(MAGIC) : -8], header[-8:]
    if checksum != _checksum(path.name, created, data):
        return None
    age_s = time.time() - float(struct.unpack(">d", created)[0])
    return data if -_CLOCK_SLACK_S <= age_s <= ttl_s else None


def _write(path: Path, header: bytes, data: bytes) -> None:
    """Write a file atomically; only its owner may read it."""
    descriptor, name = tempfile.mkstemp(TEMPORARY, f"{path.name}.", path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(header)
            file.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
