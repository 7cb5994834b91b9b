"""Steps that are driven by hand, one by one and interleaved, come to what ``predict`` says."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor

from edgeflow.errors import PromptError
from edgeflow.geometry import Box
from edgeflow.inference.predictor import Prediction, Predictor
from edgeflow.inference.runs import StepInput, Steps, drive
from edgeflow.inference.state import EncodedImage, State
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import Start
from edgeflow.runtime.base import StepOutput
from tests.unit.edgeflow.samples import FakeRuntime, click, disk_image, negative

CLICKS = (click(64, 48), negative(5, 5), click(60, 40))


class Store(dict[bytes, State]):
    def put(self, key: bytes, state: State) -> None:
        self[key] = state


@pytest.fixture(scope="module")
def image(predictor: Predictor) -> EncodedImage:
    return predictor.encode(disk_image(96, 128))


def assert_same(one: Prediction, other: Prediction) -> None:
    assert np.array_equal(one.mask, other.mask)
    assert one.score == other.score
    assert torch.equal(one.state.probability, other.state.probability)
    assert torch.equal(one.state.feedback, other.state.feedback)


def by_turns(works: Sequence[Steps[Prediction]], predictor: Predictor) -> list[Prediction]:
    """Drive all of them, a step each in turn."""
    ends: dict[int, Prediction] = {}
    wanted = dict(enumerate(map(next, works)))
    while wanted:
        for number, step in list(wanted.items()):
            try:
                wanted[number] = works[number].send(predictor.runtime.run(*step))
            except StopIteration as done:
                ends[number] = done.value
                del wanted[number]
    return [ends[number] for number in range(len(works))]


@pytest.mark.slow
def test_interleaved_predictions_are_bit_for_bit_those_made_alone(
    predictor: Predictor, image: EncodedImage
) -> None:
    prompts = [CLICKS, CLICKS[:1], CLICKS[::2], (*CLICKS, click(90, 70)), CLICKS[::-1]]
    alone = [predictor.predict(image, clicks) for clicks in prompts]
    together = by_turns([predictor.predicting(image, clicks) for clicks in prompts], predictor)
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)
        assert one.steps == other.steps


@pytest.mark.parametrize("kind", ["outline", "mask"])
def test_interleaved_starts_are_those_made_alone(
    predictor: Predictor, image: EncodedImage, kind: str
) -> None:
    inside = np.zeros(tuple(image.size), dtype=np.bool_)
    inside[20:70, 30:100] = True
    begun: Start = PriorMask(inside) if kind == "mask" else Outline(Box(20, 30, 70, 100), inside)
    alone = predictor.predict(image, CLICKS[:2], start=begun)
    works = [predictor.predicting(image, CLICKS[:2], start=begun) for _ in range(2)]
    for one in by_turns(works, predictor):
        assert_same(one, alone)


def test_each_step_may_be_taken_by_another_thread(
    predictor: Predictor, image: EncodedImage
) -> None:
    steps = predictor.predicting(image, CLICKS)
    output: StepOutput | None = None

    def advance(output: StepOutput | None) -> StepInput | Prediction:
        try:
            return next(steps) if output is None else steps.send(output)
        except StopIteration as done:
            end: Prediction = done.value
            return end

    for _ in range(len(CLICKS) + 1):
        with ThreadPoolExecutor(1) as fresh:  # a thread that has never heard of inference mode
            told = fresh.submit(advance, output).result()
        if isinstance(told, StepInput):
            output = predictor.runtime.run(*told)
    assert isinstance(told, Prediction)
    assert_same(told, predictor.predict(image, CLICKS))
    assert told.state.probability.is_inference()


def test_gradients_are_off_inside_and_as_before_outside(
    predictor: Predictor, image: EncodedImage
) -> None:
    steps = predictor.predicting(image, CLICKS)
    wanted = next(steps)
    for _ in CLICKS[1:]:
        assert not torch.is_inference_mode_enabled()
        assert wanted.prompt.is_inference()
        wanted = steps.send(predictor.runtime.run(*wanted))
    steps.close()
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()


class WatchingRuntime(FakeRuntime):
    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        assert torch.is_inference_mode_enabled()
        return super().run(image, prompt)


def test_a_runtime_is_run_without_gradients(image: EncodedImage) -> None:
    watching = Predictor(WatchingRuntime(mask=0.9), version="v", policy=ZoomPolicy(long_side=96))
    assert watching.predict(image, CLICKS).steps == 3
    watching.step(image, watching.start(image), CLICKS[0])


def test_inputs_have_the_shapes_that_a_runtime_takes(
    predictor: Predictor, image: EncodedImage
) -> None:
    wanted = next(predictor.predicting(image, CLICKS[:1]))
    assert wanted.image.shape == wanted.prompt.shape == (1, 3, 64, 96)
    assert wanted.image.dtype == wanted.prompt.dtype == torch.float32
    assert torch.equal(wanted.image, image.overview)


def test_what_is_known_asks_for_no_step(predictor: Predictor, image: EncodedImage) -> None:
    store = Store()
    expected = predictor.predict(image, CLICKS, store)
    steps = predictor.predicting(image, CLICKS, store)
    with pytest.raises(StopIteration) as done:
        next(steps)
    assert_same(done.value.value, expected)
    assert done.value.value.steps == 0


def test_states_are_looked_up_when_the_steps_begin_and_not_before(
    predictor: Predictor, image: EncodedImage
) -> None:
    store = Store()
    waiting = predictor.predicting(image, CLICKS, store)
    predictor.predict(image, CLICKS[:2], store)
    assert drive(waiting, predictor.runtime.run).steps == 1


def test_an_unusable_prompt_is_refused_before_any_step(
    predictor: Predictor, image: EncodedImage
) -> None:
    with pytest.raises(PromptError, match="outside"):
        predictor.predicting(image, [click(5000, 5)])
    with pytest.raises(PromptError, match="no clicks"):
        predictor.predicting(image, [])


def test_a_failure_that_is_thrown_in_comes_out_and_leaves_what_was_found_before(
    predictor: Predictor, image: EncodedImage
) -> None:
    store = Store()
    steps = predictor.predicting(image, CLICKS, store)
    steps.send(predictor.runtime.run(*next(steps)))
    with pytest.raises(MemoryError, match="full"):
        steps.throw(MemoryError("full"))
    assert len(store) == 1
    again = predictor.predict(image, CLICKS, store)
    assert again.steps == 2
    assert_same(again, predictor.predict(image, CLICKS))


def test_a_failing_network_ends_the_drive(predictor: Predictor, image: EncodedImage) -> None:
    def broken(*_: Tensor) -> StepOutput:
        raise RuntimeError("out of memory")

    clicks: list[Click] = list(CLICKS)
    with pytest.raises(RuntimeError, match="out of memory"):
        drive(predictor.predicting(image, clicks), broken)
