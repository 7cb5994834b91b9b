from __future__ import annotations

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.base import Sample
from edgeflow.train.validation import hold

RGB = np.zeros((10, 10, 3), dtype=np.uint8)


def mask(pixels: int) -> BoolMask:
    return np.arange(100).reshape(10, 10) < pixels


def test_one_object_that_is_large_enough_is_held_with_its_label() -> None:
    names = [f"s{number}" for number in range(20)]
    samples = [
        Sample(name, RGB, (mask(1), mask(30), mask(50)), labels=("dot", "third", "half"))
        for name in names
    ]
    held = hold(samples, min_area=0.2)
    assert held.sample_names == tuple(names)
    chosen = {(int(each.objects[0].sum()), each.labels) for each in held.samples}
    assert chosen == {(30, ("third",)), (50, ("half",))}


def test_samples_without_such_an_object_are_passed_over() -> None:
    assert len(hold([Sample("a", RGB, (mask(3),)), Sample("b", RGB, ())], min_area=0.2)) == 0
