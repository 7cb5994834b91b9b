"""Objects that were carried through pages, until Label Studio has stored them.

With auto-accept off, a request's answer takes the place of all suggestions before it, those on
other pages among them. So what was answered is kept, and answered once more beside what is new.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from edgeflow_backend.memory.byte_lru import ByteLRU
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

    def waits(self, sent: Sequence[str], stored: Container[str]) -> bool:
        """Whether it is among the suggestions that wait, as far as can be told.

        Args:
            sent: Ids of all prompts of a request: those of waiting suggestions are sent again.
            stored: Ids of the regions that the annotator has before them.
        """
        return not self.prompts.isdisjoint(sent) and any(
            answer.after.region_id not in stored for answer in self.answers.values()
        )


@dataclass(frozen=True)
class _Tracks:
    """The objects of one sequence, newest first."""

    tracks: tuple[Track, ...] = ()

    @property
    def nbytes(self) -> int:
        return 1000 + sum(
            answer.nbytes for track in self.tracks for answer in track.answers.values()
        )


class TrackMemory:
    """The objects of this process. Thread-safe; bounded in bytes.

    Args:
        max_bytes: Bytes of all masks together; what was not asked for longest goes first.
    """

    def __init__(self, max_bytes: int) -> None:
        self._places: ByteLRU[str, _Tracks] = ByteLRU(max_bytes)
        self._lock = threading.Lock()

    def note(self, place: str, track: Track) -> None:
        """Remember an object; it takes the place of what was known of it.

        Args:
            place: Identifies a sequence in a task, and labels.
            track: The object.
        """
        with self._lock:
            before = (self._places.get(place) or _Tracks()).tracks
            others = [each for each in before if each.id != track.id]
            self._places.put(place, _Tracks((track, *others[: TRACKS_KEPT - 1])))

    def waiting(
        self, place: str, sent: Sequence[str], stored: Container[str], author: str
    ) -> Track | None:
        """The object whose suggestions wait beside a request; see :meth:`Track.waits`."""
        tracks = self._of(place, author)
        return next((track for track in tracks if track.waits(sent, stored)), None)

    def called(self, place: str, key: str, author: str) -> Track | None:
        """The object of an id."""
        return next((track for track in self._of(place, author) if track.id == key), None)

    def _of(self, place: str, author: str) -> list[Track]:
        tracks = (self._places.get(place) or _Tracks()).tracks
        return [track for track in tracks if track.author in ("", author)]
