from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from edgeflow.export.formats.png_files import palette_png, pixels_png
from edgeflow.masks.palette import voc_colour


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 4)], ids=["grey", "rgb", "rgba"])
def test_pixels_come_back(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(pixels_png(pixels)))) == pixels).all()
    assert pixels_png(pixels[::-1]) == pixels_png(pixels[::-1].copy())


def test_a_palette_shows_numbers_in_the_colours_of_voc() -> None:
    numbers = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = Image.open(io.BytesIO(palette_png(numbers)))
    assert image.mode == "P"
    assert (np.asarray(image) == numbers).all()
    assert np.asarray(image.convert("RGB")).reshape(-1, 3).tolist() == [
        list(voc_colour(number)) for number in range(256)
    ]


def test_few_numbers_still_have_the_whole_palette() -> None:
    image = Image.open(io.BytesIO(palette_png(np.zeros((2, 2), dtype=np.uint8))))
    assert len(image.getpalette() or []) == 768
