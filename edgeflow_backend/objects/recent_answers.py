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
"""So long signs of a second annotator, or of auto-accept being off, are heeded."""

HUMAN_PACE_S = 0.25
"""Nobody picks the label again, aims and clicks sooner after an answer than this."""

ANSWERS_A_SCENE = 16


@dataclass(frozen=True, eq=False)
class RecentAnswer:
    """A prompt that was answered.

    Attributes:
        before: the object before the prompt.
        after: the object with the prompt's clicks.
        prompt_ids: ids of the prompt's regions.
        to_name: the image's name in the labelling config.
        item_index: the image in a task of several.
        mask: the answer.
        drawn: whether the prompt was a shape.
    """

    before: SegmentedObject
    after: SegmentedObject
    prompt_ids: tuple[str, ...]
    to_name: str
    item_index: int | None
    mask: MaskPatch
    drawn: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        return self.mask.nbytes + 1000 + 200 * len(self.after.past)


@dataclass
class _Scene:
    """What is known of an image in a task.

    Attributes:
        answers: newest first, each with its time.
        visits: first prompt ids of the requests under way.
        left: when the last request ended, and its first prompt id.
        several_at: when more than one annotator was last seen.
        waiting_at: when points of an answer that is not accepted were last seen.
    """

    answers: tuple[tuple[float, RecentAnswer], ...] = ()
    visits: tuple[str, ...] = ()
    left: tuple[float, str] = (-math.inf, "")
    several_at: float = -math.inf
    waiting_at: float = -math.inf

    @property
    def nbytes(self) -> int:
        return 1000 + sum(answered.nbytes for _, answered in self.answers)


class RecentAnswers:
    """The last answers in each scene (an image in a task). Thread-safe; bounded in bytes and time.

    Label Studio does not say whose click it is, and an answer of one annotator must not become
    another's. So an answer that no draft shows is used only where all signs are of one person with
    auto-accept on: requests come one after the other, at a human pace, each with one point.

    Args:
        max_bytes: of all scenes.
        clock: seconds; ``time.monotonic`` unless a test says otherwise.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._max_bytes = max_bytes
        self._scenes: TTLCache[str, _Scene] = TTLCache(
            max_bytes, SCENE_LIFE_S, timer=clock, getsizeof=lambda scene: scene.nbytes
        )

    @contextlib.contextmanager
    def visit(self, scene: str, prompt_ids: Sequence[str]) -> Iterator[None]:
        """While a request is under way; what it tells about who clicks is noted."""
        first = prompt_ids[0]
        with self._change(scene) as known:
            now = self._clock()
            ended, last = known.left
            others = any(visitor != first for visitor in known.visits)
            hurried = now - ended < HUMAN_PACE_S and last != first
            known.several_at = now if others or hurried else known.several_at
            known.waiting_at = now if len(prompt_ids) > 1 else known.waiting_at
            known.visits = (*known.visits, first)
        try:
            yield
        finally:
            with self._change(scene) as known:
                visits = list(known.visits)
                with contextlib.suppress(ValueError):
                    visits.remove(first)
                known.visits = tuple(visits)
                known.left = (self._clock(), first)

    def remember(self, scene: str, answered: RecentAnswer) -> None:
        """Note an answer; it takes the place of an older one to the same prompt."""
        with self._change(scene) as known:
            now = self._clock()
            kept = [(now, answered)]
            room = self._max_bytes // 4 - answered.nbytes
            for when, older in known.answers[: ANSWERS_A_SCENE - 1]:
                room -= older.nbytes
                replaced = older.prompt_ids == answered.prompt_ids
                if not replaced and now - when < SHAPE_WINDOW_S and room >= 0:
                    kept.append((when, older))
            if answered.nbytes <= self._max_bytes // 4:
                known.answers = tuple(kept)

    def of(self, scene: str, stored: Container[str]) -> list[RecentAnswer]:
        """The answers in a scene that a click may go on with: each region's newest, newest first.

        Args:
            scene: an image in a task.
            stored: ids of the regions that Label Studio has stored; answers to those are used for
                as long as the draft may lag behind.
        """
        with self._lock:
            known = self._scenes.get(scene, _Scene())
            now = self._clock()
        alone = now - known.several_at > SCENE_LIFE_S
        accepting = alone and now - known.waiting_at > SCENE_LIFE_S
        newest: dict[str, tuple[float, RecentAnswer]] = {}
        for when, answered in known.answers:
            newest.setdefault(answered.after.region_id, (when, answered))
        return [
            answered
            for when, answered in newest.values()
            if _counts(answered, now - when, stored, alone=alone, accepting=accepting)
        ]

    def repeated(self, scene: str, prompt_ids: Sequence[str]) -> RecentAnswer | None:
        """The last answer to a prompt that began with the same point, however old."""
        with self._lock:
            known = self._scenes.get(scene, _Scene())
        same = (a for _, a in known.answers if a.prompt_ids[0] == prompt_ids[0])
        return next(same, None)

    @contextlib.contextmanager
    def _change(self, scene: str) -> Iterator[_Scene]:
        with self._lock:
            known = self._scenes.pop(scene, None) or _Scene()
            yield known
            with contextlib.suppress(ValueError):  # larger than the whole cache
                self._scenes[scene] = known


def _counts(
    answered: RecentAnswer, age: float, stored: Container[str], *, alone: bool, accepting: bool
) -> bool:
    if answered.after.region_id in stored:
        return age < WINDOW_S
    if answered.drawn:
        return alone and age < SHAPE_WINDOW_S
    return accepting and age < WINDOW_S
