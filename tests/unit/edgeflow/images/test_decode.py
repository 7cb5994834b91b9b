from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.images import FORMATS, decode_image
from tests.unit.edgeflow.samples import PHOTOS, png_header

RGB = npt.NDArray[np.uint8]


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(height: int = 12, width: int = 20) -> RGB:
    """Unlike itself under every flip and turn."""
    rows, cols = np.mgrid[:height, :width]
    return np.stack((rows * 20, cols * 12, rows * 5 + cols * 7), axis=-1).astype(np.uint8)


def grey(values: npt.NDArray[Any]) -> RGB:
    return np.repeat(values.astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_colours_come_out_as_they_went_in(kind: str) -> None:
    decoded = decode_image(encoded(Image.fromarray(gradient()), kind))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, gradient())


def test_lossless_webp_comes_out_as_it_went_in() -> None:
    data = encoded(Image.fromarray(gradient()), "WEBP", lossless=True)
    np.testing.assert_array_equal(decode_image(data), gradient())


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000", "WEBP"])
def test_lossy_formats_come_out_nearly_as_they_went_in(kind: str) -> None:
    image = np.broadcast_to(np.array([200, 90, 30], np.uint8), (32, 48, 3))
    decoded = decode_image(encoded(Image.fromarray(np.ascontiguousarray(image)), kind))
    np.testing.assert_allclose(decoded.astype(int), image.astype(int), atol=4)


def test_a_real_photograph_is_read() -> None:
    decoded = decode_image((PHOTOS / "cat.jpg").read_bytes())
    assert decoded.shape == (300, 451, 3)


def test_the_array_is_the_callers_to_change() -> None:
    decoded = decode_image(encoded(Image.fromarray(gradient())))
    assert decoded.flags.writeable
    assert decoded.flags.c_contiguous


def test_a_grey_image_becomes_three_equal_channels() -> None:
    values = np.arange(200, dtype=np.uint8).reshape(10, 20)
    np.testing.assert_array_equal(decode_image(encoded(Image.fromarray(values))), grey(values))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_16_bit_grey_keeps_its_high_byte(kind: str) -> None:
    values = np.linspace(0, 65535, 300).astype(np.uint16).reshape(15, 20)
    decoded = decode_image(encoded(Image.fromarray(values), kind))
    np.testing.assert_array_equal(decoded, grey(values >> 8))


def test_a_big_endian_16_bit_tiff_keeps_its_high_byte() -> None:
    values = np.linspace(0, 65535, 300).astype(np.uint16).reshape(15, 20)
    image = Image.frombytes("I;16B", (20, 15), values.astype(">u2").tobytes())
    np.testing.assert_array_equal(decode_image(encoded(image, "TIFF")), grey(values >> 8))


def test_a_one_bit_image_is_black_and_white() -> None:
    values = np.indices((9, 13)).sum(axis=0) % 2 == 0
    np.testing.assert_array_equal(
        decode_image(encoded(Image.fromarray(values))), grey(values * 255)
    )


def test_transparent_pixels_are_white() -> None:
    rgba = np.dstack((gradient(), np.zeros((12, 20), np.uint8)))
    decoded = decode_image(encoded(Image.fromarray(rgba)))
    np.testing.assert_array_equal(decoded, np.full((12, 20, 3), 255))


def test_opaque_pixels_of_an_image_with_alpha_keep_their_colour() -> None:
    rgba = np.dstack((gradient(), np.full((12, 20), 255, np.uint8)))
    np.testing.assert_array_equal(decode_image(encoded(Image.fromarray(rgba))), gradient())


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    rgba = np.full((4, 4, 4), (100, 0, 200, 128), np.uint8)
    decoded = decode_image(encoded(Image.fromarray(rgba)))
    expected = np.array([100, 0, 200]) * (128 / 255) + 255 * (127 / 255)
    np.testing.assert_allclose(decoded, np.broadcast_to(expected, (4, 4, 3)), atol=1)


def test_a_grey_image_with_alpha_is_laid_on_white() -> None:
    la = np.zeros((4, 6, 2), np.uint8)
    la[:, :3] = (40, 255)
    la[:, 3:] = (40, 0)
    decoded = decode_image(encoded(Image.fromarray(la, mode="LA")))
    np.testing.assert_array_equal(decoded[:, :3], np.full((4, 3, 3), 40))
    np.testing.assert_array_equal(decoded[:, 3:], np.full((4, 3, 3), 255))


