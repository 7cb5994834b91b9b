"""Trainings of a machine take turns."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.versions.lock import alone

LOCK = ".training.lock"


class BusyError(StoreError):
    """Another training runs on this machine."""

    code = "training_busy"


@contextlib.contextmanager
def only_training(folder: Path) -> Iterator[None]:
    """Hold the lock of this machine's trainings.

    Args:
        folder: Of what is learnt; made if it is missing.

    Raises:
        BusyError: Another training runs.
        StoreError: The folder cannot be written.
    """
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mine = held.enter_context(alone(folder / LOCK))
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"cannot use {folder / LOCK}: {getattr(error, 'strerror', None) or error}",
                hint="check EDGEFLOW_LEARN_DIR and its permissions",
            ) from error
        if not mine:
            raise BusyError("another training runs on this machine", hint="wait until it has ended")
        yield
