from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeflow.arrays import BoolMask
from edgeflow.data.base import Sample
from edgeflow.learning.adaptation.options import SIDE
from edgeflow.learning.adaptation.pictures import even_weights, picture_store


def box(size: tuple[int, int], top: int, left: int, bottom: int, right: int) -> BoolMask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def sample(size: tuple[int, int], *masks: BoolMask) -> Sample:
    return Sample("picture", np.zeros((*size, 3), dtype=np.uint8), masks)


def test_an_object_within_another_takes_nothing_from_it() -> None:
    size = (SIDE, SIDE)
    store = picture_store([sample(size, box(size, 0, 0, 200, 200), box(size, 50, 50, 150, 150))])
    assert sorted(store.areas.tolist()) == [100 * 100, 200 * 200]


def test_objects_side_by_side_share_a_picture() -> None:
    size = (SIDE, SIDE)
    store = picture_store([sample(size, box(size, 0, 0, 99, 99), box(size, 200, 200, 240, 240))])
    assert len(store.names) == 1
    torch.testing.assert_close(even_weights(store), torch.tensor([0.5, 0.5], dtype=torch.float64))


def test_a_small_object_of_a_large_picture_is_also_seen_at_its_own_size() -> None:
    size = (1200, 2000)
    store = picture_store([sample(size, box(size, 600, 900, 640, 940))])
    small, whole = sorted(store.areas.tolist())
    assert whole == 40 * 40
    assert small < 100


def test_a_large_object_of_a_large_picture_is_seen_once() -> None:
    size = (1200, 2000)
    store = picture_store([sample(size, box(size, 100, 100, 1100, 1900))])
    assert len(store.names) == 1


def test_drawings_stand_beside_the_pictures_and_are_shown_as_often_as_they_should() -> None:
    size = (SIDE, SIDE)
    store = picture_store([sample(size, box(size, 0, 0, 99, 99), box(size, 200, 200, 240, 240))], 3)
    assert len(store.names) == 4
    drawn = store.objects[:, 0] > 0
    assert drawn.any()
    weights = even_weights(store, 0.25)
    assert float(weights[drawn].sum()) == pytest.approx(0.25)
    assert float(weights[~drawn].sum()) == pytest.approx(0.75)
    for index, label, top, left, bottom, right in store.objects.tolist():
        inside = store.labels[index, top:bottom, left:right] == label
        assert inside.any()
        assert int((store.labels[index] == label).sum()) == int(inside.sum())
