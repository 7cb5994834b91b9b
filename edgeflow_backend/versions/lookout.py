"""Which version each project is served by, as files say that any process may change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import versions_of
from edgeflow_backend.versions.store import Versions
from edgeflow_backend.versions.version import Learnt

LOOK_S = 1.0
"""Between two looks at a project's file."""


class _Seen(NamedTuple):
    at: float
    stamp: tuple[int, ...]
    base: str
    learnt: Learnt | None


class Lookout:
    """Knows the served version of each project in the settings. Thread-safe.

    Args:
        settings: The backend's.
        clock: Seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stores: dict[ProjectRef, Versions] = {
            ref: versions_of(settings, ref)
            for ref in (ProjectRef(host, number) for host, number in settings.learning)
        }
        self._seen: dict[ProjectRef, _Seen] = {}
        self._lock = threading.Lock()

    @property
    def projects(self) -> list[ProjectRef]:
        """Those that may have versions."""
        return list(self._stores)

    def served(self, project: ProjectRef, base: str) -> Learnt | None:
        """The version that answers a project's clicks; None for the base weights.

        Args:
            project: The project.
            base: SHA-256 of the weights that answer otherwise; empty if it is not known, and then
                no version does.
        """
        store = self._stores.get(project)
        if store is None or not base:
            return None
        now = self._clock()
        with self._lock:
            seen = self._seen.get(project)
            if seen is not None and seen.base == base and 0 <= now - seen.at < LOOK_S:
                return seen.learnt
            stamp = store.stamp()
            if seen is not None and (seen.base, seen.stamp) == (base, stamp):
                learnt = seen.learnt
            else:
                version = store.serving(base)
                learnt = None
                if version is not None:
                    learnt = Learnt(project, version.number, version.checkpoint.version)
            self._seen[project] = _Seen(now, stamp, base, learnt)
            return learnt
