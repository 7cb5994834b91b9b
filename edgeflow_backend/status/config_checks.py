"""What the labelling configs of recent projects were found to be like."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.config_check import problems
from edgeflow_backend.protocol.label_config import MAX_LENGTH, parse_label_config
from edgeflow_backend.status.failures import Clock, utc_now
from edgeflow_backend.status.redact import NAME_LENGTH, clean

MAX_PROJECTS = 200


MAX_PROBLEMS = 20
"""Problems kept of one labelling config; what is over is counted."""


Place = Literal["setup", "predict"]


@dataclass(frozen=True)
class ConfigCheck:
    """What the labelling config of a project was found to be like.

    Attributes:
        project: A ``ProjectRef`` as text.
        problems: in words, each with the way out; none if all is fine.
        seen: when a request last brought this config, UTC.
        place: the address of that request.
    """

    project: str
    problems: tuple[str, ...]
    seen: datetime
    place: Place


class ProjectChecks:
    """The labelling configs of the projects that asked last. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._checks: OrderedDict[str, tuple[bytes, ConfigCheck]] = OrderedDict()

    def check(self, project: str, xml: object, place: Place) -> tuple[str, ...]:
        """Check a project's labelling config, unless it is the one that was checked last.

        Cheap enough for every request: an unchanged config is hashed, not parsed. Never raises.

        Args:
            project: A ``ProjectRef`` as text.
            xml: as the request has it; only its hash is kept.
            place: the address that was asked.

        Returns:
            The problems in words, each with the way out.
        """
        project = clean(project, NAME_LENGTH)
        digest = _digest(xml)
        with self._lock:
            known, check = self._checks.get(project, (None, None))
        # Parsed outside the lock: a large config must not hold up everybody's clicks.
        found = check.problems if check and known == digest else _problems(xml)
        check = ConfigCheck(project, found, self._clock(), place)
        with self._lock:
            self._checks[project] = (digest, check)
            self._checks.move_to_end(project)
            if len(self._checks) > MAX_PROJECTS:
                self._checks.popitem(last=False)
        return found

    def recent(self) -> list[ConfigCheck]:
        """What is remembered, the project that asked last first."""
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
        found = problems(parse_label_config(xml))
    except EdgeFlowError as error:
        found = [f"{error.message}; {error.hint}."]
    except Exception:
        # A click must not fail because its config could not be examined.
        log.exception("labelling config not examined")
        found = ["The labelling config could not be examined; see the backend's log."]
    shown = [clean(problem) for problem in found[:MAX_PROBLEMS]]
    if len(found) > MAX_PROBLEMS:
        shown.append(f"And {len(found) - MAX_PROBLEMS} more.")
    return tuple(shown)
