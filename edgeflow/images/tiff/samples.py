"""Samples of a TIFF as they are stored: any depth up to 64 bits, signed or not, or floating point.

Pillow and OpenCV misread many of these (colours that lie apart, either byte order if compressed,
32 bits without a sign, white as 0). So Pillow only unpacks bytes, as a grey image of 8 bits, and
what they mean is worked out here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import RGBImage
from edgeflow.errors import ImageError
from edgeflow.images.depth import to_8_bits
from edgeflow.images.tiff.directory import (
    BITS,
    COMPRESSION,
    EXTRA,
    LAYOUT,
    PHOTOMETRIC,
    PLACES,
    PLANAR,
    PREDICTOR,
    SAMPLE_FORMAT,
    SAMPLES,
    TILE_WIDTH,
    WIDTH,
    Directory,
)

LOSSLESS = {1: "none", 5: "LZW", 8: "deflate", 32946: "deflate", 32773: "PackBits", 34925: "LZMA",
            50000: "Zstandard"}  # fmt: skip
"""Compressions that only pack bytes."""

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
_COLOURS = {3: "a palette", 5: "CMYK", 6: "YCbCr", 8: "CIELab", 32803: "raw sensor data"}
_FORMATS = {1: "u", 2: "i", 3: "f", 4: "u"}
_HORIZONTAL, _FLOATING = 2, 3
_PREMULTIPLIED, _STRAIGHT = 1, 2
_ROWS = 64
"""Rows that are worked on at once, which saves memory."""


def are_unusual(tags: Directory) -> bool:
    """Whether Pillow is not trusted with a file's samples."""
    return (
        max(tags.values(BITS, 1)) > 8
        or tags.value(SAMPLE_FORMAT, 1) not in (1, 4)
        or (tags.value(PLANAR, 1) == 2 and tags.value(SAMPLES, 1) == 2)
    )


def read_unusual(tags: Directory) -> RGBImage:
    """Pixels of samples that :func:`are_unusual`, on white, not turned.

    Raises:
        ImageError: They are stored in a way that is not read.
    """
    count = tags.value(SAMPLES, 1)
    photometric = tags.value(PHOTOMETRIC, RGB if count >= 3 else BLACK_IS_ZERO)
    if photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB):
        raise _unsupported(tags, _COLOURS.get(photometric, f"colours of kind {photometric}"))
    colours = 3 if photometric == RGB else 1
    if count < colours:
        raise _unsupported(tags, f"{count} of 3 colours")
    samples = _samples(tags)
    pixels = to_8_bits(samples[..., :colours])
    if photometric == WHITE_IS_ZERO:
        np.subtract(255, pixels, out=pixels)
    if count == colours:
        opacity = None
    else:
        extra = tags.value(EXTRA, _STRAIGHT if count == 4 else 0)
        opacity = samples[..., colours] if extra in (_PREMULTIPLIED, _STRAIGHT) else None
        if opacity is not None:
            full = float(2 ** tags.value(BITS) - 1) if opacity.dtype.kind == "u" else 1.0
            if opacity.dtype.kind == "i":
                full = float(np.iinfo(opacity.dtype).max)
            _lay_on_white(pixels, opacity, full, premultiplied=extra == _PREMULTIPLIED)
    return pixels if colours == 3 else np.repeat(pixels, 3, axis=2)


def _samples(tags: Directory) -> npt.NDArray[Any]:
    """H×W×samples at their own depth."""
    count, bits, kind = tags.value(SAMPLES, 1), tags.values(BITS, 1), tags.value(SAMPLE_FORMAT, 1)
    if tags.value(COMPRESSION, 1) not in LOSSLESS:
        raise _unsupported(tags, "lossy compression")
    if len(set(bits)) > 1 or len(set(tags.values(SAMPLE_FORMAT, 1))) > 1:
        raise _unsupported(tags, "samples of different kinds")
    whole = bits[0] in (8, 16, 32, 64)
    if kind not in _FORMATS or not (whole or (9 <= bits[0] < 16 and kind == 1)):
        raise _unsupported(tags, "this kind of samples")
    if tags.value(PLANAR, 1) != 2:
        return _unpacked(tags, count, {})
    planes = []
    for number in range(count):
        changed = {}
        for tag in PLACES:
            if tag in tags.entries:
                values = tags.values(tag)
                each = len(values) // count
                changed[tag] = values[number * each : (number + 1) * each]
        planes.append(_unpacked(tags, 1, changed))
    return np.concatenate(planes, axis=2)


