from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco

from edgeflow.arrays import BoolMask
from edgeflow.export.formats.coco_codes import encode_counts
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.export.formats.drawings import masks


def theirs(mask: BoolMask) -> str:
    code: bytes = coco.encode(np.asfortranarray(mask.view(np.uint8)))["counts"]
    return code.decode()


@pytest.mark.parametrize("name", masks())
def test_codes_are_those_of_pycocotools(name: str) -> None:
    mask = masks()[name]
    assert encode_counts(MaskPatch.of(mask)) == theirs(mask)


@given(
    mask=st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
        lambda shape: arrays(np.bool_, shape)
    )
)
def test_codes_of_any_mask_are_those_of_pycocotools(mask: BoolMask) -> None:
    assert encode_counts(MaskPatch.of(mask)) == theirs(mask)


def test_large_masks_are_exact() -> None:
    mask = np.random.default_rng(0).random((1500, 2000)) < 0.5
    mask[:, :300] = mask[:200] = False
    assert encode_counts(MaskPatch.of(mask)) == theirs(mask)
