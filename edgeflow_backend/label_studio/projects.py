"""What Label Studio says of its projects: asked in the background, remembered for a while."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cachetools import LRUCache

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.records import Project
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.log import get_logger
from edgeflow_backend.settings import Settings

REFRESH_S = 60.0
"""After so long a request has its project asked for again; it takes what is remembered."""

OPENED_S = 5.0
"""The same when a task is opened, so that its first click goes by what holds now."""

KEEP_S = 300.0
"""What is older than this counts no more: somebody may have changed the project since."""

RETRY_S = 10.0
"""How long after a failure Label Studio is asked again at the soonest."""

TIMEOUT_S = 10.0
MAX_PROJECTS = 500
MAX_WAITING = 32
"""Questions that wait or are asked; a flood of projects is not asked for."""

WORKERS = 2

Key = tuple[str, str]
"""Name of the Label Studio, empty for the default one, and the project's id as in requests."""


@dataclass(frozen=True)
class Unknown:
    """A project of which nothing is known.

    Attributes:
        reason: Why, as the end of a sentence; may name a setting, never holds a secret.
    """

    reason: str


NOT_YET = Unknown("it has not answered yet")


@dataclass
class _Entry:
    """What is remembered of a project; times are the clock's seconds.

    Attributes:
        told: What Label Studio said last.
        told_at: When.
        tried_at: When it was last asked, whether or not it answered.
        failed: Whether it gave no answer then.
        asking: Whether it is being asked.
    """

    told: Project | Unknown = NOT_YET
    told_at: float = -math.inf
    tried_at: float = -math.inf
    failed: bool = False
    asking: bool = False

    def at(self, now: float) -> Project | Unknown:
        """What still counts."""
        known = isinstance(self.told, Unknown) or now - self.told_at < KEEP_S
        return self.told if known else NOT_YET

    def due(self, now: float, refresh_s: float) -> bool:
        """Whether to ask."""
        pause_s = RETRY_S if self.failed else refresh_s
        return not self.asking and now - self.tried_at >= pause_s


class Projects:
    """The projects that requests come from. Thread-safe; nobody ever waits for Label Studio.

    Args:
        ask: Asks Label Studio for a project; raises :class:`EdgeFlowError`.
        clock: Seconds.
        submit: Runs a function elsewhere; None for threads of its own.
    """

    def __init__(
        self,
        ask: Callable[[Key], Project],
        *,
        clock: Callable[[], float] = time.monotonic,
        submit: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="projects")
        self._submit = submit or self._threads.submit
        self._lock = threading.Lock()
        self._waiting = 0
        self._entries: LRUCache[Key, _Entry] = LRUCache(MAX_PROJECTS)
        self._log = get_logger()

    def of(self, host: str, project: str, *, refresh_s: float = REFRESH_S) -> Project | Unknown:
        """What is known of a project now; has Label Studio asked in the background where due.

        Args:
            host: Name of the Label Studio; empty for the default one.
            project: The project's id, as in requests.
            refresh_s: Seconds after which to ask again.
        """
        key = (host, project)
        with self._lock:
            now = self._clock()
            entry = self._entries.setdefault(key, _Entry())
            due = entry.due(now, refresh_s) and self._waiting < MAX_WAITING
            if due:
                self._waiting += 1
                entry.asking = True
        if due:
            with contextlib.suppress(RuntimeError):  # closed
                self._submit(lambda: self._refresh(key, entry))
        with self._lock:
            return entry.at(self._clock())

    def forget(self, host: str, project: str) -> None:
        """Forget a project that has been changed; what is being asked now is old already."""
        with self._lock:
            self._entries.pop((host, project), None)

    def known(self) -> list[tuple[Key, Project | Unknown]]:
        """What is known of the projects that asked last."""
        with self._lock:
            return [(key, entry.at(self._clock())) for key, entry in self._entries.items()]

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _refresh(self, key: Key, entry: _Entry) -> None:
        told: Project | Unknown
        try:
            told = self._ask(key)
        except EdgeFlowError as error:
            told = Unknown(f"{error.message} ({error.hint})" if error.hint else error.message)
        except Exception:  # noqa: BLE001 - else the question would wait for ever
            self._log.exception("project not read", project=key[1])
            told = Unknown("an unexpected error; see the backend's log")
        with self._lock:
            self._waiting -= 1
            now = self._clock()
            entry.asking, entry.tried_at, entry.failed = False, now, isinstance(told, Unknown)
            # A short failure does not undo what is known.
            if not entry.failed or isinstance(entry.at(now), Unknown):
                entry.told, entry.told_at = told, now


def ask_label_studio(settings: Settings) -> Callable[[Key], Project]:
    """Asks the Label Studios of the settings; keeps their access tokens.

    Args:
        settings: The backend's.
    """
    apis: dict[str, LabelStudioAPI] = {}

    def ask(key: Key) -> Project:
        host, project = key
        if not project.isascii() or not project.isdigit():
            raise LabelStudioError("the request names no project")
        if host not in apis:
            apis[host] = authorised_api(settings, host, patience_s=TIMEOUT_S)
        return apis[host].project(int(project))

    return ask
