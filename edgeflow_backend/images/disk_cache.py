"""Images' files on disk, so that a restart or another process does not fetch them again.

A file is named after its key's SHA-256 and begins with a header: what it is, a checksum over the
rest, and when it was made. Nothing that fails its checks is ever returned.
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
    """A folder of files, capped in bytes and age. Thread-safe; processes may share the folder.

    It only saves work: whatever goes wrong with the folder is logged once and is a miss.
    """

    def __init__(self, folder: Path, *, max_bytes: int, ttl_s: float) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._lock = threading.Lock()
        self._room = 0
        self._warned = False

    def get(self, key: str) -> bytes | None:
        """The bytes under ``key``, which count as used now; None unless they can be trusted."""
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
            with contextlib.suppress(OSError):  # another process removed it, or may only read
                os.utime(path)
        return data

    def put(self, key: str, data: bytes) -> None:
        """Keep ``data``, unless it alone exceeds the cap."""
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

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / name[:2] / name

    def _make_room(self, size: int) -> None:
        """See to it that ``size`` more bytes fit under the cap.

        Looking through the folder takes milliseconds, so one look serves for a sixteenth of the
        cap; by so much each of several processes may exceed it until the next one looks.
        """
        with self._lock:
            if size > self._room:
                margin = max(size, self._max_bytes // 16)
                self._room = min(self._max_bytes - self._sweep(margin), margin)
            self._room -= size

    def _sweep(self, margin: int) -> int:
        """Remove what is too old, then the least recently used, until ``margin`` bytes are free.

        Returns:
            The bytes that are left.
        """
        now = time.time()
        total = 0
        entries: list[tuple[int, int, Path]] = []
        for path in _our_files(self._folder):
            with contextlib.suppress(FileNotFoundError):  # another process sweeps, too
                status = path.lstat()
                if not stat.S_ISREG(status.st_mode):
                    continue
                temporary = path.suffix == TEMPORARY
                if now - status.st_mtime > (ABANDONED_S if temporary else self._ttl_s):
                    path.unlink()
                    continue
                total += status.st_size
                if not temporary:  # those are being written just now
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
                "images are not kept on disk",
                folder=str(self._folder),
                reason=error.strerror or type(error).__name__,
            )


def _our_files(folder: Path) -> Iterator[Path]:
    """Entries and temporary files; whatever else lies in the folder is not ours to count."""
    for shard in folder.iterdir():
        if _SHARD.fullmatch(shard.name) and shard.is_dir():
            for path in shard.iterdir():
                if _ENTRY.fullmatch(path.name):
                    yield path


def _checksum(name: str, created: bytes, data: bytes) -> bytes:
    """Of everything that may not change: a file under another's name is a wrong image."""
    digest = hashlib.sha256(name.encode() + created)
    digest.update(data)
    return digest.digest()


def _seal(name: str, data: bytes) -> bytes:
    created = struct.pack(">d", time.time())
    return MAGIC + _checksum(name, created, data) + created


def _unseal(path: Path, ttl_s: float) -> bytes | None:
    """A file's bytes behind its header; None if it is not what we wrote there, or too old.

    Raises:
        OSError: it cannot be read.
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
    """Write a file in one step, as others see it; only its owner may read it."""
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
