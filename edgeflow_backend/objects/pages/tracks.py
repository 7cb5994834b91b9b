"""Objects that were carried through pages, until Label Studio has stored them.

With auto-accept off, a request's answer takes the place of all suggestions before it, those on
other pages among them. So what was answered is kept, and answered once more beside what is new.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from edgeflow_backend.memory.answer_memory import AnswerMemory
from edgeflow_backend.objects.recent_answers import RecentAnswer

TRACKS_KEPT = 16
"""Objects in one sequence of one task."""


@dataclass(frozen=True, eq=False)
class Track:
    """An object on pages.

    Attributes:
        id: Equal in the records of its regions.
        prompts: Ids of all prompts that were sent with it.
        answers: By page; those that were prompted on have a prompt.
        author: Whose draft the task held; empty where it held none.
    """

    id: str
    prompts: frozenset[str] = frozenset()
    answers: Mapping[int, RecentAnswer] = field(default_factory=dict)
    author: str = ""

    @property
    def key(self) -> str:
        """Its id."""
        return self.id

    @property
    def nbytes(self) -> int:
        """Size of its masks in bytes."""
        return sum(answer.nbytes for answer in self.answers.values())

    def waits(self, sent: Sequence[str], stored: Container[str]) -> bool:
        """Whether it is among the suggestions that wait, as far as can be told.

        Args:
            sent: Ids of all prompts of a request: those of waiting suggestions are sent again.
            stored: Ids of the regions that the annotator has before them.
        """
        return not self.prompts.isdisjoint(sent) and any(
            answer.after.region_id not in stored for answer in self.answers.values()
        )


class TrackMemory(AnswerMemory[Track]):
    """The objects of this process, by sequence and labels. Thread-safe; bounded in bytes.

    Args:
        max_bytes: Of all masks together; what was not asked for longest goes first.
    """

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes, TRACKS_KEPT)

    def waiting(
        self, place: str, sent: Sequence[str], stored: Container[str], author: str
    ) -> Track | None:
        """The object whose suggestions wait beside a request; see :meth:`Track.waits`."""
        tracks = self.of(place, author)
        return next((track for track in tracks if track.waits(sent, stored)), None)

    def called(self, place: str, key: str, author: str) -> Track | None:
        """The object of an id."""
        return next((track for track in self.of(place, author) if track.key == key), None)
