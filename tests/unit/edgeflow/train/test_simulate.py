from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from edgeflow.nn.interface import NetworkOutput
from edgeflow.train.augment import Batch
from edgeflow.train.chance import Chance
from edgeflow.train.config import ClickSimulation
from edgeflow.train.simulate import samples_of_rounds, simulate

CPU = torch.device("cpu")


class Blind(nn.Module):
    """Finds nothing; its edges are a constant. Remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []
        self.trained: list[bool] = []

    def forward(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        self.shown.append(prompt)
        self.trained.append(self.training)
        nothing = torch.full_like(image[:, :1], -9.0)
        return NetworkOutput(nothing, nothing, nothing, torch.full_like(nothing, 2.0))


@pytest.fixture
def batch() -> Batch:
    truth = torch.zeros(40, 1, 64, 64, dtype=torch.bool)
    truth[:, :, 16:48, 16:48] = True
    return Batch(torch.rand(40, 3, 64, 64), truth, torch.ones_like(truth), torch.arange(40))


def chance(step: int = 0) -> Chance:
    return Chance.of_step(0, 0, step, CPU)


def test_without_rounds_the_network_is_not_asked(batch: Batch) -> None:
    network = Blind()
    prompt = simulate(network, batch, ClickSimulation(rounds=(1.0,)), "edge", chance())
    assert network.shown == []
    assert prompt.tensor().shape == (40, 3, 64, 64)
    assert (prompt.feedback == 0).all()


def test_each_round_adds_a_correction_and_feeds_the_edges_back(batch: Batch) -> None:
    network = Blind().train()
    simulation = ClickSimulation(extra=0, rounds=(0, 0, 0, 1), forget=0, soften=0)
    prompt = simulate(network, batch, simulation, "edge", chance())
    assert [len(shown) for shown in network.shown] == [40, 40, 40]
    assert (network.shown[0][:, 0] == 0).all()
    assert torch.allclose(network.shown[1][:, 0], torch.tensor(2.0).sigmoid())
    assert torch.allclose(prompt.feedback, torch.tensor(2.0).sigmoid())
    made = [float((shown[:, 1:].sum(dim=(1, 2, 3)) > 0).float().mean()) for shown in network.shown]
    assert made == [1.0, 1.0, 1.0]
    assert ((prompt.clicks.signs == 1).sum(dim=1) == 4).all()
    assert network.trained == [False] * 3
    assert network.training


def test_the_mask_is_fed_back_to_networks_that_want_it(batch: Batch) -> None:
    simulation = ClickSimulation(rounds=(0, 1), forget=0, soften=0)
    prompt = simulate(Blind(), batch, simulation, "mask", chance())
    assert torch.allclose(prompt.feedback, torch.tensor(-9.0).sigmoid())


def test_a_round_runs_only_the_samples_that_have_it(batch: Batch) -> None:
    network = Blind()
    simulation = ClickSimulation(extra=0, rounds=(1, 1, 1), forget=0, soften=0)
    prompt = simulate(network, batch, simulation, "edge", chance())
    first, second = (len(shown) for shown in network.shown)
    assert 40 > first > second > 0
    counts = (prompt.clicks.signs != 0).sum(dim=1)
    assert counts.tolist() == [3] * second + [2] * (first - second) + [1] * (40 - first)
    assert ((prompt.feedback > 0).flatten(1).all(dim=1) == (counts > 1)).all()


class Reader(nn.Module):
    """Its mask is the image's first channel, its edges are the second; remembers the sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        assert len(image) == len(prompt)
        self.sizes.append(len(image))
        mask, edge = image[:, :1] - 0.5, image[:, 1:2]
        return NetworkOutput(mask, mask, mask, edge)


@pytest.mark.parametrize("at_once", [7, 16, 40, 100])
def test_the_network_may_be_shown_always_as_many_samples_with_the_same_result(
    batch: Batch, at_once: int
) -> None:
    whole, parts = Reader(), Reader()
    rounds = (0.3, 0.3, 0.2, 0.2)
    prompts = [
        simulate(network, batch, ClickSimulation(rounds=rounds, at_once=size), "edge", chance())
        for network, size in ((whole, None), (parts, at_once))
    ]
    assert len(set(whole.sizes)) == 3
    assert set(parts.sizes) == {min(at_once, 40)}
    assert torch.equal(prompts[0].feedback, prompts[1].feedback)
    assert torch.equal(prompts[0].clicks.points, prompts[1].clicks.points)
    assert torch.equal(prompts[0].clicks.signs, prompts[1].clicks.signs)


WEIGHTS = (0.35, 0.25, 0.2, 0.2)


@pytest.mark.parametrize("count", [1, 8, 60])
def test_rounds_come_as_often_as_configured(count: int) -> None:
    drawn = [0] * len(WEIGHTS)
    steps = 400
    for step in range(steps):
        having = [count, *samples_of_rounds(count, WEIGHTS, chance(step).host.random()), 0]
        for rounds in range(len(WEIGHTS)):
            drawn[rounds] += having[rounds] - having[rounds + 1]
    for number, weight in zip(drawn, WEIGHTS, strict=True):
        assert number / (count * steps) == pytest.approx(weight, abs=0.06)


def test_batches_of_rounds_have_few_sizes() -> None:
    """A GPU's convolution library plans anew for each size, which takes seconds."""
    starts = [number / 100 for number in range(100)]
    assert {tuple(samples_of_rounds(60, WEIGHTS, start)) for start in starts} == {(39, 24, 12)}
    for sizes in zip(*(samples_of_rounds(64, WEIGHTS, start) for start in starts), strict=True):
        assert len(set(sizes)) <= 2


def test_feedback_is_sometimes_forgotten(batch: Batch) -> None:
    for share, expected in ((1.0, 0.0), (0.0, 1.0)):
        simulation = ClickSimulation(rounds=(0, 1), forget=share, soften=0)
        fed_back = simulate(Blind(), batch, simulation, "edge", chance()).feedback
        assert (fed_back > 0).float().mean() == expected
    simulation = ClickSimulation(rounds=(0, 1), forget=0.5, soften=0)
    fed_back = simulate(Blind(), batch, simulation, "edge", chance()).feedback
    assert 0.2 < (fed_back > 0).float().mean() < 0.8


def test_a_step_can_be_repeated_and_differs_from_the_next_and_from_other_processes() -> None:
    def draw(step: int, rank: int) -> tuple[float, float, float]:
        made = Chance.of_step(7, rank, step, CPU)
        return (
            made.host.random(),
            float(torch.rand(1, generator=made.device)),
            float(torch.rand(1)),
        )

    assert draw(3, 0) == draw(3, 0)
    assert len({draw(3, 0), draw(4, 0), draw(3, 1)}) == 3


def test_where_the_first_click_is_taken_back_everything_found_is_too_much(
    batch: Batch,
) -> None:
    simulation = ClickSimulation(rounds=(0, 1.0), extra=0, taken_back=1.0)
    prompt = simulate(Blind(), batch, simulation, "mask", chance())
    assert prompt.void is not None
    assert prompt.void.all()
    assert (prompt.clicks.signs[:, 1:] <= 0).all()
