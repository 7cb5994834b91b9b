from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeflow.geometry import Box, Size
from edgeflow.inference.patch import ProbabilityPatch
from edgeflow.masks.patch import MaskPatch

SIZE = Size(40, 60)
FRAMES = [Box(0, 0, 40, 60), Box(10, 20, 30, 50), Box(39, 59, 40, 60)]


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_a_mask_patch_is_what_the_whole_map_would_give(frame: Box) -> None:
    generator = torch.Generator().manual_seed(3)
    values = torch.rand(tuple(frame.size), generator=generator) * 0.5005
    patch = ProbabilityPatch(values, frame, SIZE)
    whole = patch.whole()
    assert whole.shape == tuple(SIZE)
    assert torch.equal(whole[frame.slices], values)
    assert whole.sum() == pytest.approx(values.sum().item(), rel=1e-4)
    expected = MaskPatch.of(whole.numpy() > 0.5)
    assert patch.mask[1:] == expected[1:]
    assert np.array_equal(patch.mask.pixels, expected.pixels)
    assert patch.mask_box == (None if expected.empty else expected.box)


def test_one_half_is_not_on_the_mask() -> None:
    patch = ProbabilityPatch(torch.full((4, 5), 0.5), Box(0, 0, 4, 5), Size(4, 5))
    assert patch.mask.empty
    assert patch.mask_box is None


@pytest.mark.parametrize("box", [Box(3, 5, 9, 31), Box(0, 0, 40, 60), None], ids=str)
def test_a_mask_as_a_map_is_one_on_it_and_zero_elsewhere(box: Box | None) -> None:
    mask = np.zeros(SIZE, np.bool_)
    if box is not None:
        mask[box.slices] = True
    patch = ProbabilityPatch.of_mask(MaskPatch.of(mask), torch.device("cpu"))
    assert patch.probability.dtype == torch.float32
    assert np.array_equal(patch.whole().numpy(), mask.astype(np.float32))
    assert np.array_equal(patch.mask.whole(), mask)
    assert patch.mask_box == box
