from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Box, Size
from edgeflow.label_studio.bitmask_png import decode_bitmask, encode_bitmask
from edgeflow.masks.patch import MaskPatch

SIZES = [Size(1, 1), Size(3, 8), Size(7, 9), Size(40, 33), Size(64, 64)]


def random_mask(size: Size, seed: int) -> BoolMask:
    """A random block of random pixels, its bounding box anywhere."""
    chance = np.random.default_rng(seed)
    mask = np.zeros(size, dtype=np.bool_)
    top, left = chance.integers(size.height), chance.integers(size.width)
    mask[top:, left:] = chance.random((size.height - top, size.width - left)) < 0.6
    return mask


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_a_bitmask_is_read_back_and_others_read_it_alike(size: Size, seed: int) -> None:
    mask = random_mask(size, seed)
    png = encode_bitmask(MaskPatch.of(mask))
    np.testing.assert_array_equal(decode_bitmask(png, size), mask)
    expected = np.where(mask[:, :, None], (255, 255, 255, 255), (0, 0, 0, 0)).astype(np.uint8)
    with Image.open(io.BytesIO(png)) as image:
        image.verify()
    with Image.open(io.BytesIO(png)) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGBA")), expected)
    grey = cv2.imdecode(np.frombuffer(png, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(grey, mask * np.uint8(255))


def test_an_empty_mask_is_transparent_everywhere() -> None:
    size = Size(5, 11)
    png = encode_bitmask(MaskPatch.of(np.zeros(size, dtype=np.bool_)))
    assert not decode_bitmask(png, size).any()


def test_an_image_without_pixels_has_no_png() -> None:
    nothing = MaskPatch(np.zeros((0, 0), dtype=np.bool_), Box(0, 0, 0, 0), Size(0, 7))
    with pytest.raises(MaskCodecError, match="shape"):
        encode_bitmask(nothing)


def test_one_bit_a_pixel_is_a_tenth_of_the_editors_own_form() -> None:
    size = Size(3000, 4000)
    pixels = np.zeros((*size, 4), dtype=np.uint8)
    cv2.ellipse(pixels, (2000, 1500), (1200, 800), 20, 0, 360, (255, 255, 255, 255), -1)
    mask = pixels[:, :, 3] > 0
    own = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    assert len(encode_bitmask(MaskPatch.of(mask))) < len(own) / 10


@pytest.mark.parametrize("opaque_bit", [0, 1])
def test_which_of_two_greys_is_transparent_is_the_files_own_choice(opaque_bit: int) -> None:
    """Another writer's bitmask of one bit a pixel, as black on white and as white on black."""
    mask = random_mask(Size(12, 21), seed=3)
    buffer = io.BytesIO()
    Image.fromarray(mask == bool(opaque_bit)).save(
        buffer, "PNG", transparency=1 - opaque_bit, bits=1
    )
    np.testing.assert_array_equal(decode_bitmask(buffer.getvalue(), Size(12, 21)), mask)


def test_a_grey_image_without_transparency_is_opaque_everywhere() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.eye(6, dtype=np.bool_)).save(buffer, "PNG")
    assert decode_bitmask(buffer.getvalue(), Size(6, 6)).all()


def test_a_damaged_bitmask_is_refused() -> None:
    png = encode_bitmask(MaskPatch.of(np.eye(50, dtype=np.bool_)))
    for damaged in (png[:-30], png[:20], b"", png.replace(b"IDAT", b"IDAX")):
        with pytest.raises(MaskCodecError, match="readable PNG"):
            decode_bitmask(damaged, Size(50, 50))
