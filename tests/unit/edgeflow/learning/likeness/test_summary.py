from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, Checkpoint, find
from edgeflow.learning.gate.general import general_set
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow.learning.likeness.statistics import ImageStatistics
from edgeflow.learning.likeness.summary import Summariser


def overview(seed: int, height: int, width: int) -> torch.Tensor:
    drawn = np.random.default_rng(seed).random((1, 3, height, width), dtype=np.float32)
    return torch.from_numpy(drawn)


def test_photographs_are_unlike_drawings() -> None:
    summarise = Summariser(find(DEFAULT_MODEL))
    found = {
        sample.name: summarise(torch.from_numpy(sample.rgb).permute(2, 0, 1)[None] / 255)
        for sample in general_set()
    }
    drawings = [each for name, each in found.items() if name.startswith("drawings/")]
    photographs = [each for name, each in found.items() if name.startswith("photos/")]
    likeness = Likeness.of(drawings, ImageStatistics.of(list(found.values())))
    assert all(likeness.accepts(each) for each in drawings)
    assert not any(likeness.accepts(each) for each in photographs)


@pytest.mark.parametrize(("height", "width"), [(448, 448), (448, 32), (33, 448), (20, 20)])
def test_any_shape_is_summed_up_and_always_alike(height: int, width: int) -> None:
    image = overview(1, height, width)
    first, again = (Summariser(find(DEFAULT_MODEL))(image) for _ in range(2))
    assert first.dtype == np.float32
    assert first.shape == (48 + 120 + 352,)
    assert np.isfinite(first).all()
    assert np.array_equal(first, again)


def test_other_networks_are_summed_up_by_the_features_that_they_offer(
    checkpoints: dict[str, Checkpoint],
) -> None:
    (found,) = {Summariser(checkpoints["ritm_hrnet"])(overview(1, 64, 96)).shape}
    assert found[0] > 0
