from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeflow.arrays import BoolMask
from edgeflow.data.base import Sample
from edgeflow.learning.adaptation.options import SIDE, Regions
from edgeflow.learning.adaptation.pictures import even_weights, read_pictures
from edgeflow.train.image_store import ImageStore


def box(size: tuple[int, int], top: int, left: int, bottom: int, right: int) -> BoolMask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def sample(size: tuple[int, int], *masks: BoolMask) -> Sample:
    return Sample("picture", np.zeros((*size, 3), dtype=np.uint8), masks)


def store_of(*samples: Sample) -> ImageStore:
    return read_pictures(samples).store


def test_an_object_within_another_takes_nothing_from_it() -> None:
    size = (SIDE, SIDE)
    store = store_of(sample(size, box(size, 0, 0, 200, 200), box(size, 50, 50, 150, 150)))
    assert sorted(store.areas.tolist()) == [100 * 100, 200 * 200]


def test_objects_side_by_side_share_a_picture() -> None:
    size = (SIDE, SIDE)
    store = store_of(sample(size, box(size, 0, 0, 99, 99), box(size, 200, 200, 240, 240)))
    assert len(store.names) == 1
    torch.testing.assert_close(even_weights(store), torch.tensor([0.5, 0.5], dtype=torch.float64))


def test_a_small_object_of_a_large_picture_is_also_seen_at_its_own_size() -> None:
    size = (1200, 2000)
    store = store_of(sample(size, box(size, 600, 900, 640, 940)))
    small, whole = sorted(store.areas.tolist())
    assert whole == 40 * 40
    assert small < 100


def test_a_large_object_of_a_large_picture_is_seen_once() -> None:
    size = (1200, 2000)
    store = store_of(sample(size, box(size, 100, 100, 1100, 1900)))
    assert len(store.names) == 1


@pytest.mark.parametrize(
    ("side", "regions"),
    [
        (150, Regions(1, 1, 0)),
        (250, Regions(0.8, 0.8, 0)),
        (400, Regions(0.5, 0.12, 0.1)),
        (480, Regions(200 / 480, 0.1, 0.1)),
    ],
)
def test_objects_are_looked_at_as_closely_as_inference_will(side: int, regions: Regions) -> None:
    size = (side, side)
    pictures = read_pictures([sample(size, box(size, 0, 0, side // 2, side // 2))])
    assert pictures.regions == regions
