"""A lock between processes, which one that dies lets go."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone(path: Path, patience_s: float = 0.0) -> Iterator[bool]:
    """Hold a lock.

    Args:
        path: Its file; made if it is missing, in a folder that exists.
        patience_s: How long to wait for another process.

    Yields:
        Whether no other process holds it.

    Raises:
        OSError: The file cannot be used.
        sqlite3.Error: It cannot, either.
    """
    with contextlib.closing(
        sqlite3.connect(path, timeout=patience_s, isolation_level=None)
    ) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        yield lock.in_transaction
