from __future__ import annotations

import pytest
import torch
from torch import Tensor

from edgeflow.inference.predictor import Predictor
from edgeflow.inference.runs import StepInput
from edgeflow.nn.interface import Feedback
from edgeflow.runtime.base import StepOutput
from edgeflow_backend.engine.batching import default_batch, run_together


class Doubling:
    """Says of every step what was in it, so that a mix-up shows; chokes on what it is told to."""

    name = "doubling"
    device = torch.device("cpu")
    feedback: Feedback = "edge"

    def __init__(self, *, most: int = 100, poison: float | None = None) -> None:
        self.most = most
        self.poison = poison
        self.batches: list[int] = []

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        assert torch.is_inference_mode_enabled()
        self.batches.append(len(image))
        if len(image) > self.most:
            raise MemoryError(f"{len(image)} at once")
        if self.poison is not None and (image == self.poison).any():
            raise RuntimeError("poison")
        return StepOutput(image[:, :1] * 2, prompt[:, :1] * 3)


def step(value: float) -> StepInput:
    return StepInput(torch.full((1, 3, 4, 6), value), torch.full((1, 3, 4, 6), value + 0.5))


def check(output: StepOutput | Exception, value: float) -> None:
    assert isinstance(output, StepOutput)
    for part, expected in zip(output, (value * 2, (value + 0.5) * 3), strict=True):
        assert part.shape == (1, 1, 4, 6)
        assert (part == expected).all()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_step_gets_its_own_slice_of_one_run(count: int) -> None:
    runtime = Doubling()
    outputs = run_together(runtime, [step(value) for value in range(count)])
    assert runtime.batches == [count]
    for value, output in enumerate(outputs):
        check(output, value)


def test_steps_of_several_views_get_them_all() -> None:
    runtime = Doubling()
    both = StepInput(*map(torch.cat, zip(step(1), step(2), strict=True)))
    outputs = run_together(runtime, [both, step(3), both])
    assert runtime.batches == [5]
    for output, values in zip(outputs, ((1, 2), (3,), (1, 2)), strict=True):
        assert isinstance(output, StepOutput)
        for view, value in enumerate(values):
            check(StepOutput(*(part[view : view + 1] for part in output)), value)


def test_a_kept_slice_does_not_keep_the_batch() -> None:
    for output in run_together(Doubling(), [step(value) for value in range(8)]):
        assert isinstance(output, StepOutput)
        assert all(part.untyped_storage().nbytes() == part.nbytes for part in output)


def test_a_batch_that_does_not_fit_runs_one_by_one() -> None:
    runtime = Doubling(most=2)
    outputs = run_together(runtime, [step(value) for value in range(3)])
    assert runtime.batches == [3, 1, 1, 1]
    for value, output in enumerate(outputs):
        check(output, value)


def test_a_step_that_cannot_run_fails_alone() -> None:
    outputs = run_together(Doubling(poison=1), [step(value) for value in range(3)])
    assert isinstance(outputs[1], RuntimeError)
    for value in (0, 2):
        check(outputs[value], value)


def test_a_lone_steps_failure_is_not_tried_again() -> None:
    runtime = Doubling(poison=1)
    (output,) = run_together(runtime, [step(1)])
    assert isinstance(output, RuntimeError)
    assert runtime.batches == [1]


class Forgetful(Doubling):
    """Answers only the first of a batch."""

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        return super().run(image[:1], prompt[:1])


def test_a_runtime_that_answers_too_few_is_asked_one_by_one() -> None:
    outputs = run_together(Forgetful(), [step(value) for value in range(3)])
    for value, output in enumerate(outputs):
        check(output, value)


def test_a_lone_step_runs_as_it_is(predictor: Predictor) -> None:
    image, prompt = torch.rand(1, 3, 64, 96), torch.rand(1, 3, 64, 96)
    (output,) = run_together(predictor.runtime, [StepInput(image, prompt)])
    expected = predictor.runtime.run(image, prompt)
    assert isinstance(output, StepOutput)
    assert torch.equal(output.mask, expected.mask)
    assert torch.equal(output.feedback, expected.feedback)


def test_the_real_network_says_the_same_in_a_batch(predictor: Predictor) -> None:
    steps = [StepInput(torch.rand(1, 3, 64, 96), torch.rand(1, 3, 64, 96)) for _ in range(5)]
    for one, output in zip(steps, run_together(predictor.runtime, steps), strict=True):
        assert isinstance(output, StepOutput)
        expected = predictor.runtime.run(*one)
        torch.testing.assert_close(output.mask, expected.mask, rtol=0, atol=1e-4)
        torch.testing.assert_close(output.feedback, expected.feedback, rtol=0, atol=1e-4)


def test_batches_are_for_cuda() -> None:
    assert default_batch(torch.device("cpu")) == 1
    assert default_batch(torch.device("cuda:1")) > 1
