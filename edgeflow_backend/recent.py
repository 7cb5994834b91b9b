"""Answers of the last seconds, which Label Studio has not stored yet.

With "auto-accept" on, every click arrives alone, and the editor saves its draft only five seconds
after the first change. Until then nothing but this memory knows the object that a click belongs to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace

from cachetools import TTLCache

from edgeflow.geometry import Size
from edgeflow.prompts import Click
from edgeflow.starts import Start
from edgeflow_backend.protocol import JSONObject
from edgeflow_backend.provenance import PastClick, Provenance, past_click
from edgeflow_backend.shapes import Surrounding
from edgeflow_backend.stored import MaskCrop, code_length

WINDOW_S = 10.0
"""Label Studio saves a draft 5 s after its first change; twice that allows for slow servers."""

SHAPE_WINDOW_S = 300.0
"""A drawn shape is not sent again with the clicks that follow it, so its answer is kept longer."""

ANSWERS_A_TASK = 16


@dataclass(frozen=True, eq=False)
class ObjectSoFar:
    """An object before a prompt: what it began with, and its clicks up to then.

    Attributes:
        region_id: of the region that shows it.
        control: name of the control that holds it.
        label: as stored; None without one.
        start: what it began with.
        clicks: before the prompt, in image pixels.
        past: the same as they are recorded.
        outline: the drawn outline it began with, as recorded.
        from_mask: whether it began as a mask that no record holds.
        exists: whether the annotator sees it already.
    """

    region_id: str
    control: str
    label: str | None
    start: Start | None = None
    clicks: tuple[Click, ...] = ()
    past: tuple[PastClick, ...] = ()
    outline: Surrounding | None = None
    from_mask: bool = False
    exists: bool = False

    def with_clicks(self, ids: Sequence[str], clicks: Sequence[Click], size: Size) -> ObjectSoFar:
        """The object once a prompt's clicks are added.

        Args:
            ids: of the prompt's regions: one a click, or one for all that stand for a stroke.
            clicks: in image pixels.
            size: the picture's.
        """
        keys = ids if len(ids) == len(clicks) else [ids[0]] * len(clicks)
        past = [past_click(key, click, size) for key, click in zip(keys, clicks, strict=True)]
        return replace(self, clicks=(*self.clicks, *clicks), past=(*self.past, *past))

    def record(self, region: JSONObject, mask: MaskCrop, model: str) -> JSONObject:
        """The object's record, for the ``meta`` of a region that shows it.

        Args:
            region: with its value.
            mask: what the value shows.
            model: version of the model that made it.
        """
        return Provenance(
            object=self.region_id,
            model=model,
            clicks=self.past,
            outline=self.outline,
            from_mask=self.from_mask,
            box=mask.percent_box,
            digest=mask.digest,
            code_length=code_length(region["value"]),
        ).meta()


@dataclass(frozen=True, eq=False)
class Answered:
    """A prompt that was answered.

    Attributes:
        before: the object before the prompt.
        after: the object with the prompt's clicks.
        prompt_ids: ids of the prompt's regions.
        to_name: the picture's name in the labelling config.
        item_index: the picture in a task of several.
        mask: the answer.
        drawn: whether the prompt was a shape.
    """

    before: ObjectSoFar
    after: ObjectSoFar
    prompt_ids: tuple[str, ...]
    to_name: str
    item_index: int | None
    mask: MaskCrop
    drawn: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        return self.mask.nbytes + 1000 + 200 * len(self.after.past)


class RecentAnswers:
    """The last answers of each task. Thread-safe, bounded in bytes and time."""

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._max_bytes = max_bytes
        self._tasks: TTLCache[str, tuple[tuple[float, Answered], ...]] = TTLCache(
            max_bytes,
            SHAPE_WINDOW_S,
            timer=clock,
            getsizeof=lambda entries: sum(answered.nbytes for _, answered in entries),
        )

    def remember(self, task: str, answered: Answered) -> None:
        """Note an answer; it takes the place of an older one of the same region."""
        if answered.nbytes > self._max_bytes:
            return
        now = self._clock()
        with self._lock:
            kept = [(now, answered)]
            room = self._max_bytes - answered.nbytes
            for when, older in self._tasks.get(task, ())[: ANSWERS_A_TASK - 1]:
                room -= older.nbytes
                replaced = older.after.region_id == answered.after.region_id
                if not replaced and now - when < SHAPE_WINDOW_S and room >= 0:
                    kept.append((when, older))
            self._tasks[task] = tuple(kept)

    def of(self, task: str, stored: Container[str]) -> list[Answered]:
        """The answers of a task that Label Studio may not know yet, newest first.

        Args:
            task: its id.
            stored: ids of the regions that Label Studio has stored.
        """
        now = self._clock()
        with self._lock:
            entries = self._tasks.get(task, ())
        return [
            answered
            for when, answered in entries
            if now - when < WINDOW_S or (answered.drawn and answered.after.region_id not in stored)
        ]
