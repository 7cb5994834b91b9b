from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.runtime import cuda_replay as replay
from edgeflow.runtime.base import Precision
from edgeflow.runtime.cuda_replay import RUNS_BEFORE, Replayed, padded
from edgeflow.runtime.torch_folded import FoldedTorchRuntime
from tests.unit.edgeflow.runtime.cases import ARCHITECTURES, CPU, step_input

Maps = tuple[Tensor, Tensor]


class Tape:
    """Records on the CPU: a replay runs the step again, into the tensors of the first time."""

    def __init__(self) -> None:
        self.recorded = 0
        self.replayed = 0

    def record(self, step: Callable[[], Maps]) -> tuple[Maps, Callable[[], object]]:
        self.recorded += 1
        outputs = step()

        def again() -> None:
            self.replayed += 1
            for kept, new in zip(outputs, step(), strict=True):
                kept.copy_(new)

        return outputs, again


class Refusal:
    """A device that records nothing."""

    def record(self, _: Callable[[], Maps]) -> tuple[Maps, Callable[[], object]]:
        raise RuntimeError("operation not permitted when stream is capturing")


class Counted:
    """A network of its own kind: maps that tell each image of a batch apart."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, image: Tensor, prompt: Tensor) -> Maps:
        self.shapes.append(tuple(image.shape))
        return image[:, :1] * 2, image[:, :1] + prompt[:, 2:]


def check(step: Replayed, image: Tensor, prompt: Tensor) -> Maps:
    mask, feedback = step(image, prompt)
    assert torch.equal(mask, image[:, :1] * 2)
    assert torch.equal(feedback, image[:, :1] + prompt[:, 2:])
    return mask, feedback


def test_a_shape_is_run_then_recorded_then_replayed() -> None:
    network, tape = Counted(), Tape()
    step = Replayed(network, tape)
    for run in range(RUNS_BEFORE + 3):
        check(step, *step_input())
        assert tape.recorded == (run >= RUNS_BEFORE)
        assert tape.replayed == max(run + 1 - RUNS_BEFORE, 0)


def test_shapes_are_recorded_apart() -> None:
    network, tape = Counted(), Tape()
    step = Replayed(network, tape)
    for _ in range(RUNS_BEFORE + 1):
        check(step, *step_input(64, 96))
        check(step, *step_input(96, 64))
    assert tape.recorded == 2


def test_an_answer_is_not_overwritten_by_the_next() -> None:
    step = Replayed(Counted(), Tape())
    for _ in range(RUNS_BEFORE):
        check(step, *step_input())
    answers = [(check(step, *case), case) for case in [step_input() for _ in range(3)]]
    for (mask, feedback), (image, prompt) in answers:
        assert torch.equal(mask, image[:, :1] * 2)
        assert torch.equal(feedback, image[:, :1] + prompt[:, 2:])


def test_batches_are_filled_up_and_nothing_of_the_filling_is_seen() -> None:
    network, tape = Counted(), Tape()
    step = Replayed(network, tape)
    for count in (4, 3, 3, 4, 3):
        mask, feedback = check(step, *step_input(batch=count))
        assert len(mask) == len(feedback) == count
    assert tape.recorded == 1
    assert network.shapes[:2] == [(4, 3, 64, 96), (3, 3, 64, 96)]
    assert set(network.shapes[2:]) == {(4, 3, 64, 96)}


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (16, 16), (17, 32)]
)
def test_batches_grow_to_powers_of_two(count: int, expected: int) -> None:
    assert padded(count) == expected


def test_the_shape_that_was_not_used_for_longest_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replay, "MAX_SHAPES", 2)
    network, tape = Counted(), Tape()
    step = Replayed(network, tape)
    for _ in range(RUNS_BEFORE + 1):
        check(step, *step_input(32, 32))
    check(step, *step_input(32, 64))
    check(step, *step_input(32, 32))
    check(step, *step_input(32, 96))  # 32×64 goes
    check(step, *step_input(32, 32))
    assert tape.recorded == 1
    assert tape.replayed == 3
    check(step, *step_input(32, 64))
    check(step, *step_input(64, 64))  # 32×32 goes
    check(step, *step_input(32, 32))
    assert tape.recorded == 1


def test_where_nothing_can_be_recorded_steps_are_run_as_they_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    network = Counted()
    step = Replayed(network, Refusal())
    for _ in range(RUNS_BEFORE + 3):
        check(step, *step_input())
    assert len(network.shapes) == RUNS_BEFORE + 3
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "not permitted when stream is capturing" in warnings[0]


def test_a_step_that_fails_leaves_the_next_one_alone() -> None:
    tape = Tape()

    def network(image: Tensor, prompt: Tensor) -> Maps:
        if image.shape[2] == 96:
            raise RuntimeError("out of memory")
        return image[:, :1] * 2, image[:, :1] + prompt[:, 2:]

    step = Replayed(network, tape)
    with pytest.raises(RuntimeError, match="out of memory"):
        step(*step_input(96, 64))
    for _ in range(RUNS_BEFORE + 1):
        check(step, *step_input())
    assert tape.recorded == 1


def test_one_map_for_both_stays_one() -> None:
    def network(image: Tensor, _: Tensor) -> Maps:
        mask = image[:, :1] * 2
        return mask, mask

    step = Replayed(network, Tape())
    for _ in range(RUNS_BEFORE + 2):
        mask, feedback = step(*step_input())
        assert mask is feedback


def test_threads_get_their_own_answers() -> None:
    step = Replayed(Counted(), Tape())
    cases = [step_input(batch=1 + number % 3) for number in range(60)]
    together = threading.Barrier(4)

    def work(part: int) -> None:
        together.wait(10)
        for case in cases[part::4]:
            check(step, *case)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_networks_give_the_same_when_replayed(
    checkpoints: dict[str, Checkpoint], name: str, precision: Precision
) -> None:
    network = checkpoints[name].load()
    tape = Tape()
    plain, replayed = (
        FoldedTorchRuntime(network, CPU, precision=precision, recorder=recorder)
        for recorder in (None, tape)
    )
    for _ in range(RUNS_BEFORE + 2):
        case = step_input(64, 32)
        for ours, theirs in zip(replayed.run(*case), plain.run(*case), strict=True):
            assert torch.equal(ours, theirs)
    assert tape.replayed == 2
