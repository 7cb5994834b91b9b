"""A clock that tests move by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

START = datetime(2026, 5, 4, 9, 0, tzinfo=timezone.utc)


class Clock:
    """A clock that the test moves on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float = 0, **time: float) -> None:
        self.now += timedelta(seconds=seconds, **time)
