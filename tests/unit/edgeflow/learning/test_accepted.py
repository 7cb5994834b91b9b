from __future__ import annotations

import numpy as np
import pytest

from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size
from edgeflow.learning.accepted import MaskCode
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.learning.learning_samples import accepted


def test_a_mask_comes_back_pixel_by_pixel() -> None:
    mask = np.random.default_rng(3).random((31, 17)) > 0.6
    code = MaskCode.of(MaskPatch.of(mask))
    assert code.size == Size(31, 17)
    np.testing.assert_array_equal(code.mask(), mask)


def test_a_code_of_another_size_is_refused() -> None:
    code = accepted().mask
    with pytest.raises(MaskCodecError):
        code._replace(size=Size(12, 19)).mask()


def test_an_object_is_called_by_its_labels_or_else_its_control() -> None:
    assert accepted(labels=("cell", "large")).label == "cell, large"
    assert accepted(labels=()).label == "mask"
