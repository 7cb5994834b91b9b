"""Signs of who clicks and how, for Label Studio says neither.

With "auto-accept" off, points stay until the annotator accepts or rejects the suggestion, and each
click sends them again. With it on, an answer accepts its regions and removes all points, so a point
that is sent again is one whose answer had not arrived when the next click was made. The two are
told apart by the time between an answer and the request that still holds its points.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from cachetools import TTLCache

from edgeflow_backend.objects.shared.place_signs import PlaceSigns, SignStore

LIFE_S = 300.0
"""How long evidence of a second annotator, or of auto-accept being off, counts."""

ARRIVED_S = 0.9
"""An answer reaches the editor, and the next click comes back, within this time."""

ARRIVED_LATE_S = 4.0
"""The same for one who was seen to be quick: then a busy Label Studio stalls for seconds."""

LATELY_S = 10.0
"""How long auto-accept counts as on, once it was seen to be."""

AT_ONCE_S = 0.05
"""A request that follows an answer sooner may come from a program that needs no browser."""

HUMAN_PACE_S = 0.1
"""An answer and the click after it take longer than this through Label Studio and a browser."""

BY_HAND_S = 0.7
"""Nobody sees a mask, aims at the tick, and clicks on the next object sooner than this."""

MAX_PLACES = 10_000
MAX_POINTS = 256
MAX_UNSURE = 8


@dataclass(eq=False)
class Visit:
    """A request under way, and what its points tell.

    Attributes:
        ids: Ids of its points.
        alone: Whether all requests look like one annotator's.
        accepting: Whether nothing says that auto-accept is off.
        pending: Whether an earlier point may not have been answered when the newest was clicked.
            Then it cannot be told from the ids whether all are of one object.
        hurried: Whether one was sent again before it was answered, or auto-accept was seen to be on
            lately.
        overtaken: Whether a newer request holds these points and more.
        several: Whether its points were answered as several objects'.
        accepted: If auto-accept was seen to be on: the points of the last answer, and of older ones
            that were taken for one object's while nothing told.
        arrived: When it came, in the clock's seconds.
        author: Whose draft the task holds; empty for none.
        shared: Whether other people's requests may be among those seen.
    """

    ids: frozenset[str]
    alone: bool = True
    accepting: bool = True
    pending: bool = False
    hurried: bool = False
    overtaken: bool = False
    several: bool = False
    accepted: tuple[frozenset[str], ...] = ()
    arrived: float = -math.inf
    author: str = ""
    shared: bool = False

    def waits(self, prompt_ids: Sequence[str]) -> bool:
        """Whether the answer to some of its points is a suggestion that waits to be accepted."""
        return len(prompt_ids) > 1 and not self.pending


@dataclass
class _Place:
    """What is known of a task; times are the clock's seconds.

    Attributes:
        under_way: Requests that are not answered yet.
        last: When an answer was last given, and to which points.
        last_arrived: When that request had come.
        answered: When each point was last answered, oldest first.
        several_at: When more than one annotator was last seen.
        waiting_at: When points were last seen that an answer had left in their places.
        accepting_at: When an answer's points were last seen to be gone at once.
        rushed: Points sent again before they were answered, or answered as several objects'.
        together: Points that came for the first time with others. Each click is sent at once: these
            were made faster than a busy browser sends them, or another process knew the first.
        unsure: Points of answers that took them for one object's, though nothing told that they
            were, and when each was given.
        author: Whose draft was last seen.
    """

    under_way: list[Visit] = field(default_factory=list)
    last: tuple[float, frozenset[str]] = (-math.inf, frozenset())
    last_arrived: float = -math.inf
    answered: dict[str, float] = field(default_factory=dict)
    several_at: float = -math.inf
    waiting_at: float = -math.inf
    accepting_at: float = -math.inf
    rushed: set[str] = field(default_factory=set)
    together: set[str] = field(default_factory=set)
    unsure: dict[frozenset[str], float] = field(default_factory=dict)
    author: str = ""

    def arrive(self, visit: Visit) -> None:
        """Bring the place and a new request up to date with each other."""
        now = visit.arrived
        same = [other for other in self.under_way if other.ids & visit.ids]
        others = [other for other in self.under_way if other not in same]
        if not visit.shared:
            self._see_people(visit, [other for other in others if not self._obsolete(other)])
        visit.alone = not visit.shared and now - self.several_at > LIFE_S
        unanswered = self._see_waiting(visit)
        waiting = self.waiting_at > max(self.accepting_at, now - LIFE_S)
        visit.accepting = visit.alone and not waiting
        visit.pending = len(visit.ids) > 1 and not waiting and (unanswered or bool(same))
        for other in same:
            self.rushed |= visit.ids | other.ids
        new = visit.ids.difference(self.answered, *(other.ids for other in same))
        if len(new) > 1:
            self.together |= new
        visit.hurried = visit.pending and (
            self._accepting(now) or not self.rushed.isdisjoint(visit.ids)
        )
        for older in same:
            older.overtaken = older.overtaken or older.ids < visit.ids
            older.pending = older.hurried = len(older.ids) > 1 and not waiting
        self.under_way.append(visit)

    def leave(self, visit: Visit, now: float) -> None:
        """Note that a request is answered."""
        self.under_way.remove(visit)
        if not self._obsolete(visit):
            self.last, self.last_arrived = (now, visit.ids), visit.arrived
        if visit.several:
            self.rushed |= visit.ids
        elif visit.pending:
            self.unsure[visit.ids] = now
        for key in visit.ids:
            self.answered.pop(key, None)
            self.answered[key] = now
        for key in list(self.answered)[:-MAX_POINTS]:
            del self.answered[key]
            self.rushed.discard(key)
            self.together.discard(key)
        recent = {ids: when for ids, when in self.unsure.items() if now - when < LATELY_S}
        self.unsure = dict(list(recent.items())[-MAX_UNSURE:])

    def learn(self, seen: PlaceSigns, now: float) -> None:
        """Add what another process saw, as if it had been seen here."""
        self.several_at = max(self.several_at, now - seen.several)
        self.waiting_at = max(self.waiting_at, now - seen.waiting)
        self.accepting_at = max(self.accepting_at, now - seen.accepting)
        self.rushed |= seen.rushed
        for ids, ago in seen.unsure.items():
            self.unsure.setdefault(ids, now - ago)
        times = {key: now - ago for key, ago in seen.answered.items()}
        for key, when in self.answered.items():
            times[key] = max(when, times.get(key, -math.inf))
        self.answered = dict(sorted(times.items(), key=lambda each: each[1])[-MAX_POINTS:])
        (ended, ids), theirs = self.last, now - seen.last
        apart = max(self.last_arrived, now - seen.arrived) - min(ended, theirs)
        if ids and seen.last_ids and not ids & seen.last_ids and apart < HUMAN_PACE_S:
            self.several_at = max(self.several_at, ended, theirs)
        if theirs > ended:
            self.last, self.last_arrived = (theirs, seen.last_ids), now - seen.arrived
            self.author = seen.author or self.author

    def signs(self, now: float) -> PlaceSigns:
        """What others should know."""
        return PlaceSigns(
            arrived=now - self.last_arrived,
            last=now - self.last[0],
            last_ids=self.last[1],
            answered={key: now - when for key, when in self.answered.items()},
            several=now - self.several_at,
            waiting=now - self.waiting_at,
            accepting=now - self.accepting_at,
            rushed=frozenset(self.rushed),
            unsure={ids: now - when for ids, when in self.unsure.items()},
            author=self.author,
        )

    def _see_people(self, visit: Visit, others: list[Visit]) -> None:
        """Two at a time are two people; so are two drafts, and a click too soon for one person."""
        ended, ids = self.last
        since = visit.arrived - ended
        gone = not ids & visit.ids
        strangers = bool(visit.author and self.author) and visit.author != self.author
        self.author = visit.author or self.author
        if others or strangers or (gone and since < HUMAN_PACE_S):
            self.several_at = visit.arrived
            for other in others:
                other.alone = other.accepting = False
        elif gone and since < BY_HAND_S:
            self.accepting_at = visit.arrived
            older = (each for each in self.unsure if not each & (ids | visit.ids))
            visit.accepted = (ids, *older)
            self.unsure.clear()

    def _see_waiting(self, visit: Visit) -> bool:
        """Whether an answer to earlier points may have come too late for the newest click."""
        known = [self.answered[key] for key in visit.ids if key in self.answered]
        if not known or len(visit.ids) < 2:
            return False
        since, new = visit.arrived - max(known), len(visit.ids) - len(known)
        rushed = not self.rushed.isdisjoint(visit.ids)
        late = self._accepting(visit.arrived) or new > 1 or rushed
        patient = late or not self.together.isdisjoint(visit.ids)
        if since < (ARRIVED_LATE_S if patient else ARRIVED_S):
            return late or since >= AT_ONCE_S
        if new == 1:  # each click of a slow annotator has a request of its own
            self.waiting_at = visit.arrived
        return False

    def _accepting(self, now: float) -> bool:
        return self.accepting_at > max(self.waiting_at, now - LATELY_S)

    def _obsolete(self, visit: Visit) -> bool:
        """Whether others answered all its points meanwhile."""
        return all(self.answered.get(key, -math.inf) > visit.arrived for key in visit.ids)


class Signs:
    """The signs seen in each place lately. Thread-safe; bounded in places, points and time.

    Args:
        clock: Seconds; ``time.monotonic`` unless a test says otherwise.
        store: Where they outlive this process; None for nowhere.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, store: SignStore | None = None
    ) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._clock = clock
        self._places: TTLCache[str, _Place] = TTLCache(MAX_PLACES, LIFE_S, timer=clock)

    @contextlib.contextmanager
    def visit(
        self,
        place: str,
        prompt_ids: Sequence[str],
        author: str = "",
        *,
        shared: bool = False,
    ) -> Iterator[Visit]:
        """Note a request while it is under way.

        Args:
            place: Identifies a task.
            prompt_ids: Ids of the prompt's regions, oldest first.
            author: Whose draft the task holds; empty for none.
            shared: Whether several people may annotate the task. Then only a request's own points
                tell anything.
        """
        visit = Visit(frozenset(prompt_ids), arrived=self._clock(), author=author, shared=shared)
        others = self._store.load(place) if self._store is not None else []
        with self._lock:
            known = self._places.pop(place, None) or _Place()
            for seen in others:
                known.learn(seen, self._clock())
            known.arrive(visit)
            self._places[place] = known
        try:
            yield visit
        finally:
            with self._lock:
                known.leave(visit, self._clock())
                signs = known.signs(self._clock()) if self._store is not None else None
            if self._store is not None and signs is not None:
                self._store.save(place, signs)
