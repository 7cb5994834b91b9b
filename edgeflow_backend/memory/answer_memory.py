"""What was answered of late at a place in a task, whatever it was."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from edgeflow_backend.memory.byte_lru import ByteLRU

PLACE_BYTES = 1000
"""Of a place without masks."""


class Answered(Protocol):
    """Something that was answered."""

    @property
    def key(self) -> Hashable:
        """Equal for two answers of which the later one takes the other's place."""
        ...

    @property
    def author(self) -> str:
        """Whose draft the task held; empty where it held none."""
        ...

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        ...


A = TypeVar("A", bound=Answered)


@dataclass(frozen=True)
class _Place(Generic[A]):
    """What was answered at a place, newest first."""

    answers: tuple[A, ...] = ()

    @property
    def nbytes(self) -> int:
        return PLACE_BYTES + sum(answer.nbytes for answer in self.answers)


class AnswerMemory(Generic[A]):
    """The answers of this process. Thread-safe; bounded in bytes.

    Args:
        max_bytes: Of all answers together; what was not asked for longest goes first.
        kept: Answers at one place.
    """

    def __init__(self, max_bytes: int, kept: int) -> None:
        self._places: ByteLRU[str, _Place[A]] = ByteLRU(max_bytes)
        self._kept = kept
        self._lock = threading.Lock()

    def note(self, place: str, answer: A) -> None:
        """Remember an answer; it takes the place of an older one with its key.

        Args:
            place: Identifies what may be answered for each other, such as an image in a task, and
                labels.
            answer: What was answered now.
        """
        with self._lock:
            before = self._places.get(place) or _Place[A]()
            others = [each for each in before.answers if each.key != answer.key]
            self._places.put(place, _Place((answer, *others[: self._kept - 1])))

    def of(self, place: str, author: str) -> list[A]:
        """What was answered to an annotator, newest first.

        Args:
            place: As in :meth:`note`.
            author: Whose draft the task holds; empty for none.
        """
        found = self._places.get(place) or _Place[A]()
        return [answer for answer in found.answers if answer.author in ("", author)]
