from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from torch import Tensor

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Prediction, Predictor
from edgeflow.inference.runs import Steps
from edgeflow.inference.state import EncodedImage, StateStore
from edgeflow.prompts.click import Click
from edgeflow.prompts.start import Start
from edgeflow.runtime.base import Runtime, StepOutput
from edgeflow_backend.engine.engine import Engine, PrefixStates
from edgeflow_backend.errors import DeadlineError, OverloadedError
from edgeflow_backend.memory.byte_lru import ByteLRU
from tests.unit.edgeflow_backend.samples import disk_image

PATIENCE_S = 10.0
CLICKS = [Click(ImagePoint(80, 60)), Click(ImagePoint(5, 5), positive=False)]


class Gate(Predictor):
    """The real predictor behind a gate, which notes who runs: slowness cannot be made otherwise."""

    runtime: GatedRuntime

    def __init__(self, real: Predictor) -> None:
        self._real = real
        self.runtime = GatedRuntime(real.runtime)
        self.open = self.runtime.open
        self.started = self.runtime.started
        self.ran: list[float] = []

    def predicting(
        self,
        image: EncodedImage,
        clicks: Sequence[Click],
        store: StateStore | None = None,
        *,
        start: Start | None = None,
    ) -> Steps[Prediction]:
        steps = self._real.predicting(image, clicks, store, start=start)

        def noted() -> Steps[Prediction]:
            self.ran.append(clicks[0].point.x)
            return (yield from steps)

        return noted()


class GatedRuntime:
    """Lets no network run through while it is shut."""

    def __init__(self, real: Runtime) -> None:
        self._real = real
        self.name, self.device, self.feedback = real.name, real.device, real.feedback
        self.open = threading.Event()
        self.started = threading.Semaphore(0)
        self.running = 0
        self.most_running = 0
        self.batches: list[int] = []
        self.failure: Exception | None = None
        self._lock = threading.Lock()

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            self.batches.append(len(image))
        self.started.release()
        try:
            assert self.open.wait(PATIENCE_S)
            if self.failure is not None:
                raise self.failure
            return self._real.run(image, prompt)
        finally:
            with self._lock:
                self.running -= 1


def states() -> PrefixStates:
    return ByteLRU(10_000_000)


def soon(seconds: float = PATIENCE_S) -> float:
    return time.monotonic() + seconds


def at(x: float) -> list[Click]:
    return [Click(ImagePoint(x, 60))]


@pytest.fixture
def image(predictor: Predictor) -> EncodedImage:
    return predictor.encode(disk_image())


@pytest.fixture
def gate(predictor: Predictor) -> Iterator[Gate]:
    gate = Gate(predictor)
    yield gate
    gate.open.set()


@pytest.fixture
def engine(gate: Gate) -> Iterator[Engine]:
    engine = Engine(gate, states(), queue_limit=3)
    yield engine
    gate.open.set()
    engine.close()


@pytest.fixture
def threads(gate: Gate) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool
        gate.open.set()


def until(condition: Callable[[], bool]) -> None:
    give_up = soon()
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_the_answer_is_that_of_the_predictor(predictor: Predictor, image: EncodedImage) -> None:
    engine = Engine(predictor, states(), queue_limit=3)
    answer = engine.predict(image, CLICKS, deadline=soon())
    expected = predictor.predict(image, CLICKS)
    assert (answer.mask == expected.mask).all()
    assert answer.score == expected.score
    engine.close()


def test_a_known_prefix_saves_network_runs_and_changes_nothing(
    predictor: Predictor, image: EncodedImage
) -> None:
    engine = Engine(predictor, states(), queue_limit=3)
    steps = [engine.predict(image, CLICKS[:1], deadline=soon()).steps]
    answers = [engine.predict(image, CLICKS, deadline=soon()) for _ in range(2)]
    assert [*steps, *(answer.steps for answer in answers)] == [1, 1, 0]
    expected = predictor.predict(image, CLICKS)
    assert all((answer.mask == expected.mask).all() for answer in answers)
    assert engine.states.nbytes > 0
    engine.close()


