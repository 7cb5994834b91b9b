"""Recent failures of interactive requests, alike ones counted together."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from edgeflow_backend.redact.texts import NAME_LENGTH, clean

MAX_FAILURES = 100

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Failure:
    """Requests of one project that failed in the same way.

    Attributes:
        id: 8 hex digits; also in the log and in the answers to these requests.
        code: Code of the error.
        message: Message of the error, cleaned.
        hint: What can be done about it, cleaned.
        project: Project key; empty if the request was refused before its project was read.
        task: Id of the last request's task.
        count: Number of such requests.
        first: When the first one came, UTC.
        last: When the last one came, UTC.
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


class Failures:
    """The last ways in which interactive requests failed. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str, str], Failure] = OrderedDict()
        self._total = 0

    def note(
        self, code: str, message: str, hint: str = "", *, project: str = "", task: str = ""
    ) -> str:
        """Remember a failed request; one that failed like an earlier one is counted with it.

        Args:
            code: Code of the error.
            message: Message of the error.
            hint: What can be done about it.
            project: Project key.
            task: Task id.

        Returns:
            The failure's id, for the log and the answer.
        """
        code, project, task = (clean(name, NAME_LENGTH) for name in (code, project, task))
        message, hint = clean(message), clean(hint)
        key = (code, message, project)
        now = self._clock()
        with self._lock:
            self._total += 1
            earlier = self._failures.pop(key, None)
            if earlier is None:
                failure = Failure(
                    secrets.token_hex(4), code, message, hint, project, task, 1, now, now
                )
            else:
                count = earlier.count + 1
                failure = replace(earlier, hint=hint, task=task, count=count, last=now)
            self._failures[key] = failure
            if len(self._failures) > MAX_FAILURES:
                self._failures.popitem(last=False)
        return failure.id

    @property
    def total(self) -> int:
        """Requests that failed since the start, including forgotten ones."""
        with self._lock:
            return self._total

    def recent(self) -> list[Failure]:
        """The remembered failures, newest first."""
        with self._lock:
            return list(reversed(self._failures.values()))