def _unpacked(tags: Directory, count: int, changed: dict[int, tuple[int, ...]]) -> npt.NDArray[Any]:
    """Samples that lie together, H×W×count."""
    bits, width = tags.value(BITS), tags.value(WIDTH)
    tile = tags.value(TILE_WIDTH, 0)
    if tile:
        changed |= {TILE_WIDTH: (_row_bytes(tile * count * bits),)}
    across = -(-width // tile) if tile else 1
    row = _row_bytes((tile or width) * count * bits)
    changed |= {WIDTH: (across * row,), BITS: (8,), PHOTOMETRIC: (BLACK_IS_ZERO,), SAMPLES: (1,)}
    packed = np.asarray(tags.page(LAYOUT, changed)).reshape(-1, across, row)
    read = np.dtype(f"{tags.order}{_FORMATS[tags.value(SAMPLE_FORMAT, 1)]}{max(bits, 16) // 8}")
    if bits == 8:
        read = np.dtype(f"{_FORMATS[tags.value(SAMPLE_FORMAT, 1)]}1")
    native = read.newbyteorder("=")
    samples = np.empty((len(packed), width, count), native)
    for top in range(0, len(packed), _ROWS):
        part = packed[top : top + _ROWS]
        values: npt.NDArray[Any]
        if bits % 8:
            values = _bits(part, bits)[..., : (tile or width) * count]
        elif tags.value(PREDICTOR, 1) == _FLOATING:
            values = _floats(part, count, native)
        else:
            values = np.ascontiguousarray(part).view(read).astype(native)
        values = values.reshape(len(part), across, -1, count)
        if tags.value(PREDICTOR, 1) == _HORIZONTAL:
            steps = values.view(f"u{native.itemsize}")
            np.add.accumulate(steps, axis=2, out=steps, dtype=steps.dtype)
        samples[top : top + _ROWS] = values.reshape(len(part), -1, count)[:, :width]
    return samples


def _bits(packed: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.uint16]:
    """Samples of 9 to 15 bits, one after the other."""
    each = np.unpackbits(packed, axis=-1)
    each = each[..., : each.shape[-1] // bits * bits].reshape(*packed.shape[:-1], -1, bits)
    return np.asarray(each @ (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16), np.uint16)


def _floats(packed: npt.NDArray[np.uint8], count: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Rows of floats as byte differences, the highest byte of all values first."""
    steps = packed.reshape(*packed.shape[:-1], -1, count)
    rows = np.add.accumulate(steps, axis=2, dtype=np.uint8).reshape(packed.shape)
    apart = rows.reshape(*rows.shape[:-1], kind.itemsize, -1)
    values = np.ascontiguousarray(apart.swapaxes(-1, -2)).view(kind.newbyteorder(">"))
    floats: npt.NDArray[Any] = values[..., 0].astype(kind)
    return floats


def _lay_on_white(
    pixels: RGBImage, opacity: npt.NDArray[Any], full: float, *, premultiplied: bool
) -> None:
    for top in range(0, len(pixels), _ROWS):
        rows = pixels[top : top + _ROWS]
        alpha = np.clip(opacity[top : top + _ROWS, :, None].astype(np.float32) / full, 0, 1)
        colours: npt.NDArray[Any] = rows if premultiplied else rows * alpha
        rows[:] = np.clip(colours + 255 * (1 - alpha) + 0.5, 0, 255).astype(np.uint8)


def _row_bytes(bits: int) -> int:
    return -(-bits // 8)


def _unsupported(tags: Directory, why: str) -> ImageError:
    return ImageError(
        f"not a readable image (a TIFF of {max(tags.values(BITS, 1))} bits with {why})",
        hint="convert it to PNG, or make PNG tiles of it with `edgeflow tile`",
    )
