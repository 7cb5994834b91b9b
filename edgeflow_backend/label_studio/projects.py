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
from edgeflow_backend.label_studio.access import open_api
from edgeflow_backend.log import get_logger
from edgeflow_backend.settings import Settings

REFRESH_S = 60.0
"""After so long a request has its project asked for again; it takes what is remembered."""

KEEP_S = 300.0
"""What is older than this counts no more: somebody may have changed the project since."""

RETRY_S = 10.0
"""How long after a failure Label Studio is asked again."""

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
    """What is remembered of a project; times are the clock's seconds."""

    told: Project | Unknown = NOT_YET
    told_at: float = -math.inf
    next_at: float = -math.inf

    def counts(self, now: float) -> bool:
        return isinstance(self.told, Unknown) or now - self.told_at < KEEP_S


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

    def of(self, host: str, project: str) -> Project | Unknown:
        """What is known of a project now; has Label Studio asked in the background where due.

        Args:
            host: Name of the Label Studio; empty for the default one.
            project: The project's id, as in requests.
        """
        key, now = (host, project), self._clock()
        with self._lock:
            entry = self._entries.get(key) or _Entry()
            self._entries[key] = entry
            due = now >= entry.next_at and self._waiting < MAX_WAITING
            if due:
                self._waiting += 1
                entry.next_at = math.inf  # until it is known how it went
        if due:
            with contextlib.suppress(RuntimeError):  # closed
                self._submit(lambda: self._refresh(key))
        with self._lock:
            return entry.told if entry.counts(self._clock()) else NOT_YET

    def known(self) -> list[tuple[Key, Project | Unknown]]:
        """What is known of the projects that asked last."""
        with self._lock:
            now = self._clock()
            return [(key, e.told if e.counts(now) else NOT_YET) for key, e in self._entries.items()]

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _refresh(self, key: Key) -> None:
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
            entry, now = self._entries.get(key) or _Entry(), self._clock()
            failed = isinstance(told, Unknown)
            entry.next_at = now + (RETRY_S if failed else REFRESH_S)
            if not failed or isinstance(entry.told, Unknown) or not entry.counts(now):
                entry.told, entry.told_at = told, now
            self._entries[key] = entry


def ask_label_studio(settings: Settings) -> Callable[[Key], Project]:
    """Asks the Label Studios of the settings; keeps their access tokens.

    Args:
        settings: The backend's.
    """
    apis: dict[str, LabelStudioAPI] = {}

    def ask(key: Key) -> Project:
        host, project = key
        studio = settings.label_studios.get(host)
        if not project.isascii() or not project.isdigit():
            raise LabelStudioError("the request names no project")
        if studio is None or not studio.url:
            raise LabelStudioError("its URL is not set", hint="set LABEL_STUDIO_URL")
        if host not in apis:
            apis[host] = open_api(settings, host, patience_s=TIMEOUT_S)
        if not apis[host].credentials.has_token:
            setting = apis[host].credentials.token_setting
            raise LabelStudioError("no token is set", hint=f"set {setting}")
        return apis[host].project(int(project))

    return ask
