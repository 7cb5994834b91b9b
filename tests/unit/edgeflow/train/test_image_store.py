from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from edgeflow.data.base import Sample
from edgeflow.train.errors import TrainingError
from edgeflow.train.image_store import (
    IGNORE,
    build_store,
    is_held_out,
    load_store,
    object_weights,
    read_samples,
    save_store,
    shrink,
    with_share,
)
from tests.unit.edgeflow.evaluate.scripted import Images


def box(height: int, width: int, rows: slice, cols: slice) -> np.ndarray:
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[rows, cols] = True
    return mask


def image(name: str, *objects: np.ndarray, ignore: np.ndarray | None = None) -> Sample:
    height, width = objects[0].shape
    return Sample(name, np.full((height, width, 3), 77, dtype=np.uint8), objects, ignore)


def test_images_lie_in_the_top_left_corner_of_their_canvas() -> None:
    store = build_store([image("a", box(20, 40, slice(5, 15), slice(10, 30)))], 80, 0)
    assert store.images.shape == (1, 3, 80, 80)
    assert store.sizes.tolist() == [[40, 80]]
    assert (store.images[0, :, :40] == 77).all()
    assert (store.images[0, :, 40:] == 0).all()
    assert (store.labels[0, 40:] == IGNORE).all()
    assert store.objects.tolist() == [[0, 1, 10, 20, 30, 60]]
    assert store.areas.tolist() == [20 * 40]


def test_smaller_objects_lie_on_top_of_larger_ones() -> None:
    large, small = box(10, 10, slice(0, 8), slice(0, 8)), box(10, 10, slice(2, 4), slice(2, 4))
    for objects in ((large, small), (small, large)):
        _, labels = shrink(image("a", *objects), 10)
        assert (labels[2:4, 2:4] == 2).all()
        assert (labels == 1).sum() == 60


def test_objects_win_over_pixels_to_ignore() -> None:
    mask = box(8, 8, slice(0, 4), slice(0, 8))
    _, labels = shrink(image("a", mask, ignore=np.ones_like(mask)), 8)
    assert (labels[:4] == 1).all()
    assert (labels[4:] == IGNORE).all()


def test_of_very_many_objects_the_largest_are_kept() -> None:
    masks = [
        box(40, 40, slice(n // 40, n // 40 + 1), slice(n % 40, n % 40 + 1)) for n in range(300)
    ]
    large = box(40, 40, slice(20, 40), slice(0, 40))
    _, labels = shrink(image("a", *masks, large), 40)
    assert (labels[20:] == 1).all()
    assert labels.max() == 254


def test_objects_that_are_too_small_and_images_without_others_are_left_out() -> None:
    speck, half = box(20, 20, slice(0, 1), slice(0, 1)), box(20, 20, slice(10, 20), slice(0, 20))
    store = build_store([image("a", speck), image("b", speck, half)], 20, 0.01)
    assert store.names == ("b",)
    assert len(store.objects) == 1
    with pytest.raises(TrainingError, match="no object"):
        build_store([image("a", speck)], 20, 0.01)


def test_a_store_grows_when_nobody_said_how_many_images_come() -> None:
    mask = box(4, 4, slice(0, 2), slice(0, 4))
    store = build_store((image(str(n), mask) for n in range(300)), 4, 0)
    assert len(store.images) == len(store.names) == 300


def test_a_cached_store_is_the_same_and_another_key_or_damage_is_noticed(tmp_path: Path) -> None:
    store = build_store([image("a/b", box(8, 8, slice(0, 4), slice(0, 8)))], 8, 0)
    path = tmp_path / "cache" / "images.safetensors"
    assert load_store(path, "key") is None
    save_store(store, path, "key")
    loaded = load_store(path, "key")
    assert loaded is not None
    assert loaded.names == store.names
    for name in ("images", "labels", "sizes", "objects", "areas"):
        assert torch.equal(getattr(loaded, name), getattr(store, name))
    assert load_store(path, "other key") is None
    path.write_bytes(path.read_bytes()[:-10])
    assert load_store(path, "key") is None


def test_held_out_images_are_chosen_by_name_and_are_as_many_as_asked_for() -> None:
    names = [f"set/{n}" for n in range(4000)]
    held = [name for name in names if is_held_out(name, 0.05)]
    assert len(held) / 4000 == pytest.approx(0.05, abs=0.015)
    assert set(held) <= {name for name in names if is_held_out(name, 0.2)}
    assert not any(is_held_out(name, 0.0) for name in names)


def test_samples_are_read_in_order_and_only_those_that_are_kept() -> None:
    mask = box(4, 4, slice(0, 2), slice(0, 4))
    dataset = Images(*(image(str(n), mask) for n in range(90)))
    names = [sample.name for sample in read_samples(dataset, lambda name: int(name) % 3 == 0)]
    assert names == [str(n) for n in range(0, 90, 3)]


def test_images_are_drawn_by_set_and_objects_by_the_root_of_their_area() -> None:
    large, small = box(40, 40, slice(0, 20), slice(0, 40)), box(40, 40, slice(30, 40), slice(0, 20))
    samples = [image(f"many/{n}", large) for n in range(4)] + [image("few/0", large, small)]
    store = build_store(samples, 40, 0)
    by_image = torch.zeros(5, dtype=torch.float64)
    for balance, share in ((1.0, 1 / 5), (0.0, 1 / 2)):
        weights = object_weights(store, balance=balance)
        assert float(weights.sum()) == pytest.approx(1)
        drawn = by_image.clone().index_add_(0, store.objects[:, 0].long(), weights)
        assert float(drawn[4]) == pytest.approx(share)
    assert float(weights[4] / weights[5]) == pytest.approx((800 / 200) ** 0.5)
    weights = object_weights(store, balance=1.0, factors=[1, 1, 1, 1, 4])
    assert float(weights[4:].sum()) == pytest.approx(0.5)


def test_some_objects_can_be_given_a_share_of_what_is_drawn() -> None:
    weights = torch.tensor([0.1, 0.3, 0.4, 0.2], dtype=torch.float64)
    chosen = torch.tensor([False, True, True, False])
    shared = with_share(weights, chosen, 0.07)
    assert float(shared.sum()) == pytest.approx(1)
    assert float(shared[chosen].sum()) == pytest.approx(0.07)
    assert float(shared[2] / shared[1]) == pytest.approx(4 / 3)
    assert float(shared[3] / shared[0]) == pytest.approx(2)
    for none_or_all in (torch.zeros(4, dtype=torch.bool), torch.ones(4, dtype=torch.bool)):
        assert torch.equal(with_share(weights, none_or_all, 0.07), weights)
