"""What clicks and boxes are worth to the shipped network: hints, which it may know better."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.masks.cleanup import Cleanup
from edgeflow.prompts.outline import Outline
from tests.unit.edgeflow.samples import click
from tests.unit.edgeflow_backend.samples import disk, disk_image

ASTRONAUT = Path(__file__).parents[4] / "demo" / "photos" / "astronaut.jpg"


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """The shipped network as it is served."""
    return load_predictor(device="cpu")


def overlap(a: BoolMask, b: BoolMask) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("margin", [0, -3, 3], ids=["true", "tight", "wide"])
def test_a_box_a_little_off_does_not_cut_its_object(predictor: Predictor, margin: int) -> None:
    box = Box(31 - margin, 51 - margin, 90 + margin, 110 + margin)  # the disk's is 59 wide
    mask = predictor.predict(predictor.encode(disk_image()), [], start=Outline(box)).mask
    assert overlap(mask, disk()) > 0.96
    inside = np.zeros_like(mask)
    inside[box.slices] = True
    if margin < 0:
        assert overlap(disk() & inside, disk()) < overlap(mask, disk())
        assert (mask & ~inside).sum() > 50


def pieces(mask: BoolMask) -> int:
    return int(cv2.connectedComponents(mask.astype(np.uint8))[0]) - 1


def test_a_click_on_the_background_is_not_answered_with_confetti(predictor: Predictor) -> None:
    image = predictor.encode(np.asarray(Image.open(ASTRONAUT).convert("RGB")))
    all_of_it = Predictor(
        predictor.runtime, version="v", policy=predictor.policy, cleanup=Cleanup(min_certainty=0)
    )
    background = [click(255.5, 14.9)]
    assert pieces(all_of_it.predict(image, background).mask) > 1
    found = predictor.predict(image, background)
    assert found.patch.empty
    assert found.score == 0
