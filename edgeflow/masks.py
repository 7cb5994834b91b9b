"""Masks and their codes: Label Studio's brush RLE, and 8-bit PNG.

Brush RLE is a bit stream, most significant bit first (rle-pack of thi.ng/umbrella): 32 bits number
of values, 5 bits word size - 1, four 4-bit fields run-length width - 1, then records: 1 bit "run",
2 bits which width, length - 1 in that many bits, and one value (run) or that many values (literal).
Each mask pixel stands four times, as RGBA; readers take the alpha channel.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size

CHANNELS = 4
WORD_BITS = 8
LENGTH_BITS = (3, 4, 8, 16)
HEADER_BITS = 32 + 5 + 4 * len(LENGTH_BITS)
_MAX_RUN = 1 << LENGTH_BITS[-1]

BoolMask = npt.NDArray[np.bool_]


def encode_brush(mask: BoolMask) -> bytes:
    """Encode a mask as Label Studio's brush RLE.

    The bytes equal those of ``label_studio_sdk.converter.brush.mask2rle`` on a 0/255 mask, its one
    to eight padding bits included.

    Args:
        mask: H×W bool, H·W ≥ 1.

    Raises:
        MaskCodecError: the mask is empty-sized or H·W·4 does not fit in 32 bits.
    """
    if mask.ndim != 2 or not 0 < mask.size * CHANNELS < 1 << 32:
        raise MaskCodecError(f"cannot encode a mask of shape {mask.shape}")
    lengths, values, split = _rgba_runs(np.ascontiguousarray(mask).view(np.uint8).ravel())
    width_index = np.searchsorted([1 << bits for bits in LENGTH_BITS], lengths)
    width_index[split] = len(LENGTH_BITS) - 1  # as the SDK does, however short the rest
    widths = np.asarray(LENGTH_BITS)[width_index]
    code = (
        (np.int64(1) << (2 + widths + WORD_BITS))
        | (width_index << (widths + WORD_BITS))
        | ((lengths - 1) << WORD_BITS)
        | values
    )
    header = WORD_BITS - 1
    for bits in LENGTH_BITS:
        header = header << 4 | bits - 1
    return _pack_bits(
        np.concatenate(([mask.size * CHANNELS, header], code)),
        np.concatenate(([32, HEADER_BITS - 32], 1 + 2 + widths + WORD_BITS)),
    )


def _rgba_runs(
    flat: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Runs of a flat 0/1 mask.

    Returns:
        Lengths in RGBA values (at most 2¹⁶), values 0 or 255, and which runs are parts of one that
        was longer.
    """
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    lengths = np.diff(ends, prepend=0) * CHANNELS
    values = (int(flat[0]) + np.arange(lengths.size)) % 2 * 255
    full = (lengths - 1) // _MAX_RUN
    parts = np.full(int((full + 1).sum()), _MAX_RUN, dtype=np.int64)
    parts[np.cumsum(full + 1) - 1] = lengths - full * _MAX_RUN
    return parts, np.repeat(values, full + 1), np.repeat(full > 0, full + 1)


def _pack_bits(codes: npt.NDArray[np.int64], widths: npt.NDArray[np.int64]) -> bytes:
    """Concatenate codes of at most 32 bits each, most significant bit first, zero-padded.

    Every code touches at most two 32-bit words; bits never overlap, so sums replace ORs, and
    float64 sums of 32-bit words are exact.
    """
    ends = np.cumsum(widths)
    word, shift = np.divmod(ends - widths, 32)
    placed = codes.astype(np.uint64) << (64 - widths - shift).astype(np.uint64)
    count = int(ends[-1]) // 32 + 2
    high = np.bincount(word, weights=placed >> np.uint64(32), minlength=count)
    low = np.bincount(word + 1, weights=placed & np.uint64(0xFFFFFFFF), minlength=count)
    return (high + low).astype(">u4").tobytes()[: int(ends[-1]) // 8 + 1]


def decode_brush(rle: bytes | Sequence[int], size: Size) -> npt.NDArray[np.uint8]:
    """Decode a brush RLE, from whatever encoder.

    Args:
        rle: the code, as bytes or as Label Studio's list of ints 0..255.
        size: the picture's size, which the code must fill exactly.

    Returns:
        H×W uint8, the alpha channel (0 background; strokes drawn by hand may hold values between).

    Raises:
        MaskCodecError: the code is truncated, malformed or of another size.
    """
    try:
        data = bytes(rle)
    except (TypeError, ValueError) as error:
        raise MaskCodecError("a brush RLE is a list of integers 0 to 255") from error
    total = size.height * size.width * CHANNELS
    reader = _BitReader(data)
    if (count := reader.read(32)) != total:
        raise MaskCodecError(
            f"the brush RLE holds {count} values, a {size.width}×{size.height} mask needs {total}"
        )
    word_bits = reader.read(5) + 1
    if word_bits != WORD_BITS:
        raise MaskCodecError(f"brush RLE with {word_bits}-bit values is not supported")
    length_bits = [reader.read(4) + 1 for _ in range(4)]
    lengths: list[int] = []
    values: list[int] = []
    done = 0
    while done < total:
        is_run = reader.read(1)
        length = reader.read(length_bits[reader.read(2)]) + 1
        done += length
        if done > total:
            raise MaskCodecError("the brush RLE overruns its own size")
        if is_run:
            lengths.append(length)
            values.append(reader.read(WORD_BITS))
        else:
            lengths.extend([1] * length)
            values.extend(reader.read(WORD_BITS) for _ in range(length))
    rgba = np.repeat(np.array(values, dtype=np.uint8), lengths)
    return rgba.reshape(size.height, size.width, CHANNELS)[:, :, 3]


class _BitReader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._bits = 8 * len(data)
        self._position = 0

    def read(self, width: int) -> int:
        """Return the next ``width`` (at most 32) bits as an integer."""
        start, end = self._position, self._position + width
        if end > self._bits:
            raise MaskCodecError("the brush RLE is truncated")
        self._position = end
        last = (end + 7) // 8
        window = int.from_bytes(self._data[start // 8 : last], "big")
        return window >> (8 * last - end) & ((1 << width) - 1)


def to_png(mask: BoolMask) -> bytes:
    """Encode an H×W bool mask as a greyscale 8-bit PNG with values 0 and 255."""
    if mask.ndim != 2 or not mask.size:
        raise MaskCodecError(f"cannot write a PNG of shape {mask.shape}")
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG")
    return buffer.getvalue()
