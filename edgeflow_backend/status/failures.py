"""The ways in which recent requests failed."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from edgeflow_backend.status.redact import NAME_LENGTH, clean

MAX_FAILURES = 100


Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Failure:
    """A way in which requests of one project fail.

    Attributes:
        id: 8 hex digits; also in the log and in the answers of these requests.
        project: A ``ProjectRef`` as text; empty where the request did not get that far.
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


class Failures:
    """The last ways in which interactive requests failed. Thread-safe."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._troubles: OrderedDict[tuple[str, str, str], Failure] = OrderedDict()
        self._total = 0

    def note(
        self, code: str, message: str, hint: str = "", *, project: str = "", task: str = ""
    ) -> str:
        """Remember a failed request; one that failed like another is counted with it.

        Args:
            code: of the error.
            message: of the error.
            hint: what can be done about it.
            project: A ``ProjectRef`` as text.
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
                trouble = Failure(
                    secrets.token_hex(4), code, message, hint, project, task, 1, now, now
                )
            else:
                trouble = replace(known, hint=hint, task=task, count=known.count + 1, last=now)
            self._troubles[key] = trouble
            if len(self._troubles) > MAX_FAILURES:
                self._troubles.popitem(last=False)
        return trouble.id

    @property
    def total(self) -> int:
        """Requests that failed since the start, forgotten ones too."""
        with self._lock:
            return self._total

    def recent(self) -> list[Failure]:
        """What is remembered, newest first."""
        with self._lock:
            return list(reversed(self._troubles.values()))