def palette_image() -> Image.Image:
    image = Image.fromarray(np.tile(np.array([0, 1, 2], np.uint8), (4, 2)), mode="P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    return image


COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_palette_is_looked_up(kind: str) -> None:
    decoded = decode_image(encoded(palette_image(), kind))
    np.testing.assert_array_equal(decoded, np.tile(COLOURS, (4, 2, 1)))


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palettes_transparent_colour_is_white(kind: str) -> None:
    decoded = decode_image(encoded(palette_image(), kind, transparency=1))
    expected = COLOURS.copy()
    expected[1] = 255
    np.testing.assert_array_equal(decoded, np.tile(expected, (4, 2, 1)))


def test_a_cmyk_jpeg_has_the_colours_that_it_had_in_print() -> None:
    flat = np.full((32, 32, 3), (210, 60, 30), np.uint8)
    data = encoded(Image.fromarray(flat).convert("CMYK"), "JPEG", quality=95)
    np.testing.assert_allclose(decode_image(data).astype(int), flat.astype(int), atol=6)


def test_a_float_tiff_is_scaled_to_its_brightest_pixel() -> None:
    values = np.array([[0.0, 0.25, 0.5, 1.0]], np.float32) * 40
    decoded = decode_image(encoded(Image.fromarray(values), "TIFF"))
    np.testing.assert_array_equal(decoded, grey(np.array([[0, 63, 127, 255]])))


@pytest.mark.parametrize(
    "values", [[np.nan, 1.0, 0.5], [-3.0, 1.0, 0.5], [np.nan, -1.0, 0.0], [-np.inf, 0.1, 0.2]]
)
def test_a_float_tiff_may_hold_nan_and_negative_values(values: list[float]) -> None:
    decoded = decode_image(encoded(Image.fromarray(np.array([values], np.float32)), "TIFF"))
    assert decoded.shape == (1, 3, 3)
    assert not decoded[0, 0].any()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    first, second = Image.new("RGB", (9, 7), "red"), Image.new("RGB", (9, 7), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(first, kind, save_all=True, append_images=[second], duration=50, **options)
    np.testing.assert_array_equal(decode_image(data), np.full((7, 9, 3), (255, 0, 0)))


@pytest.mark.parametrize("hidden", [False, True])
def test_an_animated_png_may_hide_its_default_image(*, hidden: bool) -> None:
    first, second = Image.new("RGB", (9, 7), "red"), Image.new("RGB", (9, 7), "blue")
    options: dict[str, Any] = {
        "save_all": True,
        "append_images": [second, first],
        "default_image": hidden,
    }
    colour = (0, 0, 255) if hidden else (255, 0, 0)
    np.testing.assert_array_equal(
        decode_image(encoded(first, **options)), np.full((7, 9, 3), colour)
    )


def test_of_a_many_page_tiff_the_first_page_is_taken() -> None:
    pages = [Image.new("RGB", (9, 7), "red"), Image.new("RGB", (5, 5), "blue")]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(decode_image(data), np.full((7, 9, 3), (255, 0, 0)))


def test_of_a_cameras_multi_image_jpeg_the_first_is_taken() -> None:
    first, second = Image.new("RGB", (16, 16), "white"), Image.new("RGB", (16, 16), "black")
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    np.testing.assert_array_equal(decode_image(data), np.full((16, 16, 3), 255))


# What the file holds, as a function of the upright image's pixels.
STORED: dict[int, Callable[[RGB], RGB]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a.transpose(1, 0, 2), 2),
    8: lambda a: np.rot90(a, -1),
}


def with_orientation(upright: RGB, orientation: int, kind: str) -> bytes:
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    return encoded(stored, kind, exif=exif, **options)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_every_exif_orientation_is_brought_upright(kind: str, orientation: int) -> None:
    data = with_orientation(gradient(), orientation, kind)
    np.testing.assert_array_equal(decode_image(data), gradient())


@pytest.mark.parametrize("orientation", STORED)
def test_a_phones_jpeg_is_brought_upright(orientation: int) -> None:
    shades = np.array([[250, 130, 10], [60, 190, 220]])
    upright = grey(np.kron(shades, np.ones((16, 16), np.int64)))
    data = with_orientation(upright, orientation, "JPEG")
    decoded = decode_image(data)
    assert decoded.shape == upright.shape
    np.testing.assert_allclose(decoded.astype(int), upright.astype(int), atol=8)


@pytest.mark.parametrize("orientation", [0, 9, 99, 65535])
def test_an_unknown_orientation_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(Image.fromarray(gradient()), "PNG", exif=exif)
    np.testing.assert_array_equal(decode_image(data), gradient())


# Pillow warns of these; that it does is no concern of this test.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"rubbish",
        b"II*\0\x08\0\0\0" + b"\xff" * 42,
        b"II*\0\xff\xff\xff\x7f",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0abc\0\0\0\0\0",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\x01\0\0\0\x1a\0\0\0\0\0\0\0" + bytes(8),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_exif_block_does_not_cost_the_image(kind: str, block: bytes) -> None:
    data = encoded(Image.fromarray(gradient()), kind, exif=b"Exif\0\0" + block)
    assert decode_image(data).shape == (12, 20, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG2000", "PPM"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_file_is_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(ImageError) as caught:
        decode_image(data[: int(len(data) * share)])
    assert "not a readable image" in caught.value.message
    assert "damaged" in caught.value.hint


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"  \n", "it is empty"),
        (b"<!DOCTYPE html><title>Log in</title>", "HTML page, perhaps a login page"),
        (b"\n <html lang='en'>", "HTML page"),
        (b'{"detail": "Authentication credentials were not provided."}', "looks like JSON"),
        (b'[{"a": 1}]', "looks like JSON"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"%PDF-1.7 \xff\xff", "PDF document"),
        (b"just some text", "unknown format"),
    ],
)
def test_what_is_no_image_is_named_for_what_it_is(data: bytes, says: str) -> None:
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    assert says in caught.value.message
    assert f"{len(data)} bytes" in caught.value.message
    assert all(known in caught.value.hint for known in FORMATS)


