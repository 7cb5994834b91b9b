"""What a process saw in a task, as others are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class PlaceSigns:
    """What a process saw in a task, for others. Times are seconds ago; infinite for never.

    Attributes:
        arrived: When the request came that was answered last.
        last: When it was answered.
        last_ids: Its points.
        answered: When each point was last answered, oldest first.
        several: When more than one annotator was last seen.
        waiting: When points were last seen that an answer had left in their places.
        accepting: When an answer's points were last seen to be gone at once.
        rushed: Points sent again before they were answered, or answered as several objects'.
        unsure: When points were answered as one object's though nothing told that they were.
        author: Whose draft was last seen.
    """

    arrived: float
    last: float
    last_ids: frozenset[str]
    answered: Mapping[str, float]
    several: float
    waiting: float
    accepting: float
    rushed: frozenset[str]
    unsure: Mapping[frozenset[str], float]
    author: str


class SignStore(Protocol):
    """Keeps the signs of a task for other processes, as far as it can."""

    def load(self, place: str) -> list[PlaceSigns]:
        """What other processes saw in a task."""
        ...

    def save(self, place: str, signs: PlaceSigns) -> None:
        """Keep what this process knows of a task."""
        ...
