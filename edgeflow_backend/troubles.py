"""What went wrong lately, and how it goes else: the memory behind the ``/status`` page.

Label Studio shows a failed click as nothing at all, so its reason must be found here. All of it is
bounded, thread-safe, lives as long as the process, and holds words only: no request bodies, tokens,
queries of addresses, labelling configs or tracebacks.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from hashlib import sha256
from typing import Literal

import numpy as np

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.label_config import MAX_LENGTH, parse_label_config, problems
from edgeflow_backend.log import get_logger

MAX_TROUBLES = 100
MAX_PROJECTS = 200
MAX_PROBLEMS = 20
"""Problems kept of one labelling config; what is over is counted."""

MAX_DURATIONS = 200
"""Predictions over which times are summed up."""

TEXT_LENGTH = 500
NAME_LENGTH = 64

Clock = Callable[[], datetime]
Place = Literal["setup", "predict"]


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Trouble:
    """A way in which requests of one project fail.

    Attributes:
        id: 8 hex digits; also in the log and in the answers of these requests.
        project: see :func:`project_key`; empty where the request did not get that far.
        task: of the last such request.
        count: of such requests.
        first: when the first came, UTC.
        last: when the last came.
    """

    id: str
    code: str
    message: str
    hint: str
    project: str
    task: str
    count: int
    first: datetime
    last: datetime


class Troubles:
    """The last ways in which interactive requests failed. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._troubles: OrderedDict[tuple[str, str, str], Trouble] = OrderedDict()
        self._total = 0

    def note(
        self, code: str, message: str, hint: str = "", *, project: str = "", task: str = ""
    ) -> str:
        """Remember a failed request; one that failed like another is counted with it.

        Args:
            code: of the error.
            message: of the error.
            hint: what can be done about it.
            project: by :func:`project_key`.
            task: its id.

        Returns:
            The trouble's id, for the log and the answer.
        """
        code, project, task = (clean(name, NAME_LENGTH) for name in (code, project, task))
        message, hint = clean(message), clean(hint)
        key = (code, message, project)
        now = self._clock()
        with self._lock:
            self._total += 1
            known = self._troubles.pop(key, None)
            if known is None:
                trouble = Trouble(
                    secrets.token_hex(4), code, message, hint, project, task, 1, now, now
                )
            else:
                trouble = replace(known, hint=hint, task=task, count=known.count + 1, last=now)
            self._troubles[key] = trouble
            if len(self._troubles) > MAX_TROUBLES:
                self._troubles.popitem(last=False)
        return trouble.id

    @property
    def total(self) -> int:
        """Requests that failed since the start, forgotten ones too."""
        with self._lock:
            return self._total

    def recent(self) -> list[Trouble]:
        """What is remembered, newest first."""
        with self._lock:
            return list(reversed(self._troubles.values()))


@dataclass(frozen=True)
class ConfigCheck:
    """What the labelling config of a project was found to be like.

    Attributes:
        project: see :func:`project_key`.
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
            project: by :func:`project_key`.
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


@dataclass(frozen=True)
class Speed:
    """How long predictions took.

    Attributes:
        count: of predictions since the start.
        measured: of those, over so many the times are summed up.
        median_ms: milliseconds; None without predictions.
        p95_ms: 95th percentile, likewise.
        last: when the last one was there, UTC.
    """

    count: int
    measured: int
    median_ms: float | None
    p95_ms: float | None
    last: datetime | None


class Durations:
    """How long the last predictions took. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds: deque[float] = deque(maxlen=MAX_DURATIONS)
        self._count = 0
        self._last: datetime | None = None

    def add(self, seconds: float) -> None:
        """Note a prediction that took ``seconds``, from the parsed request to the region."""
        now = self._clock()
        with self._lock:
            self._seconds.append(seconds)
            self._count += 1
            self._last = now

    def speed(self) -> Speed:
        """Sum up."""
        with self._lock:
            seconds, count, last = list(self._seconds), self._count, self._last
        if not seconds:
            return Speed(count, 0, None, None, last)
        median, p95 = np.percentile(seconds, (50, 95)) * 1000
        return Speed(count, len(seconds), float(median), float(p95), last)


class Journal:
    """All that one application remembers for its status page."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.clock = clock
        self.started = clock()
        self.troubles = Troubles(clock)
        self.checks = ProjectChecks(clock)
        self.durations = Durations(clock)


def project_key(project: object, host: str = "") -> str:
    """What tells projects apart: ``12``, or ``team-b/12`` where there are several Label Studios.

    Args:
        project: as requests have it: ``<id>.<time of creation>``, an id, or nothing.
        host: name of the Label Studio that asks.
    """
    number = str(project or "").partition(".")[0][:NAME_LENGTH]
    return f"{host}/{number}" if host else number


_JOINERS = "\u200c\u200d"
"""Invisible, but several scripts spell with them."""

_SECRETS = [
    (re.compile(pattern, re.IGNORECASE), shown)
    for pattern, shown in (
        # The user, password, query and fragment of an address.
        (
            r"""\b([a-z][a-z0-9+.-]{0,20}://)(?:[^\s/?#'"<>]*@)?([^\s?#'"<>]*)(?:[?#][^\s'"<>]*)?""",
            r"\1\2",
        ),
        (r"""(?<=[^\s'"<>(])\?[^\s'"<>=]{0,200}=[^\s'"<>]*""", "?…"),
        (r"""\bdata:[^\s'"<>]+""", "data:…"),
        # Label Studio's tokens: a scheme and a value, 40 hex digits, or a signed one (JWT).
        (r"""\b(token|bearer|basic)\s+(?=[^\s'"<>]*\d)[^\s'"<>]{16,}""", r"\1 …"),
        (r"\b[0-9a-f]{32,}\b", "…"),
        (r"\beyJ[\w-]{10,}(?:\.[\w-]*)*", "…"),
    )
]


def clean(text: str, limit: int = TEXT_LENGTH) -> str:
    """One printable line of at most ``limit`` characters, without what may be a secret.

    Our own errors hold none; this is the second lock on that door, since the page shows what
    messages quote from requests.
    """
    text = text[: limit * 4]  # before the expressions see it
    text = " ".join(text.split())
    text = "".join(x if x.isprintable() or x in _JOINERS else "�" for x in text)
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


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
