"""Checks of the labelling configs that recent requests brought."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.tags import MAX_LENGTH
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.config_check import check as check_config
from edgeflow_backend.status.failures import Clock, utc_now
from edgeflow_backend.status.redact import NAME_LENGTH, clean

MAX_PROJECTS = 200

MAX_PROBLEMS = 20
"""Problems remembered of one labelling config; the rest are only counted."""

Place = Literal["setup", "predict"]
"""Endpoint of the request that brought a labelling config."""


@dataclass(frozen=True)
class ConfigCheck:
    """The outcome of checking a project's labelling config.

    Attributes:
        project: Project key.
        problems: Problems in words, each with how to fix it; empty if the config is fine.
        last_seen: When a request last brought this config, UTC.
        place: Endpoint of that request.
    """

    project: str
    problems: tuple[str, ...]
    last_seen: datetime
    place: Place


class ConfigChecks:
    """Checks of the labelling configs of the last projects. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._checks: OrderedDict[str, tuple[bytes, ConfigCheck]] = OrderedDict()

    def check(self, project: str, xml: object, place: Place) -> tuple[str, ...]:
        """Check a project's labelling config, unless it is the one that was checked last.

        Cheap enough for every request: an unchanged config is hashed, not parsed. Never raises.

        Args:
            project: Project key.
            xml: Labelling config as in the request; only its hash is stored.
            place: Endpoint of the request.

        Returns:
            The problems in words, each with how to fix it.
        """
        project = clean(project, NAME_LENGTH)
        digest = _digest(xml)
        with self._lock:
            last_digest, last = self._checks.get(project, (None, None))
        # Parsed outside the lock: a large config must not hold up everybody's clicks.
        texts = last.problems if last and last_digest == digest else _problems(xml)
        check = ConfigCheck(project, texts, self._clock(), place)
        with self._lock:
            self._checks[project] = (digest, check)
            self._checks.move_to_end(project)
            if len(self._checks) > MAX_PROJECTS:
                self._checks.popitem(last=False)
        return texts

    def recent(self) -> list[ConfigCheck]:
        """The remembered checks, newest first."""
        with self._lock:
            return [check for _, check in reversed(self._checks.values())]


def _digest(xml: object) -> bytes:
    if not isinstance(xml, str):
        return b""
    # All configs over the limit have the same problem.
    return sha256(xml[: MAX_LENGTH + 1].encode("utf-8", "surrogatepass")).digest()


def _problems(xml: object) -> tuple[str, ...]:
    log = get_logger()
    try:
        texts = check_config(xml)
    except EdgeFlowError as error:
        texts = [f"{error.message}; {error.hint}."]
    except Exception:
        # A click must not fail because its config could not be examined.
        log.exception("labelling config not examined")
        texts = ["The labelling config could not be examined; see the backend's log."]
    cleaned = [clean(text) for text in texts[:MAX_PROBLEMS]]
    if len(texts) > MAX_PROBLEMS:
        cleaned.append(f"And {len(texts) - MAX_PROBLEMS} more.")
    return tuple(cleaned)
