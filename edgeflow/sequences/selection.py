"""Which frames of a sequence are taken."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from edgeflow.errors import EdgeFlowError

_CLOCK = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,9}(?:\.\d{1,6})?)", re.ASCII)

_TIE = 1e-6
"""Share of a slot by which a time may miss it: times are fractions of seconds, rounded."""


class Stamp(NamedTuple):
    """A frame's place in its sequence.

    Attributes:
        number: From 0 on.
        seconds: Since the beginning; for pictures of a folder, which have no time, its number.
    """

    number: int
    seconds: float


@dataclass(frozen=True)
class Selection:
    """Which frames of a sequence are taken.

    Attributes:
        every: Of so many frames the first is taken.
        per_second: Frames taken of a second at most, instead; None for what ``every`` says.
        start: First second.
        end: Second before which the last one lies; None for the end.
    """

    every: int = 1
    per_second: float | None = None
    start: float = 0.0
    end: float | None = None

    def chosen(self, stamps: Iterable[Stamp]) -> Iterator[Stamp]:
        """Those that are taken; no further ones are asked for than needed."""
        first: int | None = None
        slot = -1
        for stamp in stamps:
            if self.end is not None and stamp.seconds >= self.end:
                return
            if stamp.seconds < self.start:
                continue
            first = stamp.number if first is None else first
            if self.per_second is None:
                if (stamp.number - first) % self.every == 0:
                    yield stamp
                continue
            mine = math.floor((stamp.seconds - self.start) * self.per_second + _TIE)
            if mine > slot:
                slot = mine
                yield stamp


def seconds_of(text: str) -> float:
    """A time such as ``90``, ``1:30`` or ``0:01:30.5`` in seconds.

    Raises:
        EdgeFlowError: It is none.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise EdgeFlowError(
            f"{text!a} is no time", hint="write seconds, or minutes and seconds: 90, 1:30, 1:02:03"
        )
    hours, minutes, seconds = match.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def clock(seconds: float) -> str:
    """Seconds as ``m:ss``, or ``h:mm:ss`` from an hour on."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
