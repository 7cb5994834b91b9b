from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.arrays import BoolMask
from edgeflow.errors import PromptError
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.predictor import Prediction, Predictor
from edgeflow.inference.state import EncodedImage, State
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import NOTHING, Start
from edgeflow_backend.shared.packing import SpoiledValueError
from edgeflow_backend.shared.states import (
    SharedStates,
    check_state,
    numerics,
    pack_state,
    unpack_state,
)
from edgeflow_backend.shared.tier import Tier
from tests.redis_server import RedisServer, tier_of

SIZE = Size(30, 40)
CLICKS = [
    Click(ImagePoint(20.5, 15.25)),
    Click(ImagePoint(3.0, 4.0), positive=False),
    Click(ImagePoint(30.0, 20.0)),
]


def disk(size: Size = SIZE) -> BoolMask:
    rows, cols = np.mgrid[: size.height, : size.width]
    inside: BoolMask = (rows - 14) ** 2 + (cols - 20) ** 2 < 60
    return inside


STARTS: dict[str, Start] = {
    "nothing": NOTHING,
    "a box": Outline(Box(4, 6, 26, 36)),
    "a lasso": Outline(Box(6, 12, 24, 30), disk()),
    "a mask": PriorMask(disk()),
}
masks = hnp.arrays(np.bool_, SIZE)
points = st.builds(ImagePoint, st.floats(-0.5, 39.5), st.floats(-0.5, 29.5))
clicks = st.lists(st.builds(Click, points, st.booleans()), max_size=5).map(tuple)
maps = hnp.arrays(np.float32, (1, 1, 8, 16), elements=st.floats(0, 1, width=32)).map(
    torch.from_numpy
)
boxes = st.none() | st.tuples(
    st.integers(0, 10), st.integers(0, 10), st.integers(11, 30), st.integers(11, 40)
).map(lambda sides: Box(*sides))
starts: st.SearchStrategy[Start] = (
    st.just(NOTHING)
    | masks.map(PriorMask)
    | st.builds(Outline, boxes.filter(bool), st.none() | masks)
)
states = st.builds(State, starts, clicks, clicks, boxes, maps, maps, boxes)


