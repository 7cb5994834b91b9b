"""Batches, turns and superseded requests with real threads: everybody gets their own answer."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
from torch import Tensor

from edgeflow.geometry import ImagePoint, Size
from edgeflow.inference.predictor import Prediction, Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.prompts.click import Click
from edgeflow.runtime.base import Runtime, StepOutput
from edgeflow_backend.engine.engine import RETRY_AFTER_S, Engine, PrefixStates
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.errors import NotReadyError, OverloadedError, SupersededError
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.status.metrics import Metrics
from tests.unit.edgeflow_backend.samples import disk_image

PATIENCE_S = 30.0


class Shutter:
    """A runtime that can be held, and that refuses what it is told to."""

    def __init__(self, real: Runtime) -> None:
        self._real = real
        self.name, self.device, self.feedback = real.name, real.device, real.feedback
        self.open = threading.Event()
        self.open.set()
        self.batches: list[int] = []
        self.most = 100
        self.refused: Tensor | None = None

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        self.batches.append(len(image))
        assert self.open.wait(PATIENCE_S)
        if len(image) > self.most:
            raise MemoryError("too many at once")
        if self.refused is not None and any((one == self.refused[0]).all() for one in image):
            raise RuntimeError("this image cannot be run")
        return self._real.run(image, prompt)


@pytest.fixture
def shutter(predictor: Predictor) -> Iterator[Shutter]:
    made = Shutter(predictor.runtime)
    yield made
    made.open.set()


@pytest.fixture
def behind(predictor: Predictor, shutter: Shutter) -> Predictor:
    """The predictor, behind the shutter."""
    return Predictor(shutter, version="v", policy=predictor.policy)


@pytest.fixture
def threads(shutter: Shutter) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool
        shutter.open.set()


def states() -> PrefixStates:
    return ByteLRU(10_000_000)


def soon(seconds: float = PATIENCE_S) -> float:
    return time.monotonic() + seconds


def until_waiting(engine: Engine, count: int) -> None:
    give_up = soon()
    while engine.waiting < count:
        assert time.monotonic() < give_up
        time.sleep(0.002)


def encoded_images(predictor: Predictor, count: int) -> list[EncodedImage]:
    """Alike, and no two the same; every third is of another shape."""
    made = []
    for number in range(count):
        rgb = disk_image(Size(160, 120) if number % 3 == 2 else Size(120, 160))
        rgb[:8, :8] = number * 7 % 256
        made.append(predictor.encode(rgb))
    return made


def clicks_of(number: int, image: EncodedImage, count: int) -> list[Click]:
    chance = random.Random(number)
    middle = ImagePoint(image.size.width / 2 + number % 7, image.size.height / 2)
    rest = [
        Click(
            ImagePoint(
                chance.uniform(0, image.size.width - 1), chance.uniform(0, image.size.height - 1)
            ),
            positive=chance.random() < 0.5,
        )
        for _ in range(count - 1)
    ]
    return [Click(middle), *rest]


def iou(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


@pytest.mark.slow
@pytest.mark.parametrize("max_batch", [1, 4])
def test_twenty_annotators_get_the_masks_of_their_own_clicks(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor, max_batch: int
) -> None:
    """Bit for bit where steps run alone; batches may differ in the last digits."""
    metrics = Metrics()
    engine = Engine(
        behind, states(), queue_limit=48, max_batch=max_batch, window_s=0.002, metrics=metrics
    )
    images = encoded_images(behind, 20)

    def work(number: int) -> list[Prediction]:
        clicks = clicks_of(number, images[number], 4)
        return [
            engine.predict(
                images[number],
                clicks[:count],
                deadline=soon(),
                stream=Stream(f"task {number}", f"point {number}"),
                marks=frozenset(range(count)),
            )
            for count in (1, 2, 4, 3)
        ]

    answers = list(threads.map(work, range(20)))
    engine.close()
    for number, some in enumerate(answers):
        clicks = clicks_of(number, images[number], 4)
        for count, answer in zip((1, 2, 4, 3), some, strict=True):
            expected = behind.predict(images[number], clicks[:count])
            if max_batch == 1:
                assert np.array_equal(answer.mask, expected.mask)
                assert answer.score == expected.score
            else:
                assert iou(answer.mask, expected.mask) >= 0.995
    ran = shutter.batches[: -20 * 10]  # without the 20 × (1 + 2 + 4 + 3) steps just expected
    assert sum(ran) == 20 * 4
    assert max(ran) <= max_batch
    assert metrics.registry.get_sample_value("edgeflow_batch_size_count") == len(ran)
    assert metrics.registry.get_sample_value("edgeflow_batch_size_sum") == 20 * 4
    assert metrics.registry.get_sample_value("edgeflow_queue_seconds_count") == 20 * 4


def hold(
    threads: ThreadPoolExecutor, engine: Engine, shutter: Shutter, image: EncodedImage
) -> Future[Prediction]:
    """Occupy the network until the shutter opens."""
    shutter.open.clear()
    first = threads.submit(engine.predict, image, clicks_of(0, image, 1), deadline=soon())
    give_up = soon()
    while not shutter.batches:
        assert time.monotonic() < give_up
        time.sleep(0.002)
    return first


def ask(
    threads: ThreadPoolExecutor,
    engine: Engine,
    image: EncodedImage,
    clicks: list[Click],
    *marks: int,
    who: str = "ann",
) -> Future[Prediction]:
    """Ask as somebody, and wait until the request waits."""
    before = engine.waiting
    asked = threads.submit(
        engine.predict,
        image,
        clicks,
        deadline=soon(),
        stream=Stream("task 7", who),
        marks=frozenset(marks),
    )
    give_up = soon()
    while engine.waiting <= before and not asked.done():
        assert time.monotonic() < give_up
        time.sleep(0.002)
    return asked


def test_what_waited_for_the_same_run_runs_together(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=48, max_batch=8)
    images = [image for image in encoded_images(behind, 9) if image.size == Size(120, 160)]
    hold(threads, engine, shutter, images[0])
    asked = [
        ask(threads, engine, image, clicks_of(1, image, 1), who=f"annotator {number}")
        for number, image in enumerate(images[1:])
    ]
    shutter.open.set()
    for one in asked:
        assert one.result(PATIENCE_S).mask.any()
    engine.close()
    assert shutter.batches == [1, 5]


def test_a_batch_that_fails_costs_only_the_one_whose_step_it_is(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=48, max_batch=8)
    images = [image for image in encoded_images(behind, 9) if image.size == Size(120, 160)]
    hold(threads, engine, shutter, images[0])
    shutter.refused = images[2].overview
    asked = [
        ask(threads, engine, image, clicks_of(1, image, 1), who=f"annotator {number}")
        for number, image in enumerate(images[1:])
    ]
    shutter.open.set()
    for number, one in enumerate(asked, start=1):
        if number == 2:
            with pytest.raises(RuntimeError, match="cannot be run"):
                one.result(PATIENCE_S)
        else:
            answer = one.result(PATIENCE_S)
            expected = behind.predict(images[number], clicks_of(1, images[number], 1))
            assert np.array_equal(answer.mask, expected.mask)  # it ran alone in the end
    engine.close()


def test_a_batch_too_large_for_the_device_is_answered_all_the_same(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=48, max_batch=8)
    shutter.most = 1
    images = [image for image in encoded_images(behind, 6) if image.size == Size(120, 160)]
    hold(threads, engine, shutter, images[0])
    asked = [
        ask(threads, engine, image, clicks_of(1, image, 2), who=f"annotator {number}")
        for number, image in enumerate(images)
    ]
    shutter.open.set()
    for image, one in zip(images, asked, strict=True):
        expected = behind.predict(image, clicks_of(1, image, 2))
        assert np.array_equal(one.result(PATIENCE_S).mask, expected.mask)
    engine.close()


def test_a_replay_does_not_hold_up_a_single_click(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=48)
    image, other = encoded_images(behind, 2)
    held = hold(threads, engine, shutter, image)
    finished: list[str] = []
    replay = ask(threads, engine, image, clicks_of(5, image, 12), who="replay")
    single = ask(threads, engine, other, clicks_of(6, other, 1), who="single")
    replay.add_done_callback(lambda _: finished.append("replay"))
    single.add_done_callback(lambda _: finished.append("single"))
    shutter.open.set()
    for one in (held, replay, single):
        one.result(PATIENCE_S)
    until_settled = soon()
    while len(finished) < 2:
        assert time.monotonic() < until_settled
        time.sleep(0.002)
    engine.close()
    assert finished == ["single", "replay"]
    assert shutter.batches == [1] * 14


def test_a_superseded_request_is_told_so_at_once_and_never_runs(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    metrics = Metrics()
    engine = Engine(behind, states(), queue_limit=48, metrics=metrics)
    image, other = encoded_images(behind, 2)
    held = hold(threads, engine, shutter, other)
    clicks = clicks_of(1, image, 2)
    older = ask(threads, engine, image, clicks[:1], 1)
    newer = threads.submit(
        engine.predict,
        image,
        clicks,
        deadline=soon(),
        stream=Stream("task 7", "ann"),
        marks=frozenset({1, 2}),
    )
    with pytest.raises(SupersededError) as caught:  # while the network is still held
        older.result(PATIENCE_S)
    assert caught.value.hint
    shutter.open.set()
    held.result(PATIENCE_S)
    answer = newer.result(PATIENCE_S)
    assert answer.steps == 2
    assert np.array_equal(answer.mask, behind.predict(image, clicks).mask)
    assert metrics.registry.get_sample_value("edgeflow_superseded_total") == 1
    engine.close()


def test_a_newer_click_takes_the_place_of_the_older_in_a_full_queue(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=2)
    image, other = encoded_images(behind, 2)
    hold(threads, engine, shutter, other)
    clicks = clicks_of(1, image, 6)

    def click(count: int) -> Future[Prediction]:
        return threads.submit(
            engine.predict,
            image,
            clicks[:count],
            deadline=soon(),
            stream=Stream("task 7", "ann"),
            marks=frozenset(range(count)),
        )

    newest = click(1)
    for count in range(2, 7):
        until_waiting(engine, 2)
        older, newest = newest, click(count)
        with pytest.raises(SupersededError):
            older.result(PATIENCE_S)
    until_waiting(engine, 2)
    with pytest.raises(OverloadedError):
        engine.predict(other, clicks_of(9, other, 1), deadline=soon())
    shutter.open.set()
    assert newest.result(PATIENCE_S).steps == 6
    engine.close()


@pytest.mark.slow
def test_other_peoples_clicks_in_the_same_task_are_all_answered(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=48)
    image, other = encoded_images(behind, 2)
    hold(threads, engine, shutter, other)
    asked = [
        ask(threads, engine, image, clicks_of(n, image, 2), n, n + 100, who=f"annotator {n}")
        for n in range(1, 8)
    ]
    shutter.open.set()
    for number, one in enumerate(asked, start=1):
        expected = behind.predict(image, clicks_of(number, image, 2))
        assert np.array_equal(one.result(PATIENCE_S).mask, expected.mask)
    engine.close()


def test_who_is_refused_is_told_how_long_the_queue_will_take(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=3)
    image, other = encoded_images(behind, 2)
    least, most = RETRY_AFTER_S
    for seconds_a_step, told in ((0.001, least), (2.5, 8), (1000.0, most)):
        shutter.batches.clear()
        engine._step_s = seconds_a_step
        hold(threads, engine, shutter, other)
        asked = [
            ask(threads, engine, image, clicks_of(n, image, 1), who=f"annotator {n}")
            for n in (1, 2)
        ]
        until_waiting(engine, 3)
        with pytest.raises(OverloadedError) as caught:
            engine.predict(image, clicks_of(3, image, 1), deadline=soon())
        assert caught.value.retry_after_s == told
        shutter.open.set()
        for one in asked:
            one.result(PATIENCE_S)
        while engine.waiting:
            time.sleep(0.002)
        engine.states._items.clear()
    engine.close()


def test_a_closed_engine_says_so_to_who_waits_and_to_who_comes(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=48)
    image, other = encoded_images(behind, 2)
    running = hold(threads, engine, shutter, other)
    waiting = ask(threads, engine, image, clicks_of(1, image, 3))
    engine.close()
    for late in (
        waiting,
        threads.submit(engine.predict, image, clicks_of(1, image, 1), deadline=soon()),
    ):
        with pytest.raises(NotReadyError, match="stopped") as caught:
            late.result(PATIENCE_S)
        assert caught.value.http_status == 503
    shutter.open.set()
    assert running.result(PATIENCE_S).mask.shape == other.size
    assert shutter.batches == [1]
    engine.close()


def test_a_defect_of_the_schedule_is_told_to_who_asked_and_the_next_click_is_answered(
    behind: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(behind, states(), queue_limit=48)
    (image,) = encoded_images(behind, 1)

    def broken() -> None:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(engine._schedule, "unbegun", broken)
        with pytest.raises(ZeroDivisionError):
            engine.predict(image, clicks_of(1, image, 1), deadline=soon())
    assert engine.predict(image, clicks_of(1, image, 1), deadline=soon()).mask.any()
    engine.close()


def test_a_lone_annotator_does_not_wait_for_the_window(behind: Predictor) -> None:
    engine = Engine(behind, states(), queue_limit=48, max_batch=8, window_s=5.0)
    (image,) = encoded_images(behind, 1)
    started = time.monotonic()
    for count in (1, 2, 3):
        engine.predict(
            image, clicks_of(1, image, count), deadline=soon(), stream=Stream("task 7", "ann")
        )
    assert time.monotonic() - started < 4
    engine.close()


def test_a_second_annotators_click_ends_the_wait_and_joins(
    behind: Predictor, shutter: Shutter, threads: ThreadPoolExecutor
) -> None:
    engine = Engine(behind, states(), queue_limit=48, max_batch=8, window_s=20.0)
    image, other = encoded_images(behind, 2)

    def click(number: int, chosen: EncodedImage, count: int) -> Prediction:
        return engine.predict(
            chosen,
            clicks_of(number, chosen, count),
            deadline=soon(),
            stream=Stream(f"task {number}", "point"),
        )

    click(1, image, 1)
    shutter.batches.clear()
    started = time.monotonic()
    first = threads.submit(click, 2, other, 1)
    until_waiting(engine, 1)
    second = threads.submit(click, 1, image, 2)
    first.result(PATIENCE_S)
    second.result(PATIENCE_S)
    assert time.monotonic() - started < 10
    assert shutter.batches == [2]
    engine.close()
