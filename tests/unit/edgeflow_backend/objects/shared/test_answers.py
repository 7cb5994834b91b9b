from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import Start
from edgeflow_backend.objects.recent_answers import (
    ANSWERS_A_SCENE,
    SHAPE_WINDOW_S,
    WINDOW_S,
    RecentAnswer,
    RecentAnswers,
)
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.shared.answer_codec import pack_answer, unpack_answer
from edgeflow_backend.objects.shared.answers import KIND, SharedAnswers
from edgeflow_backend.objects.signs import Visit
from edgeflow_backend.objects.task_regions import Draft
from edgeflow_backend.protocol.prompts import ClickPrompt
from edgeflow_backend.protocol.wire import OUTLINE_REGION
from edgeflow_backend.shared.packing import Packer, SpoiledValueError, Unpacker
from edgeflow_backend.shared.tier import Tier
from tests.contract.wire import keypoint
from tests.redis_server import RedisServer, tier_of

SIZE = Size(480, 640)
SCENE = "|1|7|abc"
VISIT = Visit(frozenset({"x"}))
DRAWN = OUTLINE_REGION.validate_python(
    {
        "type": "rectanglelabels",
        "id": "box",
        "from_name": "box",
        "to_name": "image",
        "value": {"x": 1, "y": 2, "width": 30, "height": 40, "rectanglelabels": ["Object"]},
    }
)


def mask(side: int = 100) -> MaskPatch:
    whole = np.zeros(SIZE, dtype=np.bool_)
    whole[50 : 50 + side, 60 : 60 + side] = np.random.default_rng(side).random((side, side)) > 0.3
    return MaskPatch.of(whole)


def answered(
    *keys: str, region: str = "region", author: str = "", start: Start | None = None, **more: object
) -> RecentAnswer:
    regions = [keypoint(20 + n, 30, key=key) for n, key in enumerate(keys or ("k",))]
    prompt = ClickPrompt.parse(regions, max_clicks=9)
    before = SegmentedObject(region, "mask", ("Object",), start=start)
    after = before.with_clicks(prompt.ids, [Click(ImagePoint(9.5, 7.25))] * len(regions), SIZE)
    answer = RecentAnswer(
        before, after, prompt.ids, "image", None, mask(), 0.875, "v1", prompt=prompt, author=author
    )
    return replace(answer, **more)  # type: ignore[arg-type]


def same(one: object, other: object) -> bool:
    """Whether all that two values hold is equal."""
    if isinstance(one, PriorMask | Outline | MaskPatch):
        return isinstance(other, type(one)) and one.digest == other.digest
    if isinstance(one, RecentAnswer | SegmentedObject):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    return one == other


ANSWERS = {
    "a click": answered(),
    "several": answered(
        *("a", "b", "c"),
        item_index=3,
        waits=True,
        author="ann@example.com",
        draft="2026-11-28T15:52:44.425287Z",
    ),
    "on a mask": answered(start=PriorMask(mask().whole())),
    "on a lasso": answered(start=Outline(Box(50, 60, 150, 160), mask().whole())),
    "drawn": answered(
        after=replace(answered().after, outline=DRAWN, clicks=(), recorded=()),
        drawn=True,
        prompt=None,
    ),
    "divided": answered(
        before=replace(answered().before, region_id="one", start=PriorMask(mask().whole())),
        after=replace(answered().after, from_mask=True, exists=True),
    ),
    "with a strange name": answered(to_name="im\ud800age\0"),
}


def packed(answer: RecentAnswer) -> bytes:
    packer = Packer()
    pack_answer(packer, answer)
    return packer.bytes()


def unpacked(data: bytes, size: Size = SIZE) -> RecentAnswer:
    unpacker = Unpacker(data, size.height * size.width)
    answer = unpack_answer(unpacker, size)
    unpacker.end()
    return answer


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_comes_out_as_it_went_in(answer: RecentAnswer) -> None:
    found = unpacked(packed(answer))
    assert same(found, answer)
    if answer.before.start is answer.after.start:
        assert found.before.start is found.after.start


