"""Answers of the last seconds, which Label Studio has not stored yet.

With "auto-accept" on, every click arrives alone, and the editor saves its draft only five seconds
after the first change. Until then nothing but this memory knows the object that a click belongs to.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

from cachetools import TTLCache

from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.segmented_object import SegmentedObject

WINDOW_S = 10.0
"""Label Studio saves a draft 5 s after its first change; twice that allows for slow servers."""

SHAPE_WINDOW_S = 300.0
"""A drawn shape is not sent again with the clicks that follow it, so its answer is kept longer."""

SCENE_LIFE_S = 300.0
"""How long evidence of a second annotator, or of auto-accept being off, counts."""

HUMAN_PACE_S = 0.25
"""Nobody picks the label again, aims and clicks sooner after an answer than this."""

ANSWERS_A_SCENE = 16


@dataclass(frozen=True, eq=False)
class RecentAnswer:
    """A prompt and its answer.

    Attributes:
        before: The object before the prompt.
        after: The object with the prompt's clicks.
        prompt_ids: Ids of the prompt's regions.
        to_name: The image's name in the labelling config.
        item_index: The image in a task of several.
        mask: The answer.
        drawn: Whether the prompt was drawn, not clicked.
        author: Whose draft the task held; empty where it held none.
    """

    before: SegmentedObject
    after: SegmentedObject
    prompt_ids: tuple[str, ...]
    to_name: str
    item_index: int | None
    mask: MaskPatch
    drawn: bool = False
    author: str = ""

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        return self.mask.nbytes + 1000 + 200 * len(self.after.recorded)


@dataclass
class _Scene:
    """The memory of an image in a task; times are the clock's seconds.

    Attributes:
        answers: Newest first, each with its time.
        visits: First prompt ids of the requests under way.
        last_visit: When the last request ended, and its first prompt id.
        several_at: When more than one annotator was last seen.
        waiting_at: When points of an answer that is not accepted were last seen.
        author: Whose draft was last seen.
    """

    answers: tuple[tuple[float, RecentAnswer], ...] = ()
    visits: tuple[str, ...] = ()
    last_visit: tuple[float, str] = (-math.inf, "")
    several_at: float = -math.inf
    waiting_at: float = -math.inf
    author: str = ""

    @property
    def nbytes(self) -> int:
        return 1000 + sum(answer.nbytes for _, answer in self.answers)


class RecentAnswers:
    """The last answers in each scene (an image in a task). Thread-safe; bounded in bytes and time.

    Label Studio does not say whose click it is, and an answer of one annotator must not become
    another's. A draft names its annotator: an answer given beside somebody's draft is used for that
    one alone, and drafts of two people tell that there are two. Beyond that, an answer that no
    draft shows is used only where all signs are of one person with auto-accept on: requests come
    one after the other, at a human pace, each with one point.

    Args:
        max_bytes: Bytes of all scenes together.
        clock: Seconds; ``time.monotonic`` unless a test says otherwise.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._max_bytes = max_bytes
        self._scenes: TTLCache[str, _Scene] = TTLCache(
            max_bytes, SCENE_LIFE_S, timer=clock, getsizeof=lambda scene: scene.nbytes
        )

    @contextlib.contextmanager
    def visit(self, scene: str, prompt_ids: Sequence[str], author: str = "") -> Iterator[None]:
        """Note a request while it is under way, and what it tells about who clicks.

        Args:
            scene: Identifies an image in a task.
            prompt_ids: Ids of the prompt's regions.
            author: Whose draft the task holds; empty for none.
        """
        first = prompt_ids[0]
        with self._change(scene) as state:
            now = self._clock()
            ended, last = state.last_visit
            others = any(visitor != first for visitor in state.visits)
            hurried = now - ended < HUMAN_PACE_S and last != first
            strangers = bool(author and state.author) and author != state.author
            state.several_at = now if others or hurried or strangers else state.several_at
            state.author = author or state.author
            state.waiting_at = now if len(prompt_ids) > 1 else state.waiting_at
            state.visits = (*state.visits, first)
        try:
            yield
        finally:
            with self._change(scene) as state:
                visits = list(state.visits)
                with contextlib.suppress(ValueError):
                    visits.remove(first)
                state.visits = tuple(visits)
                state.last_visit = (self._clock(), first)

    def remember(self, scene: str, answer: RecentAnswer) -> None:
        """Note an answer; it takes the place of an older one to the same prompt."""
        with self._change(scene) as state:
            now = self._clock()
            answers = [(now, answer)]
            room = self._max_bytes // 4 - answer.nbytes
            for when, older in state.answers[: ANSWERS_A_SCENE - 1]:
                room -= older.nbytes
                replaced = older.prompt_ids == answer.prompt_ids
                if not replaced and now - when < SHAPE_WINDOW_S and room >= 0:
                    answers.append((when, older))
            if answer.nbytes <= self._max_bytes // 4:
                state.answers = tuple(answers)

    def of(self, scene: str, stored: Container[str], author: str = "") -> list[RecentAnswer]:
        """The answers in a scene that a click may refine: each region's newest, newest first.

        Args:
            scene: Identifies an image in a task.
            stored: Ids of the regions that Label Studio has stored; answers to those are used for
                as long as the draft may lag behind.
            author: Whose draft the task holds; empty for none.
        """
        with self._lock:
            state = self._scenes.get(scene, _Scene())
            now = self._clock()
        alone = now - state.several_at > SCENE_LIFE_S
        accepting = alone and now - state.waiting_at > SCENE_LIFE_S
        newest: dict[str, tuple[float, RecentAnswer]] = {}
        for when, answer in state.answers:
            if answer.author not in ("", author):
                continue
            newest.setdefault(answer.after.region_id, (when, answer))
        return [
            answer
            for when, answer in newest.values()
            if _counts(answer, now - when, stored, alone=alone, accepting=accepting)
        ]

    def repeated(self, scene: str, prompt_ids: Sequence[str]) -> RecentAnswer | None:
        """The last answer to a prompt that began with the same point, however old."""
        with self._lock:
            state = self._scenes.get(scene, _Scene())
        same = (a for _, a in state.answers if a.prompt_ids[0] == prompt_ids[0])
        return next(same, None)

    @contextlib.contextmanager
    def _change(self, scene: str) -> Iterator[_Scene]:
        with self._lock:
            state = self._scenes.pop(scene, None) or _Scene()
            yield state
            with contextlib.suppress(ValueError):  # larger than the whole cache
                self._scenes[scene] = state


def _counts(
    answer: RecentAnswer, age: float, stored: Container[str], *, alone: bool, accepting: bool
) -> bool:
    if answer.after.region_id in stored:
        return age < WINDOW_S
    if answer.drawn:
        return alone and age < SHAPE_WINDOW_S
    return accepting and age < WINDOW_S
