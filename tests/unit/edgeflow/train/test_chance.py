from __future__ import annotations

import pytest
import torch
from torch import Generator

from edgeflow.train.chance import Chance, happens, uniform

CPU = torch.device("cpu")


def draws(seed: int, rank: int, step: int) -> tuple[float, float, float]:
    """One number from each source: the host's, the device's, PyTorch's own."""
    chance = Chance.of_step(seed, rank, step, CPU)
    return chance.host.random(), float(uniform((1,), 0, 1, chance.device)), float(torch.rand(1))


def test_a_step_is_random_in_the_same_way_each_time_and_unlike_any_other() -> None:
    assert draws(1, 2, 3) == draws(1, 2, 3)
    different = [draws(1, 2, 3), draws(0, 2, 3), draws(1, 0, 3), draws(1, 2, 4)]
    for source in zip(*different, strict=True):
        assert len(set(source)) == 4


def test_things_happen_as_often_as_they_are_likely() -> None:
    for share in (0.0, 0.3, 1.0):
        often = happens(4000, share, Generator().manual_seed(0)).float().mean()
        assert float(often) == pytest.approx(share, abs=0.03)


def test_uniform_numbers_fill_their_range() -> None:
    numbers = uniform((4000, 2), -3.0, 5.0, Generator().manual_seed(0))
    assert numbers.shape == (4000, 2)
    assert -3 <= float(numbers.min()) < -2.9
    assert 4.9 < float(numbers.max()) < 5
    assert float(numbers.mean()) == pytest.approx(1, abs=0.15)
