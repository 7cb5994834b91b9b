from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgeflow.images import decode_image
from edgeflow.images.depth import to_8_bits

RAMP = np.linspace(0, 1, 48 * 64).reshape(48, 64)


def stretched(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    wide = values.astype(np.float64)
    levels: npt.NDArray[np.uint8] = ((wide - wide.min()) / (wide.max() - wide.min()) * 255).astype(
        np.uint8
    )
    return levels


@pytest.mark.parametrize(
    "values",
    [
        (RAMP * 4095).astype(np.uint16),
        (RAMP * 4095 - 1024).astype(np.int16),
        (RAMP * 70000).astype(np.uint32),
        (RAMP * 4_000_000_000).astype(np.uint32),
        (RAMP * 3 - 1).astype(np.float32),
        (RAMP * 300).astype(">u2"),
    ],
)
def test_data_are_stretched_to_their_range(values: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(to_8_bits(values).astype(int), stretched(values), atol=1)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_full_16_bits_keep_their_high_byte(dtype: str) -> None:
    values = (RAMP * 65535).astype(dtype)
    np.testing.assert_array_equal(to_8_bits(values), values.astype(int) >> 8)


@pytest.mark.parametrize("value", [0, 255, 65535])
def test_a_plain_8_bit_value_stays(value: int) -> None:
    assert to_8_bits(np.full((2, 2), value >> 8, np.uint8))[0, 0] == value >> 8


COLOURS = (np.stack((RAMP, RAMP[::-1], RAMP[:, ::-1]), axis=-1) * 4095).astype(np.uint16)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("scale", [1, 16])
def test_colours_of_16_bits_are_right(extension: str, scale: int) -> None:
    data = cv2.imencode(extension, COLOURS[..., ::-1] * scale)[1].tobytes()
    np.testing.assert_allclose(decode_image(data).astype(int), stretched(COLOURS), atol=1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_12_bits_of_grey_keep_their_levels(kind: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray((RAMP * 4095).astype(np.uint16)).save(buffer, kind)
    assert len(np.unique(decode_image(buffer.getvalue()))) > 200
