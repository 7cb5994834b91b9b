from __future__ import annotations

import numpy as np
import pytest

from edgeflow.matting import cutout


@pytest.mark.parametrize("soft", [True, False])
def test_shape_and_ends(soft: bool) -> None:
    rgb = np.full((40, 50, 3), 90, np.uint8)
    mask = np.zeros((40, 50), bool)
    mask[10:30, 10:40] = True
    rgba = cutout(rgb, mask, soft=soft)
    assert rgba.shape == (40, 50, 4)
    assert rgba.dtype == np.uint8
    assert rgba[20, 20].tolist() == [90, 90, 90, 255]
    assert rgba[0, 0].tolist() == [0, 0, 0, 0]
