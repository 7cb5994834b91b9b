"""Starts trainings when they are due, one at a time, and ends what runs when the backend ends."""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeflow.learning.due import due
from edgeflow_backend.learning.training.record import read_record
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings

COMMAND = (sys.executable, "-m", "edgeflow_backend.learning.training")

PATIENCE_S = 8.0
"""How long a training has to end by itself, and to write what it has learnt.

A part of a step, which is finished first, takes a second or three on a busy machine. Our own server
ends 9 s after it was told to, Docker waits for 10, Kubernetes for as long as the manifests say.
"""


class Trainer:
    """Runs trainings as processes. Thread-safe.

    Args:
        settings: The backend's.
        ended: Called with the project when its training has ended.
        command: What is started, without the project.
    """

    def __init__(
        self,
        settings: Settings,
        ended: Callable[[ProjectRef], None] = lambda _project: None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._settings = settings
        self._ended = ended
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._log = get_logger()
        atexit.register(self.close)  # in a container, all processes end with the backend's

    def consider(
        self, project: ProjectRef, objects: int, folder: Path, *, asked: bool = False
    ) -> bool:
        """Start a project's training if one is due and none runs; returns whether it was started.

        Args:
            project: The project.
            objects: Accepted objects that count.
            folder: The project's folder.
            asked: Whether somebody asked for it.
        """
        if not self._settings.learn_train:
            return False
        record = read_record(folder)
        last = None if record is None else record.last
        if not due(objects, last, first=self._settings.learn_first, asked=asked):
            return False
        with self._lock:
            if self._closed or self._process is not None:
                return False
            try:
                process = subprocess.Popen(  # noqa: S603 - our own module
                    [*self._command, *project],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
            except OSError as error:
                self._log.warning("no training started", reason=error.strerror)
                return False
            self._process = process
        self._log.info("training started", project=str(project), objects=objects)
        threading.Thread(
            target=self._wait, args=(process, project), name="training", daemon=True
        ).start()
        return True

    @property
    def running(self) -> bool:
        """Whether a training runs."""
        with self._lock:
            return self._process is not None

    def close(self) -> None:
        """End what runs, and start nothing more."""
        with self._lock:
            self._closed, process = True, self._process
        atexit.unregister(self.close)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait(self, process: subprocess.Popen[bytes], project: ProjectRef) -> None:
        status = process.wait()
        with self._lock:
            self._process, closed = None, self._closed
        if status:
            self._log.warning("training ended", project=str(project), status=status)
        if not closed:
            self._ended(project)