@pytest.mark.slow
def test_runs_never_overlap(gate: Gate, image: EncodedImage, threads: ThreadPoolExecutor) -> None:
    gate.open.set()
    engine = Engine(gate, states(), queue_limit=16)
    places = range(40, 72)
    answers = list(threads.map(lambda x: engine.predict(image, at(x), deadline=soon()), places))
    engine.close()
    assert len(answers) == 32
    assert gate.runtime.most_running == 1
    assert gate.runtime.batches == [1] * 32
    assert sorted(gate.ran) == list(range(40, 72))


def submit(
    threads: ThreadPoolExecutor, engine: Engine, image: EncodedImage, x: float, seconds: float
) -> Future[Prediction]:
    return threads.submit(engine.predict, image, at(x), deadline=soon(seconds))


def fill(threads: ThreadPoolExecutor, engine: Engine, gate: Gate, image: EncodedImage) -> None:
    """One request runs and as many wait as may."""
    submit(threads, engine, image, 0, PATIENCE_S)
    assert gate.started.acquire(timeout=PATIENCE_S)
    for x in (1, 2):
        submit(threads, engine, image, x, PATIENCE_S)
    until(lambda: refuses(engine, image))


def refuses(engine: Engine, image: EncodedImage) -> bool:
    try:
        engine.predict(image, at(9), deadline=soon(0))
    except OverloadedError:
        return True
    except DeadlineError:
        return False
    raise AssertionError("the gate is shut")


def test_beyond_the_queues_limit_requests_are_refused_at_once(
    engine: Engine, gate: Gate, image: EncodedImage, threads: ThreadPoolExecutor
) -> None:
    fill(threads, engine, gate, image)
    started = time.monotonic()
    with pytest.raises(OverloadedError, match="3 predictions") as caught:
        engine.predict(image, at(50), deadline=soon())
    assert time.monotonic() - started < PATIENCE_S / 2
    assert caught.value.hint
    assert caught.value.http_status == 503
    assert caught.value.retry_after_s


def test_a_drained_queue_takes_requests_again(
    engine: Engine, gate: Gate, image: EncodedImage, threads: ThreadPoolExecutor
) -> None:
    fill(threads, engine, gate, image)
    gate.open.set()
    until(lambda: gate.runtime.running == 0 and len(gate.ran) >= 3)
    assert engine.predict(image, at(80), deadline=soon()).mask.any()


def test_requests_run_in_order_of_arrival(
    engine: Engine, gate: Gate, image: EncodedImage, threads: ThreadPoolExecutor
) -> None:
    first = submit(threads, engine, image, 0, PATIENCE_S)
    assert gate.started.acquire(timeout=PATIENCE_S)
    second = submit(threads, engine, image, 1, PATIENCE_S)
    until(second.running)
    time.sleep(0.05)
    third = submit(threads, engine, image, 2, PATIENCE_S)
    until(third.running)
    time.sleep(0.05)
    gate.open.set()
    for future in (first, second, third):
        future.result(PATIENCE_S)
    assert gate.ran == [0, 1, 2]


def test_a_run_that_takes_too_long_is_given_up_in_time(
    engine: Engine, gate: Gate, image: EncodedImage
) -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineError) as caught:
        engine.predict(image, at(80), deadline=soon(0.1))
    assert 0.09 < time.monotonic() - started < 2
    assert caught.value.hint
    gate.open.set()


def test_a_deadline_that_has_passed_is_noticed_at_once(engine: Engine, image: EncodedImage) -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineError):
        engine.predict(image, at(80), deadline=started - 5)
    assert time.monotonic() - started < PATIENCE_S / 2


