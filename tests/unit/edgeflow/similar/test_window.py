"""Windows, and the component at a click."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.sampling import Centred
from edgeflow.inference.state import EncodedImage
from edgeflow.similar.window import Window, segmented, step_input, window_around

IMAGE = Size(400, 600)
MIDDLE = ImagePoint(300, 200)


def test_an_object_gets_as_many_network_pixels_whatever_its_size() -> None:
    for length in (60, 100, 180):
        box, size = window_around(MIDDLE, length, IMAGE)
        assert box.size == Size(round(1.8 * length), round(1.8 * length))
        assert size == Size(256, 256)
        assert box.contains(MIDDLE)


def test_a_window_of_few_pixels_is_enlarged_less() -> None:
    assert window_around(MIDDLE, 20, IMAGE).size == Size(192, 192)


@pytest.mark.parametrize("point", [(0, 0), (599, 399), (0, 200), (300, 399)], ids=str)
def test_a_window_at_the_border_is_moved_into_the_image(point: tuple[int, int]) -> None:
    box, size = window_around(ImagePoint(*point), 100, IMAGE)
    assert box.size == Size(180, 180)
    assert size == Size(256, 256)
    assert box.intersection(Box.whole(IMAGE)) == box
    assert box.contains(ImagePoint(*point))


def test_a_window_larger_than_the_image_is_all_of_it_at_the_same_scale() -> None:
    box, size = window_around(MIDDLE, 500, IMAGE)
    assert box == Box.whole(IMAGE)
    assert size == Size(128, 160)  # 256 / 900 of the image's sides, in multiples of 32
    assert window_around(MIDDLE, 100_000, IMAGE).size == Size(32, 32)


def test_the_network_sees_the_window_and_the_click_in_it() -> None:
    pixels = torch.zeros((1, 3, *IMAGE), dtype=torch.uint8)
    pixels[:, 0, 195:206, 295:306] = 255
    image = EncodedImage(pixels, pixels[:, :, :32, :32] / 255, "digest")
    step = step_input(image, window_around(MIDDLE, 100, IMAGE), MIDDLE, Centred())
    assert step.image.shape == step.prompt.shape == (1, 3, 256, 256)
    assert not step.prompt[0, 0].any()
    assert not step.prompt[0, 2].any()
    disk = torch.nonzero(step.prompt[0, 1]).float()
    red = torch.nonzero(step.image[0, 0] > 0.5).float()
    torch.testing.assert_close(disk.mean(dim=0), red.mean(dim=0), atol=1.0, rtol=0)
    assert len(disk) == pytest.approx(np.pi * 25, abs=8)


def answer(probability: np.ndarray, point: ImagePoint) -> tuple[int, float, float]:
    """Area, certainty and firmness of a 64×64 map's answer on as many pixels."""
    window = Window(Box(100, 200, 164, 264), Size(64, 64))
    found = segmented(probability, window, point, IMAGE, Centred())
    area = int(np.count_nonzero(found.mask.pixels))
    return area, found.certainty, found.firmness


def test_only_the_component_at_the_click_is_the_object() -> None:
    probability = np.zeros((64, 64), dtype=np.float32)
    probability[10:20, 10:20] = 0.9
    probability[40:60, 40:60] = 0.95
    area, certainty, firmness = answer(probability, ImagePoint(215, 115))
    assert (area, firmness) == (100, 1)
    assert certainty == pytest.approx(0.9)


def test_an_unsure_outline_is_not_firm() -> None:
    probability = np.zeros((64, 64), dtype=np.float32)
    probability[10:30, 10:30] = 0.4
    probability[10:20, 10:20] = 0.9
    _, _, firmness = answer(probability, ImagePoint(215, 115))
    assert firmness == pytest.approx(0.25)


def test_nothing_at_the_click_is_no_object() -> None:
    probability = np.zeros((64, 64), dtype=np.float32)
    probability[10:20, 10:20] = 0.9
    assert answer(probability, ImagePoint(240, 140)) == (0, 0, 0)


def test_an_object_on_the_windows_border_is_cut_but_not_on_the_images() -> None:
    probability = np.zeros((64, 64), dtype=np.float32)
    probability[:20, 10:20] = 0.9
    for top, cut in ((100, True), (0, False)):
        window = Window(Box(top, 200, top + 64, 264), Size(64, 64))
        point = ImagePoint(215, top + 10)
        assert segmented(probability, window, point, IMAGE, Centred()).cut == cut
