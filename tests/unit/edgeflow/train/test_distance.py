from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from edgeflow.train import distance
from edgeflow.train.distance import distance_transform, down_columns, down_columns_at_once

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)


def reference(mask: np.ndarray) -> np.ndarray:
    return np.asarray(distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1])


@given(hnp.arrays(np.bool_, SHAPES, elements=st.sampled_from([True, True, True, False])))
def test_it_is_the_exact_euclidean_distance(mask: np.ndarray) -> None:
    found = distance_transform(torch.from_numpy(mask)[None])[0].numpy()
    assert np.allclose(found, reference(mask), atol=1e-5)


@pytest.mark.parametrize("shape", [(160, 224), (97, 31), (1, 50), (50, 1)])
def test_blobs_and_full_masks_of_a_batch_are_measured_apart(shape: tuple[int, int]) -> None:
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    blob = (rows - shape[0] / 2) ** 2 + (cols - shape[1] / 3) ** 2 < (min(shape) / 2) ** 2
    batch = np.stack([blob, np.ones(shape, dtype=np.bool_), ~blob, np.zeros_like(blob)])
    found = distance_transform(torch.from_numpy(batch)).numpy()
    for mask, distances in zip(batch, found, strict=True):
        assert np.allclose(distances, reference(mask), atol=1e-4)


@pytest.mark.parametrize("chunk", [1, 5_000, 1 << 26])
def test_what_a_gpu_computes_at_once_equals_the_shifts(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distance, "CHUNK", chunk)
    random = torch.Generator().manual_seed(7)
    for shape in [(3, 40, 31), (1, 1, 9), (2, 50, 1)]:
        squared = torch.randint(0, 40, shape, generator=random).float() ** 2
        best = torch.minimum(squared, torch.tensor(600.0))
        # The border is a background line, too: nothing is farther away than that.
        rows = torch.arange(shape[1], dtype=torch.float32)
        edge = (torch.minimum(rows + 1, shape[1] - rows) ** 2)[None, :, None]
        best = torch.minimum(best, edge)
        assert torch.equal(
            down_columns_at_once(best.clone(), squared), down_columns(best.clone(), squared)
        )
