"""Images that the backend reads and no browser shows: each message names the way out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.images import decode, decode_image, read_image

RGB = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8))


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    RGB.save(buffer, kind)
    return buffer.getvalue()


def test_a_tiff_is_noted() -> None:
    assert read_image(encoded("TIFF")).notes == ("it is a TIFF: browsers do not show it",)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_very_large_image_is_noted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_image(encoded(kind)).notes == ()
    monkeypatch.setattr(decode, "SHOWN_PIXELS", 1199)
    assert read_image(encoded(kind)).notes == ("30×40 pixels: browsers do not show it",)


def test_too_large_a_one_is_refused_with_the_command() -> None:
    with pytest.raises(ImageTooLargeError) as caught:
        decode_image(encoded("PNG"), max_pixels=1199)
    assert "`edgeflow tile`" in caught.value.hint


def test_a_tiff_that_cannot_be_read_is_refused_with_the_command() -> None:
    """Such as a whole-slide picture in JPEG 2000."""
    with pytest.raises(ImageError) as caught:
        decode_image(encoded("TIFF")[:3000])
    assert "`edgeflow tile`" in caught.value.hint