def test_an_answer_is_small() -> None:
    assert len(packed(answered(start=PriorMask(mask().whole())))) < 5000


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(ANSWERS)), st.data())
def test_spoiled_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    code = bytearray(packed(ANSWERS[name]))
    code[data.draw(st.integers(0, len(code) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(SpoiledValueError):
        unpacked(bytes(code[: data.draw(st.integers(0, len(code)))]))


def test_an_answer_of_another_image_is_refused() -> None:
    for size in (Size(480, 641), Size(100, 100)):
        with pytest.raises(SpoiledValueError):
            unpacked(packed(answered()), size)


class Clocks:
    """A monotonic clock that a process has for itself, and the wall's."""

    def __init__(self) -> None:
        self.now, self.wall = 1000.0, 1_800_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.wall

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def tier(shared_redis: RedisServer) -> Iterator[Tier]:
    tier = tier_of(shared_redis, key="k" * 16)
    yield tier
    tier.close()


def memory(tier: Tier, clocks: Clocks, name: str) -> RecentAnswers:
    """The memory of a process."""
    store = SharedAnswers(tier, name, clocks.time)
    return RecentAnswers(10_000_000, clocks.monotonic, store)


def seen(recent: RecentAnswers, author: str = "", visit: Visit = VISIT) -> list[str]:
    recent.bring(SCENE, SIZE)
    draft = Draft(author=author)
    return [answer.after.region_id for answer in recent.of(SCENE, (), visit, draft)]


def test_another_process_knows_what_was_answered(tier: Tier, clocks: Clocks) -> None:
    answer = answered("a", region="one", start=PriorMask(mask().whole()))
    memory(tier, clocks, "first").remember(SCENE, answer)
    clocks.sleep(3)
    other = memory(tier, clocks, "second")
    other.bring(SCENE, SIZE)
    (found,) = other.of(SCENE, (), VISIT)
    assert same(found, answer)
    again = other.repeated(SCENE, answer.prompt_ids)
    assert again is found
    assert other.of("another scene", (), VISIT) == []


def test_answers_end_when_they_would_have_ended(tier: Tier, clocks: Clocks) -> None:
    first = memory(tier, clocks, "first")
    first.remember(SCENE, answered("a", region="clicked"))
    first.remember(SCENE, answered("b", region="drawn", drawn=True))
    clocks.sleep(WINDOW_S - 1)
    assert sorted(seen(memory(tier, clocks, "second"))) == ["clicked", "drawn"]
    clocks.sleep(2)
    assert seen(memory(tier, clocks, "third")) == ["drawn"] == seen(first)
    clocks.sleep(SHAPE_WINDOW_S)
    assert seen(memory(tier, clocks, "fourth")) == [] == seen(first)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_jumps_costs_the_answers_and_nothing_else(
    tier: Tier, clocks: Clocks, jump: float
) -> None:
    first = memory(tier, clocks, "first")
    first.remember(SCENE, answered("a", region="one"))
    clocks.wall += jump
    assert seen(memory(tier, clocks, "second")) == []
    assert seen(first) == ["one"], "its own memory does not ask the wall"
    first.remember(SCENE, answered("b", region="two"))
    assert seen(memory(tier, clocks, "third")) == ["two"]


def test_the_newest_of_two_processes_answers_to_a_prompt_wins(tier: Tier, clocks: Clocks) -> None:
    first, second = memory(tier, clocks, "first"), memory(tier, clocks, "second")
    first.remember(SCENE, answered("a", region="old"))
    clocks.sleep(1)
    second.remember(SCENE, answered("a", region="new"))
    clocks.sleep(1)
    assert seen(first) == ["new"] == seen(second) == seen(memory(tier, clocks, "third"))
    first.remember(SCENE, answered("a", region="newest"))
    assert seen(second) == ["newest"]


def test_two_processes_undo_nothing_of_each_other(tier: Tier, clocks: Clocks) -> None:
    first, second = memory(tier, clocks, "first"), memory(tier, clocks, "second")
    first.remember(SCENE, answered("a", region="one"))
    second.remember(SCENE, answered("b", region="two"))
    assert sorted(seen(first)) == ["one", "two"] == sorted(seen(second))


def test_an_answer_beside_somebodys_draft_stays_theirs(tier: Tier, clocks: Clocks) -> None:
    memory(tier, clocks, "first").remember(SCENE, answered("a", region="one", author="ann"))
    other = memory(tier, clocks, "second")
    assert seen(other, author="ben") == []
    assert seen(other) == []
    assert seen(other, author="ann") == ["one"]
    several = Visit(frozenset({"x"}), alone=False, accepting=False)
    memory(tier, clocks, "first").remember(SCENE, answered("b", region="two"))
    assert seen(other, visit=several) == []


def test_a_scene_does_not_grow_without_end(
    tier: Tier, clocks: Clocks, shared_redis: RedisServer
) -> None:
    first = memory(tier, clocks, "first")
    for number in range(2 * ANSWERS_A_SCENE):
        first.bring(SCENE, SIZE)
        first.remember(SCENE, answered(str(number), region=str(number)))
        clocks.sleep(0.05)
        assert tier.flush(10)
    kept = shared_redis.client.hlen(tier.name(KIND, SCENE))
    assert ANSWERS_A_SCENE <= kept <= ANSWERS_A_SCENE + 1
    newest = [str(number) for number in range(2 * ANSWERS_A_SCENE - 1, ANSWERS_A_SCENE - 1, -1)]
    assert seen(memory(tier, clocks, "second")) == newest


def test_a_spoiled_answer_is_as_none_and_costs_no_other(
    tier: Tier, clocks: Clocks, shared_redis: RedisServer
) -> None:
    first, name = memory(tier, clocks, "first"), tier.name(KIND, SCENE)
    first.remember(SCENE, answered("a", region="one"))
    (field,) = shared_redis.client.hkeys(name)
    value = shared_redis.client.hget(name, field)
    first.remember(SCENE, answered("b", region="two"))
    for place in range(0, len(value), 41):
        spoiled = bytearray(value)
        spoiled[place] ^= 1
        shared_redis.client.hset(name, field, bytes(spoiled))
        assert seen(memory(tier, clocks, "second")) == ["two"]


def test_without_redis_each_process_has_its_own_memory(
    tier: Tier, clocks: Clocks, shared_redis: RedisServer
) -> None:
    shared_redis.kill()
    try:
        first = memory(tier, clocks, "first")
        first.remember(SCENE, answered("a", region="one"))
        assert seen(first) == ["one"]
        assert seen(memory(tier, clocks, "second")) == []
    finally:
        shared_redis.start()