@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICO", "TGA", "PCX", "SGI", "ICNS"])
def test_formats_that_are_not_on_the_list_are_not_opened(kind: str) -> None:
    with pytest.raises(ImageError):
        decode_image(encoded(Image.new("RGB", (32, 32)), kind))


# Refused from its 57 bytes: a decoder would need ten gigabytes.
def test_a_gigantic_image_is_refused_by_its_header_alone() -> None:
    with pytest.raises(ImageTooLargeError) as caught:
        decode_image(png_header(60_000, 60_000))
    assert "3600000000 pixels" in caught.value.message or "60000×60000" in caught.value.message
    assert "resize" in caught.value.hint


def test_the_pixel_limit_names_the_image_and_itself() -> None:
    data = encoded(Image.fromarray(gradient(height=12, width=20)))
    with pytest.raises(ImageTooLargeError, match=r"20×12 pixels, the limit is 239") as caught:
        decode_image(data, max_pixels=239)
    assert caught.value.code == "image_too_large"


def test_an_image_of_just_the_pixel_limit_is_read() -> None:
    data = encoded(Image.fromarray(gradient(height=12, width=20)))
    assert decode_image(data, max_pixels=240).shape == (12, 20, 3)


def test_the_pixel_limit_holds_before_anything_is_decoded() -> None:
    # The header promises pixels that are not there: decoding would end in another error.
    with pytest.raises(ImageTooLargeError):
        decode_image(png_header(100, 100), max_pixels=9999)
    with pytest.raises(ImageError) as caught:
        decode_image(png_header(100, 100), max_pixels=10_000)
    assert not isinstance(caught.value, ImageTooLargeError)


def decodes_or_is_refused(data: bytes) -> None:
    try:
        image = decode_image(data, max_pixels=100_000)
    except ImageError as error:
        assert error.hint  # noqa: PT017 - either outcome is right
    else:
        assert image.dtype == np.uint8
        assert image.ndim == 3


MAGIC = st.sampled_from(
    [
        b"",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"RIFF\x40\0\0\0WEBPVP8 ",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"P6 ",
        b"P4\n",
    ]
)


@given(MAGIC, st.binary(max_size=300))
@example(b"P6 ", b"0 0 255\n")
@example(b"P6 ", b"1 1 0\n\0\0\0")
def test_random_bytes_never_raise_anything_else(magic: bytes, data: bytes) -> None:
    decodes_or_is_refused(magic + data)


VALID = {
    kind: encoded(Image.fromarray(gradient()), kind)
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG2000", "PPM")
}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(VALID)), st.data())
def test_damaged_images_never_raise_anything_else(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(VALID[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    decodes_or_is_refused(bytes(damaged))