def same(one: State, other: State) -> bool:
    """Whether two states are equal, bit for bit."""
    return (
        one.start.digest == other.start.digest
        and (one.implied, one.clicks) == (other.implied, other.clicks)
        and (one.region, one.mask_box) == (other.region, other.mask_box)
        and torch.equal(one.probability.view(torch.int32), other.probability.view(torch.int32))
        and torch.equal(one.feedback.view(torch.int32), other.feedback.view(torch.int32))
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(states)
def test_a_state_comes_out_bit_for_bit(state: State) -> None:
    assert same(unpack_state(pack_state(state), SIZE), state)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(states, st.data())
def test_spoiled_bytes_are_read_or_refused(state: State, data: st.DataObject) -> None:
    code = bytearray(pack_state(state))
    place = data.draw(st.integers(0, len(code) - 1))
    code[place] ^= data.draw(st.integers(1, 255))
    with suppress(SpoiledValueError):
        unpack_state(bytes(code[: data.draw(st.integers(0, len(code)))]), SIZE)


@contextmanager
def two(server: RedisServer, key: str = "k" * 16) -> Iterator[tuple[SharedStates, SharedStates]]:
    """The states of two processes."""
    tiers = [tier_of(server, key=key) for _ in range(2)]
    one, other = (SharedStates(10**8, tier, numerics="cpu", ttl_s=100) for tier in tiers)
    yield one, other
    for tier in tiers:
        tier.close()


@pytest.fixture(scope="module")
def image(predictor: Predictor) -> EncodedImage:
    pixels = np.random.default_rng(3).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
    pixels[disk()] = (250, 40, 40)
    return predictor.encode(pixels)


def answer(
    predictor: Predictor,
    image: EncodedImage,
    store: SharedStates,
    start: Start,
    count: int = len(CLICKS),
) -> Prediction:
    store.bring(predictor, image, CLICKS[:count], start)
    return predictor.predict(image, CLICKS[:count], store, start=start)


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_another_process_goes_on_as_if_it_had_replayed_all(
    predictor: Predictor, image: EncodedImage, shared_redis: RedisServer, start: Start
) -> None:
    fresh = predictor.predict(image, CLICKS, start=start)
    with two(shared_redis) as (ours, theirs):
        answer(predictor, image, ours, start, 2)
        assert ours._tier.flush(10)
        found = answer(predictor, image, theirs, start)
    assert found.steps == 1
    assert found.patch.digest == fresh.patch.digest
    assert found.score == fresh.score
    assert same(found.state, fresh.state)


def test_an_outline_alone_is_found(
    predictor: Predictor, image: EncodedImage, shared_redis: RedisServer
) -> None:
    with two(shared_redis) as (ours, theirs):
        assert answer(predictor, image, ours, STARTS["a box"], 0).steps == 2
        assert ours._tier.flush(10)
        assert answer(predictor, image, theirs, STARTS["a box"], 0).steps == 0


def looked_up(server: RedisServer) -> int:
    """How often sizes were asked for."""
    return int(server.client.info("commandstats").get("cmdstat_strlen", {}).get("calls", 0))


def test_what_is_here_is_not_asked_for(
    predictor: Predictor, image: EncodedImage, shared_redis: RedisServer
) -> None:
    with two(shared_redis) as (ours, _):
        answer(predictor, image, ours, NOTHING)
        assert ours._tier.flush(10)
        asked = looked_up(shared_redis)
        assert answer(predictor, image, ours, NOTHING).steps == 0
        new = predictor.encode(np.zeros((*SIZE, 3), dtype=np.uint8))
        answer(predictor, new, ours, NOTHING, 1)  # a first click saves one step at most
        assert ours._tier.flush(10)
        assert looked_up(shared_redis) == asked


def test_the_networks_thread_never_waits(
    predictor: Predictor, image: EncodedImage, shared_redis: RedisServer
) -> None:
    with two(shared_redis) as (ours, _), shared_redis.halted():
        started = time.monotonic()
        prediction = predictor.predict(image, CLICKS, ours)  # puts three states
        assert prediction.steps == 3
        assert time.monotonic() - started < 9, "a call may take ten seconds here"


def test_a_state_of_another_processor_is_not_used(
    predictor: Predictor, image: EncodedImage, shared_redis: RedisServer
) -> None:
    with two(shared_redis) as (ours, theirs):
        answer(predictor, image, ours, NOTHING)
        assert ours._tier.flush(10)
        theirs._numerics = "another"
        assert answer(predictor, image, theirs, NOTHING).steps == 3


def test_a_changed_byte_never_changes_an_answer(
    predictor: Predictor, image: EncodedImage, shared_redis: RedisServer
) -> None:
    fresh = predictor.predict(image, CLICKS[:2])
    with two(shared_redis) as (ours, _):
        answer(predictor, image, ours, NOTHING, 2)
        assert ours._tier.flush(10)
    client = shared_redis.client
    values = {name: client.get(name) for name in client.keys("edgeflow:1:state:*")}
    assert len(values) == 2
    length = min(map(len, values.values()))
    for place in [*range(0, 240, 24), *range(240, length, length // 6)]:
        for name, value in values.items():
            spoiled = bytearray(value)
            spoiled[place] ^= 1 << place % 8
            client.set(name, bytes(spoiled))
        with two(shared_redis) as (_, theirs):
            found = answer(predictor, image, theirs, NOTHING, 2)
            assert theirs._tier.flush(10)  # before the next values are spoiled
        assert found.steps == 2, "neither value was believed"
        assert same(found.state, fresh.state)


def test_two_values_that_change_places_are_not_believed(
    predictor: Predictor, image: EncodedImage, shared_redis: RedisServer
) -> None:
    with two(shared_redis, key="") as (ours, theirs):
        answer(predictor, image, ours, NOTHING, 2)
        assert ours._tier.flush(10)
        client = shared_redis.client
        one, other = client.keys("edgeflow:1:state:*")
        first, second = client.get(one), client.get(other)
        client.mset({one: second, other: first})
        assert answer(predictor, image, theirs, NOTHING, 2).steps == 2


BLANK = torch.zeros(1, 1, 7, 9)
FORGED: dict[str, dict[str, object]] = {
    "of other clicks": {"clicks": tuple(CLICKS[:1])},
    "of another map": {"probability": BLANK},
    "of another feedback": {"feedback": BLANK},
    "beside the image": {"region": Box(0, 0, SIZE.height + 1, SIZE.width)},
    "in an empty region": {"region": Box(3, 3, 3, 9)},
    "with a mask beside the image": {"mask_box": Box(-1, 0, 5, 5)},
    "of another start": {"start": STARTS["a box"]},
    "of another size": {"start": PriorMask(np.ones((3, 3), dtype=np.bool_))},
}
"""What whoever can write to a Redis without a secret could leave."""


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_state_that_does_not_fit_is_refused(
    predictor: Predictor, image: EncodedImage, forged: dict[str, object]
) -> None:
    state = predictor.predict(image, CLICKS).state
    check_state(state, predictor, image.size, CLICKS, None)
    bad = replace(state, **forged)  # type: ignore[arg-type]
    with pytest.raises((SpoiledValueError, PromptError)):
        check_state(bad, predictor, image.size, CLICKS, None)


def test_a_forged_value_is_counted_and_computed(
    predictor: Predictor, image: EncodedImage, shared_redis: RedisServer
) -> None:
    with two(shared_redis, key="") as (ours, theirs):
        tier: Tier = theirs._tier
        for key in predictor.prefixes(image, CLICKS)[1:]:
            state = predictor.start(image)
            tier.put(ours._name(key), pack_state(state), 100)
        assert answer(predictor, image, theirs, NOTHING).steps == 3
        assert "refused" in str(list(tier._metrics.lookups.collect()))


def test_a_start_of_an_unknown_kind_stays_here(predictor: Predictor, image: EncodedImage) -> None:
    class Scribble(PriorMask):
        pass

    state = replace(predictor.start(image), start=Scribble(disk()))
    with pytest.raises(ValueError, match="Scribble"):
        pack_state(state)


def test_the_processor_and_its_threads_are_part_of_a_states_name() -> None:
    assert str(torch.get_num_threads()) in numerics(torch.device("cpu"))
