"""Answers of the last seconds, which Label Studio has not stored yet.

With "auto-accept" on, every click arrives alone, and the editor saves its draft only five seconds
after the first change. Until then nothing but this memory knows the object that a click belongs to.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cachetools import TTLCache

from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.signs import Visit
from edgeflow_backend.objects.task_regions import NO_DRAFT, Draft
from edgeflow_backend.protocol.prompt import Prompt

WINDOW_S = 10.0
"""Label Studio saves a draft 5 s after its first change; twice that allows for slow servers."""

SHAPE_WINDOW_S = 300.0
"""A drawn shape is not sent again with the clicks that follow it, so its answer is kept longer."""

SHOWN_S = 3.0
"""A draft that was saved so much later than an answer was made after the editor had the answer."""

ANSWERS_A_SCENE = 128
"""One click may suggest many objects, each of which the next click may refine."""


@dataclass(frozen=True, eq=False)
class RecentAnswer:
    """A prompt and its answer.

    Attributes:
        before: The object before the prompt.
        after: The object with the prompt's clicks; without a start if it began as the very mask.
        prompt_ids: Ids of the prompt's regions.
        to_name: The image's name in the labelling config.
        item_index: The image in a task of several.
        mask: The answer.
        score: Of the mask, 0 to 1.
        model_version: Version of the model that made it.
        drawn: Whether the prompt was drawn, not clicked.
        waits: Whether it is a suggestion that waits to be accepted, as far as its points tell.
        prompt: The prompt.
        author: Whose draft the task held; empty where it held none.
        draft: When that draft had been saved, as Label Studio writes it.
    """

    before: SegmentedObject
    after: SegmentedObject
    prompt_ids: tuple[str, ...]
    to_name: str
    item_index: int | None
    mask: MaskPatch
    score: float = 0.0
    model_version: str = ""
    drawn: bool = False
    waits: bool = False
    prompt: Prompt | None = None
    author: str = ""
    draft: str = ""

    @property
    def shown(self) -> SegmentedObject:
        """The object as the annotator sees it, which a later click goes on from."""
        shown = replace(self.after, exists=True)
        if shown.from_mask and shown.start is None:
            return replace(shown, start=PriorMask(self.mask.whole()))
        return shown

    def noted(self, waits: bool, draft: Draft) -> RecentAnswer:
        """The answer as it is remembered.

        Args:
            waits: Whether it is a suggestion that waits to be accepted.
            draft: The task's newest; an empty one for none.
        """
        return replace(self, waits=waits, author=draft.author, draft=draft.saved)

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        return self.mask.nbytes + 1000 + 200 * len(self.after.recorded)


@dataclass
class _Scene:
    """The memory of an image in a task.

    Attributes:
        answers: Newest first, each with its time in the clock's seconds.
    """

    answers: tuple[tuple[float, RecentAnswer], ...] = ()

    @property
    def nbytes(self) -> int:
        return 1000 + sum(answer.nbytes for _, answer in self.answers)


class AnswerStore(Protocol):
    """Keeps recent answers for other processes, as far as it can."""

    def load(self, scene: str, size: Size) -> list[tuple[float, RecentAnswer]]:
        """Answers of other processes in a scene, newest first, and how many seconds old they are.

        Args:
            scene: Identifies an image in a task.
            size: Size of that image.
        """
        ...

    def save(self, scene: str, answer: RecentAnswer) -> None:
        """Keep an answer that was given now; it takes the place of one to the same prompt."""
        ...


class RecentAnswers:
    """The last answers in each scene (an image in a task). Thread-safe; bounded in bytes and time.

    Label Studio does not say whose click it is, and an answer of one annotator must not become
    another's. A draft names its annotator: an answer given beside somebody's draft is used for that
    one alone. Beyond that, an answer that no draft shows is used only where all signs are of one
    person with auto-accept on; see :mod:`edgeflow_backend.objects.signs`.

    Args:
        max_bytes: Bytes of all scenes together.
        clock: Seconds; ``time.monotonic`` unless a test says otherwise.
        store: Where they outlive this process; None for nowhere.
        wall: POSIX time; ``time.time`` unless a test says otherwise.
    """

    def __init__(
        self,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        store: AnswerStore | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._wall = wall
        self._store = store
        self._lock = threading.Lock()
        self._clock = clock
        self._max_bytes = max_bytes
        self._scenes: TTLCache[str, _Scene] = TTLCache(
            max_bytes, SHAPE_WINDOW_S, timer=clock, getsizeof=lambda scene: scene.nbytes
        )

    def remember(self, scene: str, answer: RecentAnswer) -> None:
        """Note an answer; it takes the place of an older one to the same prompt."""
        if answer.nbytes <= self._max_bytes // 4:
            with self._change(scene) as state:
                now = self._clock()
                others = [each for each in state.answers if not _replaces(answer, each[1])]
                state.answers = self._fitting([(now, answer), *others], now)
        if self._store is not None:
            self._store.save(scene, answer)

    def bring(self, scene: str, size: Size) -> None:
        """Note what other processes answered, one that has ended since among them.

        Args:
            scene: Identifies an image in a task.
            size: Size of that image.
        """
        theirs = self._store.load(scene, size) if self._store is not None else []
        if not theirs:
            return
        with self._change(scene) as state:
            now = self._clock()
            answers = list(state.answers)
            for age, answer in theirs:
                same = [each for each in answers if _replaces(answer, each[1])]
                if all(when < now - age for when, _ in same):
                    answers = [each for each in answers if each not in same]
                    answers.append((now - age, answer))
            answers.sort(key=lambda each: each[0], reverse=True)
            state.answers = self._fitting(answers, now)

    def of(
        self, scene: str, stored: Container[str], visit: Visit, draft: Draft = NO_DRAFT
    ) -> list[RecentAnswer]:
        """The answers in a scene that a click may refine: each region's newest, newest first.

        An answer whose region the draft lacks, though it was saved after the annotator had it, was
        rejected, deleted or undone.

        Args:
            scene: Identifies an image in a task.
            stored: Ids of the regions that Label Studio has stored; answers to those are used for
                as long as the draft may lag behind.
            visit: The click's request.
            draft: The task's newest; an empty one for none.
        """
        with self._lock:
            state = self._scenes.get(scene, _Scene())
            now = self._clock()
        saved_ago = draft.age(self._wall())
        newest: dict[str, tuple[float, RecentAnswer]] = {}
        for when, answer in state.answers:
            if answer.author not in ("", draft.author):
                continue
            newest.setdefault(answer.after.region_id, (when, answer))
        return [
            answer
            for when, answer in newest.values()
            if _counts(answer, now - when, stored, visit)
            and not _removed(answer, now - when, draft, saved_ago, visit)
        ]

    def repeated(self, scene: str, prompt_ids: Sequence[str]) -> RecentAnswer | None:
        """The last answer to a prompt that began with the same point, however old."""
        with self._lock:
            state = self._scenes.get(scene, _Scene())
        same = (a for _, a in state.answers if a.prompt_ids[0] == prompt_ids[0])
        return next(same, None)

    def accepted(self, scene: str, visit: Visit) -> list[RecentAnswer]:
        """The answers that took several points for one object, and that auto-accept accepted.

        An answer whose region was refined since is not among them.
        """
        with self._lock:
            state = self._scenes.get(scene, _Scene())
        newest: dict[str, RecentAnswer] = {}
        for _, answer in state.answers:
            newest.setdefault(answer.after.region_id, answer)
        several = [points for points in visit.accepted if len(points) > 1]
        return [each for each in newest.values() if frozenset(each.prompt_ids) in several]

    def _fitting(
        self, answers: Sequence[tuple[float, RecentAnswer]], now: float
    ) -> tuple[tuple[float, RecentAnswer], ...]:
        """The newest answers of a scene, as many as there is room and time for."""
        kept, room = [], self._max_bytes // 4
        for when, answer in answers[:ANSWERS_A_SCENE]:
            room -= answer.nbytes
            if now - when < SHAPE_WINDOW_S and room >= 0:
                kept.append((when, answer))
        return tuple(kept)

    @contextlib.contextmanager
    def _change(self, scene: str) -> Iterator[_Scene]:
        with self._lock:
            state = self._scenes.pop(scene, None) or _Scene()
            yield state
            with contextlib.suppress(ValueError):  # larger than the whole cache
                self._scenes[scene] = state


def _counts(answer: RecentAnswer, age: float, stored: Container[str], visit: Visit) -> bool:
    if answer.waits:
        return False  # drafts tell what becomes of it
    if answer.after.region_id in stored:
        return age < WINDOW_S
    if answer.drawn:
        return visit.alone and age < SHAPE_WINDOW_S
    return visit.accepting and age < WINDOW_S


def _removed(
    answer: RecentAnswer, age: float, draft: Draft, saved_ago: float | None, visit: Visit
) -> bool:
    """Whether a draft shows that the annotator has an answer no more.

    A draft with the request's own points was saved after the click. Another must be newer than the
    one that the answer's request held, whatever the two machines' clocks say, and much newer than
    the answer. What still has its points there was not accepted yet.
    """
    if answer.prompt is None or answer.after.region_id in draft.ids:
        return False  # one that was found has no points that would tell
    if not draft.ids.isdisjoint(answer.prompt_ids):
        return False
    if visit.ids <= draft.ids:
        return True
    if saved_ago is None or draft.saved == answer.draft:
        return False
    return age - saved_ago > SHOWN_S


def _replaces(answer: RecentAnswer, older: RecentAnswer) -> bool:
    return answer.prompt_ids == older.prompt_ids
