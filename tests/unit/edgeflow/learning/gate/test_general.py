from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeflow.learning.gate import general
from edgeflow.learning.gate.general import DRAWINGS, general_set


def test_it_has_photographs_and_drawings_with_objects_and_is_always_the_same() -> None:
    samples, again = general_set(), general_set()
    names = [sample.name for sample in samples]
    assert len(set(names)) == len(names) == 6 + DRAWINGS
    assert 25 <= sum(len(sample.objects) for sample in samples) <= 50
    for one, other in zip(samples, again, strict=True):
        assert max(one.rgb.shape) <= 448
        assert np.array_equal(one.rgb, other.rgb)
        assert np.array_equal(one.objects, other.objects)
        for mask in one.objects:
            assert mask.shape == one.rgb.shape[:2]
            assert 0.0005 < mask.mean() < 0.9


def test_what_ships_is_small() -> None:
    folder = Path(general.__file__).parent / "photos"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 400_000
