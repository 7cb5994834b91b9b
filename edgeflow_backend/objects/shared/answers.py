"""Recent answers that outlive their process, or are another one's.

Each answer is a value of its own, so that of two processes that answer in one scene none undoes the
other's: the last one wins for each prompt. They end as those of a process do: times are on the wall
clock here, and what comes from the future is refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from edgeflow.geometry import Size
from edgeflow_backend.objects.recent_answers import (
    ANSWERS_A_SCENE,
    SHAPE_WINDOW_S,
    AnswerStore,
    RecentAnswer,
)
from edgeflow_backend.objects.shared.answer_codec import pack_answer, unpack_answer
from edgeflow_backend.shared.ages import age_of
from edgeflow_backend.shared.packing import Packer, SpoiledValueError, Unpacker
from edgeflow_backend.shared.tier import Tier

KIND = "answers"


class SharedAnswers(AnswerStore):
    """Recent answers in the second tier. Thread-safe.

    Args:
        tier: Where they are.
        writer: Names this process, which knows its own answers.
        clock: Seconds since 1970; ``time.time`` unless a test says otherwise.
    """

    def __init__(self, tier: Tier, writer: str, clock: Callable[[], float] = time.time) -> None:
        self._tier, self._writer, self._clock = tier, writer, clock

    def load(self, scene: str, size: Size) -> list[tuple[float, RecentAnswer]]:
        """See :meth:`.AnswerStore.load`."""
        name = self._tier.name(KIND, scene)
        ages: dict[str, float] = {}
        found = []
        for field, body in self._tier.fields(name).items():
            unpacker = Unpacker(body, size.height * size.width)
            try:
                ages[field] = age = age_of(unpacker.real(), self._clock())
                if unpacker.text() == self._writer or age >= SHAPE_WINDOW_S:
                    continue
                found.append((age, unpack_answer(unpacker, size)))
                unpacker.end()
            except SpoiledValueError:
                self._tier.refuse()
        newest = sorted(ages, key=lambda field: ages[field])
        if newest[ANSWERS_A_SCENE:]:
            self._tier.drop_fields(name, newest[ANSWERS_A_SCENE:])
        return sorted(found, key=lambda each: each[0])

    def save(self, scene: str, answer: RecentAnswer) -> None:
        """See :meth:`.AnswerStore.save`."""
        packer = Packer()
        packer.real(self._clock())
        packer.text(self._writer)
        try:
            pack_answer(packer, answer)
        except ValueError:  # of a kind that is not shared
            return
        field = self._tier.name("prompt", json.dumps(answer.prompt_ids)).rpartition(":")[2]
        name = self._tier.name(KIND, scene)
        self._tier.put_field(name, field, packer.bytes(), SHAPE_WINDOW_S)
