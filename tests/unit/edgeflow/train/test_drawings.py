from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeflow.train import drawings
from edgeflow.train.config import Data, Source
from edgeflow.train.drawings import SCENES, SIDES, Drawings
from edgeflow.train.drawn_shapes import KINDS, Canvas, shape
from edgeflow.train.image_store import build_store, is_held_out
from edgeflow.train.training_data import open_material
from tests.training.shapes import write_shapes


def test_a_number_always_makes_the_same_drawing_and_another_another() -> None:
    first, again, other = Drawings(9)[3], Drawings(5)[3], Drawings(9)[4]
    assert first.name == again.name == "drawings/00003"
    assert np.array_equal(first.rgb, again.rgb)
    assert all(map(np.array_equal, first.objects, again.objects))
    assert first.rgb.shape != other.rgb.shape or (first.rgb != other.rgb).any()


def test_every_drawing_has_objects_and_a_size_within_bounds() -> None:
    made = Drawings(80)
    samples = [made[number] for number in range(len(made))]
    for sample in samples:
        assert sample.rgb.dtype == np.uint8
        assert all(SIDES[0] <= side <= SIDES[1] for side in sample.rgb.shape[:2])
        assert sample.objects
        assert all(mask.any() and mask.shape == sample.rgb.shape[:2] for mask in sample.objects)
    assert sum(len(sample.objects) > 1 for sample in samples) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_a_shape_lies_within_its_radius(kind: str) -> None:
    canvas = Canvas(np.zeros((80, 90, 3)), np.zeros((80, 90), dtype=np.uint8))
    mask = shape(np.random.default_rng(0), canvas, (40.0, 50.0), 25.0, kind)
    rows, cols = np.nonzero(mask)
    assert len(rows) > 50
    assert np.hypot(rows - 40, cols - 50).max() <= 26


def test_some_objects_end_where_nothing_in_the_image_shows_it() -> None:
    """A bite has the colour of the shape that it is missing from."""
    hidden = 0
    for seed in range(20):
        canvas = Canvas(np.full((96, 96, 3), -100.0), np.zeros((96, 96), dtype=np.uint8))
        (bitten,) = (scene for scene, _ in SCENES if scene.__name__ == "_bitten")
        bitten(np.random.default_rng(seed), canvas)
        shown = canvas.rgb[..., 0] > -100
        hidden += bool((shown & (canvas.labels == 0)).any())
    assert hidden > 10


def test_drawings_join_the_images_with_weights_of_their_own(tmp_path: Path) -> None:
    source = Source(path=write_shapes(tmp_path / "shapes", 2, 1), weight=3.0)
    data = Data(sources=(source,), side=64, min_area=0, held_out=0.3, drawings=8)
    material = open_material(data, 99)
    factors = dict(zip(material.store.names, material.factors, strict=True))
    held_out = set(material.held_out.sample_names)
    drawn = {name for name in {*factors, *held_out} if name.startswith("drawings/")}
    assert drawn == set(Drawings(8).sample_names)
    assert {name for name in held_out if name in drawn} == {
        name for name in drawn if is_held_out(name, 0.3)
    }
    assert {factors[name] for name in factors if name in drawn} == {1.0}


def test_the_objects_of_drawings_are_known_in_a_store() -> None:
    other = replace(Drawings(3)[2], name="other/00002")
    store = build_store([Drawings(3)[0], other, Drawings(3)[1]], 64, 0)
    assert torch.equal(drawings.of(store), store.objects[:, 0] != 1)
