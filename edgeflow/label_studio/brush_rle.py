"""Label Studio's brush RLE.

A bit stream, most significant bit first (rle-pack of thi.ng/umbrella): 32 bits number of values, 5
bits word size - 1, four 4-bit fields run-length width - 1, then records: 1 bit "run", 2 bits which
width, length - 1 in that many bits, and one value (run) or that many values (literal). Each mask
pixel stands four times, as RGBA; readers take the alpha channel.

Neither direction makes the H·W·4 array: both work on runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.masks.runs import run_starts

CHANNELS = 4
WORD_BITS = 8
LENGTH_BITS = (3, 4, 8, 16)
HEADER_BITS = 32 + 5 + 4 * len(LENGTH_BITS)
_MAX_RUN = 1 << LENGTH_BITS[-1]

_WINDOW = 1 << 16
"""Bytes of a code that are looked at together: bounds memory, whatever is sent."""

_LOOK_AHEAD = 8
"""Bytes after a bit that its record's head and a run's value may reach."""

_FEW_RUNS = 50_000
"""Up to here filling runs one by one is quicker than NumPy's repeat."""

Ints = npt.NDArray[np.int64]


def encode_brush(mask: BoolMask) -> bytes:
    """Encode a mask as Label Studio's brush RLE.

    The bytes equal those of ``label_studio_sdk.converter.brush.mask2rle`` on a 0/255 mask, its one
    to eight padding bits included.

    Args:
        mask: H×W bool, H·W ≥ 1.

    Raises:
        MaskCodecError: the mask is empty-sized or H·W·4 does not fit in 32 bits.
    """
    if mask.ndim != 2:
        raise MaskCodecError(f"cannot encode a mask of shape {mask.shape}")
    size = Size(*mask.shape)
    return encode_brush_patch(MaskPatch(mask, Box.whole(size), size))


def encode_brush_patch(patch: MaskPatch) -> bytes:
    """:func:`encode_brush` of a mask's bounding box, in memory of that box's size.

    Args:
        patch: The mask; may be empty.

    Raises:
        MaskCodecError: See :func:`encode_brush`.
    """
    count = patch.image_size.height * patch.image_size.width
    if not 0 < count * CHANNELS < 1 << 32:
        raise MaskCodecError(f"cannot encode a mask of shape {tuple(patch.image_size)}")
    changes = run_starts(patch)
    first = int(changes.size > 0 and changes[0] == 0)
    ends = np.append(changes[first:], count)
    lengths, values, split = _rgba_runs(ends, first)
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
        np.concatenate(([count * CHANNELS, header], code)),
        np.concatenate(([32, HEADER_BITS - 32], 1 + 2 + widths + WORD_BITS)),
    )


def decode_brush(rle: bytes | Sequence[int], size: Size) -> npt.NDArray[np.uint8]:
    """Decode Label Studio's brush RLE.

    Args:
        rle: the code, as bytes or as Label Studio's list of ints 0..255.
        size: the image's size, which the code must fill exactly.

    Returns:
        H×W uint8, the alpha channel (0 background; strokes drawn by hand may hold values between).

    Raises:
        MaskCodecError: the code is truncated, malformed or of another size.
    """
    try:
        data = np.frombuffer(bytes(rle), dtype=np.uint8)
    except (TypeError, ValueError) as error:
        raise MaskCodecError("a brush RLE is a list of integers 0 to 255") from error
    total = size.height * size.width * CHANNELS
    length_bits = _check_header(data, size)
    starts, lengths, values = _read_records(data, length_bits, total)
    # Of the values s to e, (e // 4) - (s // 4) are alphas: those at 3, 7, 11 …
    ends = starts + lengths
    counts = ends // CHANNELS - starts // CHANNELS
    return _fill(values, counts, size)


def _rgba_runs(ends: Ints, first: int) -> tuple[Ints, Ints, BoolMask]:
    """Runs of RGBA values.

    Args:
        ends: where each run of the flat mask ends.
        first: value of its first run.

    Returns:
        Lengths in RGBA values (at most 2¹⁶), values 0 or 255, and which runs are parts of one that
        was longer.
    """
    lengths = np.diff(ends, prepend=0) * CHANNELS
    values = (first + np.arange(lengths.size)) % 2 * 255
    if lengths.max() <= _MAX_RUN:
        return lengths, values, np.zeros(lengths.shape, dtype=np.bool_)
    full = (lengths - 1) // _MAX_RUN
    parts = np.full(int((full + 1).sum()), _MAX_RUN, dtype=np.int64)
    parts[np.cumsum(full + 1) - 1] = lengths - full * _MAX_RUN
    return parts, np.repeat(values, full + 1), np.repeat(full > 0, full + 1)


def _pack_bits(codes: Ints, widths: Ints) -> bytes:
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