def test_a_request_that_waited_in_vain_is_never_run(
    engine: Engine, gate: Gate, image: EncodedImage, threads: ThreadPoolExecutor
) -> None:
    running = submit(threads, engine, image, 0, PATIENCE_S)
    assert gate.started.acquire(timeout=PATIENCE_S)
    waiting = submit(threads, engine, image, 1, 0.05)
    with pytest.raises(DeadlineError):
        waiting.result(PATIENCE_S)
    gate.open.set()
    running.result(PATIENCE_S)
    engine.predict(image, at(2), deadline=soon())
    assert gate.ran == [0, 2]


def test_a_request_that_was_given_up_leaves_its_place_in_the_queue(
    engine: Engine, gate: Gate, image: EncodedImage, threads: ThreadPoolExecutor
) -> None:
    submit(threads, engine, image, 0, PATIENCE_S)
    assert gate.started.acquire(timeout=PATIENCE_S)
    for _ in range(10):
        with pytest.raises(DeadlineError):
            engine.predict(image, at(1), deadline=soon(0.01))


def test_a_failure_of_the_network_reaches_who_asked_and_nobody_else(
    engine: Engine, gate: Gate, image: EncodedImage
) -> None:
    gate.open.set()
    gate.runtime.failure = RuntimeError("out of memory")
    for _ in range(5):
        with pytest.raises(RuntimeError, match="out of memory"):
            engine.predict(image, at(80), deadline=soon())
    gate.runtime.failure = None
    assert engine.predict(image, at(80), deadline=soon()).mask.any()


def test_another_model_does_not_answer_from_the_states_of_the_first(
    predictor: Predictor, image: EncodedImage
) -> None:
    other = Predictor(predictor.runtime, version="other", policy=predictor.policy)
    engine = Engine(predictor, states(), queue_limit=3)
    steps = [
        engine.predict(image, CLICKS, deadline=soon(), predictor=chosen).steps
        for chosen in (None, other, other, predictor)
    ]
    assert steps == [2, 2, 0, 0]
    engine.close()


def test_typed_errors_pass_through(predictor: Predictor, image: EncodedImage) -> None:
    engine = Engine(predictor, states(), queue_limit=3)
    with pytest.raises(PromptError, match="outside"):
        engine.predict(image, at(5000), deadline=soon())
    with pytest.raises(PromptError, match="no clicks"):
        engine.predict(image, [], deadline=soon())
    engine.close()


def test_closing_stops_what_waits(
    engine: Engine, gate: Gate, image: EncodedImage, threads: ThreadPoolExecutor
) -> None:
    running = submit(threads, engine, image, 0, PATIENCE_S)
    assert gate.started.acquire(timeout=PATIENCE_S)
    waiting = submit(threads, engine, image, 1, PATIENCE_S)
    until(waiting.running)
    time.sleep(0.05)
    engine.close()
    gate.open.set()
    assert running.result(PATIENCE_S).mask.shape == image.size
    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever, but not an answer
        waiting.result(PATIENCE_S)
    assert gate.ran == [0]


def test_clicks_do_not_wait_for_a_long_search(predictor: Predictor) -> None:
    image, clicked = predictor.encode(disk_image()), threading.Event()
    step = next(predictor.predicting(image, CLICKS[:1]))
    begun = threading.Event()

    def search() -> Steps[int]:
        count = 0
        while not clicked.is_set():
            count += 1
            yield step
            begun.set()
        return count

    with ThreadPoolExecutor(1) as pool:
        engine = Engine(predictor, ByteLRU(1_000_000), queue_limit=4)
        deadline = time.monotonic() + 60
        searched = pool.submit(engine.take, search(), predictor.runtime, deadline=deadline)
        try:
            assert begun.wait(PATIENCE_S)
            found = engine.predict(image, CLICKS, deadline=time.monotonic() + 60)
        finally:
            clicked.set()
        assert searched.result(PATIENCE_S) > 1
        assert found.patch.digest == predictor.predict(image, CLICKS).patch.digest
        engine.close()
