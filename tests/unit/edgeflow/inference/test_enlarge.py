from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from edgeflow.arrays import FloatMap
from edgeflow.geometry import Box, Size
from edgeflow.inference import patch as patches
from edgeflow.inference.enlarge import exceeding
from edgeflow.inference.patch import EnlargedPatch, ProbabilityPatch
from edgeflow.inference.sampling import Aligned, Centred
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.start import NOTHING

ROUNDED = 5e-5
"""Libraries without Intel's round their sums in another way."""


def blob(height: int, width: int, *, radius: float, seed: int = 1) -> FloatMap:
    """A smooth map with one object; the noise leaves pixels near to the threshold."""
    rows, cols = np.mgrid[:height, :width]
    far = np.hypot(rows - height * 0.4, cols - width * 0.6) / radius
    noise = np.random.default_rng(seed).normal(0, 0.05, (height, width))
    values: FloatMap = np.clip(1.1 - far / 2 + noise, 0, 1).astype(np.float32)
    return values


def same(values: FloatMap, size: Size, found: np.ndarray) -> None:
    whole = cv2.resize(values, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    other = found != (whole > 0.5)
    assert (np.abs(whole[other] - 0.5) < ROUNDED).all()
    assert other.mean() < 1e-4


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((352, 448), Size(2000, 2500)),
        ((448, 352), Size(2503, 1999)),
        ((448, 448), Size(448, 448)),
        ((352, 448), Size(800, 301)),
        ((32, 448), Size(3, 100_000)),
        ((32, 448), Size(1, 300_000)),
        ((448, 32), Size(300_000, 1)),
        ((1, 1), Size(700, 900)),
        ((7, 5), Size(1501, 1503)),
    ],
    ids=str,
)
@pytest.mark.parametrize("radius", [3, 60, 2000])
def test_the_mask_is_that_of_the_enlarged_map(
    shape: tuple[int, int], size: Size, radius: float
) -> None:
    values = blob(*shape, radius=radius)
    solid, box = exceeding(values, size, 0.5)
    assert box == box.intersection(Box.whole(size))
    found = np.zeros(size, dtype=np.bool_)
    found[box.slices] = solid
    same(values, size, found)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_constant_map_is_all_or_nothing(value: float) -> None:
    solid, box = exceeding(np.full((32, 48), value, dtype=np.float32), Size(900, 1300), 0.5)
    assert solid.any() == (value > 0.5)
    assert value <= 0.5 or (solid.all() and box == Box(0, 0, 900, 1300))


@pytest.mark.parametrize("sampling", [Centred(), Aligned()], ids=str)
@pytest.mark.parametrize("start", [NOTHING, Outline(Box(100, 150, 500, 480))], ids=str)
def test_a_large_patch_has_the_mask_of_its_enlarged_map(
    sampling: Centred | Aligned, start: Outline, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = torch.from_numpy(blob(96, 128, radius=20))[None, None]
    small = EnlargedPatch(values, Box(50, 60, 650, 860), Size(700, 900), sampling, start)
    monkeypatch.setattr(patches, "LARGE", 1)
    large = EnlargedPatch(values, Box(50, 60, 650, 860), Size(700, 900), sampling, start)
    expected = ProbabilityPatch(small.enlarged.probability, small.box, small.image_size)
    assert torch.equal(large.whole(), expected.whole())
    for patch in (small, large):
        assert patch.mask.box == patch.mask_box == expected.mask.box
        assert (patch.mask.whole() != expected.mask.whole()).mean() < 1e-4


def test_an_empty_large_patch_has_no_box() -> None:
    size = Size(2500, 2500)
    patch = EnlargedPatch(torch.zeros(1, 1, 64, 64), Box.whole(size), size, Centred(), NOTHING)
    assert patch.mask == MaskPatch(patch.mask.pixels, Box(0, 0, 0, 0), size)
    assert patch.mask_box is None
