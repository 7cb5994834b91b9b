"""Checks of the labelling configs that recent requests brought."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Literal

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.tags import MAX_LENGTH
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.config_check import RECOMMENDED, Findings, examine
from edgeflow_backend.redact.texts import NAME_LENGTH, clean
from edgeflow_backend.status.failures import Clock, utc_now

MAX_PROJECTS = 200

MAX_PROBLEMS = 20
"""Problems, and warnings, remembered of one labelling config; the rest are only counted."""

Place = Literal["setup", "predict"]
"""Endpoint of the request that brought a labelling config."""


@dataclass(frozen=True)
class ConfigCheck:
    """The outcome of checking a project's labelling config.

    Attributes:
        project: Project key.
        problems: Problems in words, each with how to fix it; empty if the config is fine.
        warnings: What it does to Label Studio's own exports, each with how to avoid it.
        last_seen: When a request last brought this config, UTC.
        place: Endpoint of that request.
    """

    project: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
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
        if last is None or last_digest != digest:
            last = self._checked(project, _examine(xml), place)
        self._remember(digest, replace(last, last_seen=self._clock(), place=place))
        return last.problems

    def setup(self, project: str, xml: object) -> JSONObject:
        """Like :meth:`check`; what ``/setup`` answers of it.

        Args:
            project: Project key.
            xml: Labelling config as in the request.

        Returns:
            ``problems``, ``warnings`` and, where there are any of either, ``recommended``: a config
            without them.
        """
        found = _examine(xml)
        check = self._checked(clean(project, NAME_LENGTH), found, "setup")
        self._remember(_digest(xml), check)
        for text in (*check.problems, *check.warnings):
            get_logger().warning("labelling config", project=project, text=text)
        answer: JSONObject = {"problems": list(check.problems), "warnings": list(check.warnings)}
        return answer | {"recommended": found.recommended} if any(answer.values()) else answer

    def recent(self) -> list[ConfigCheck]:
        """The remembered checks, newest first."""
        with self._lock:
            return [check for _, check in reversed(self._checks.values())]

    def _checked(self, project: str, found: Findings, place: Place) -> ConfigCheck:
        return ConfigCheck(
            project, _few(found.problems), _few(found.warnings), self._clock(), place
        )

    def _remember(self, digest: bytes, check: ConfigCheck) -> None:
        with self._lock:
            self._checks[check.project] = (digest, check)
            self._checks.move_to_end(check.project)
            if len(self._checks) > MAX_PROJECTS:
                self._checks.popitem(last=False)


def _digest(xml: object) -> bytes:
    if not isinstance(xml, str):
        return b""
    # All configs over the limit have the same problem.
    return sha256(xml[: MAX_LENGTH + 1].encode("utf-8", "surrogatepass")).digest()


def _examine(xml: object) -> Findings:
    log = get_logger()
    try:
        return examine(xml)
    except EdgeFlowError as error:
        text = f"{error.message}; {error.hint}."
    except Exception:
        # A click must not fail because its config could not be examined.
        log.exception("labelling config not examined")
        text = "The labelling config could not be examined; see the backend's log."
    return Findings([text], [], RECOMMENDED)


def _few(texts: list[str]) -> tuple[str, ...]:
    cleaned = [clean(text) for text in texts[:MAX_PROBLEMS]]
    if len(texts) > MAX_PROBLEMS:
        cleaned.append(f"And {len(texts) - MAX_PROBLEMS} more.")
    return tuple(cleaned)