def _check_header(data: npt.NDArray[np.uint8], size: Size) -> list[int]:
    """Check a code's head; return the four widths of run lengths, in bits."""
    if 8 * data.size < HEADER_BITS:
        raise MaskCodecError("the brush RLE is truncated")
    total = size.height * size.width * CHANNELS
    head = int.from_bytes(data[: HEADER_BITS // 8 + 1].tobytes(), "big") >> 8 - HEADER_BITS % 8
    if (count := head >> (HEADER_BITS - 32)) != total:
        raise MaskCodecError(
            f"the brush RLE holds {count} values, a {size.width}×{size.height} mask needs {total}"
        )
    if (word_bits := (head >> 16 & 31) + 1) != WORD_BITS:
        raise MaskCodecError(f"brush RLE with {word_bits}-bit values is not supported")
    return [(head >> shift & 15) + 1 for shift in (12, 8, 4, 0)]


def _read_records(
    data: npt.NDArray[np.uint8], length_bits: Sequence[int], total: int
) -> tuple[Ints, Ints, npt.NDArray[np.uint8]]:
    """All records as runs: where each begins in the RGBA values, its length, its value.

    Where a record begins depends on the one before. So for a window of the code it is computed for
    every bit, all at once, where a record that began there would end, and what is left to do one
    after the other is to follow these.
    """
    position, done = HEADER_BITS, 0
    records = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint8))]
    while done < total:
        first = position // 8
        window = _Window(data, first, length_bits)
        visited = window.follow(position - 8 * first)
        if not visited:
            raise MaskCodecError("the brush RLE is truncated")
        starts = np.array(visited, dtype=np.int64)
        filled = done + np.cumsum(window.lengths[starts])
        needed = int(np.searchsorted(filled, total)) + 1  # what follows the last record is padding
        starts = starts[:needed]
        done = int(filled[starts.size - 1])
        if done > total:
            raise MaskCodecError("the brush RLE overruns its own size")
        position = 8 * first + int(window.following[starts[-1]])
        if position > 8 * data.size:
            raise MaskCodecError("the brush RLE is truncated")
        heads = 8 * first + window.heads[starts]
        records.append(_values(data, heads, window.lengths[starts], window.is_run[starts]))
    lengths = np.concatenate([each for each, _ in records])
    values = np.concatenate([each for _, each in records])
    return np.cumsum(lengths) - lengths, lengths, values


class _Window:
    """Every bit of a part of a code, read as if a record began there.

    Attributes:
        is_run: whether that record is a run.
        lengths: of its run or literal, in values.
        heads: the bit after its head, where its values are.
        following: the bit after it; bits count from the window's first byte.
    """

    def __init__(self, data: npt.NDArray[np.uint8], first: int, length_bits: Sequence[int]) -> None:
        part = data[first : first + _WINDOW + _LOOK_AHEAD]
        bytes_ = np.zeros(part.size + _LOOK_AHEAD, dtype=np.uint64)
        bytes_[: part.size] = part
        count = min(part.size, _WINDOW)
        words = np.zeros(count, dtype=np.uint64)
        for offset in range(4):
            words = words << np.uint64(8) | bytes_[offset : offset + count]
        # 25 bits from each bit on: the longest head has 1 + 2 + 16.
        shifts = np.arange(7, -1, -1, dtype=np.uint64)
        bits = (words[:, None] >> shifts & np.uint64((1 << 25) - 1)).astype(np.int64).ravel()
        which = bits >> 22 & 3
        widths = np.asarray(length_bits, dtype=np.int64)[which]
        self.is_run: BoolMask = bits >> 24 == 1
        self.lengths: Ints = (bits >> (22 - widths) & (1 << widths) - 1) + 1
        self.heads: Ints = np.arange(bits.size) + 3 + widths
        self.following: Ints = self.heads + WORD_BITS * np.where(self.is_run, 1, self.lengths)

    def follow(self, position: int) -> list[int]:
        """The bits at which records begin, from one of them on, as far as the window goes."""
        following = self.following.data
        end = len(following)
        visited = []
        while position < end:
            visited.append(position)
            position = following[position]
        return visited


def _values(
    data: npt.NDArray[np.uint8], heads: Ints, lengths: Ints, is_run: BoolMask
) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Runs and their values; a literal becomes runs of one."""
    if is_run.all():
        return lengths, _bytes_at(data, heads)
    pieces = np.where(is_run, 1, lengths)
    within = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    places = np.repeat(heads, pieces) + WORD_BITS * within
    return np.repeat(np.where(is_run, lengths, 1), pieces), _bytes_at(data, places)


def _bytes_at(data: npt.NDArray[np.uint8], bits: Ints) -> npt.NDArray[np.uint8]:
    """The eight bits from each given bit on."""
    index, shift = bits // 8, bits % 8
    following = np.minimum(index + 1, data.size - 1)
    pair = data[index].astype(np.uint16) << 8 | data[following]
    return (pair >> (8 - shift).astype(np.uint16) & 255).astype(np.uint8)


def _fill(values: npt.NDArray[np.uint8], counts: Ints, size: Size) -> npt.NDArray[np.uint8]:
    """H×W from runs of pixels in row-major order."""
    if len(values) > _FEW_RUNS:
        return np.repeat(values, counts).reshape(size.height, size.width)
    flat = np.zeros(size.height * size.width, dtype=np.uint8)
    ends = np.cumsum(counts)
    inked = np.flatnonzero((values != 0) & (counts > 0))
    starts = (ends - counts)[inked].tolist()
    for start, end, value in zip(starts, ends[inked].tolist(), values[inked].tolist(), strict=True):
        flat[start:end] = value
    return flat.reshape(size.height, size.width)
