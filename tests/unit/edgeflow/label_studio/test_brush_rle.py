"""The codec against a decoder that reads one bit after the other, on streams of every kind."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Box, Size
from edgeflow.label_studio.brush_rle import (
    decode_brush,
    encode_brush,
    encode_brush_patch,
)
from edgeflow.masks.patch import MaskPatch

Record = tuple[bool, int, list[int]]


def write(records: list[Record], length_bits: list[int], total: int) -> bytes:
    """A code: records are (run?, which width, values); a run's values are all the same."""
    parts = [f"{total:032b}{7:05b}", *(f"{width - 1:04b}" for width in length_bits)]
    for is_run, which, values in records:
        parts.append(f"{int(is_run)}{which:02b}{len(values) - 1:0{length_bits[which]}b}")
        parts.extend(f"{value:08b}" for value in (values[:1] if is_run else values))
    bits = "".join(parts)  # a string that grows is copied each time where coverage is traced
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def read(code: bytes, size: Size) -> npt.NDArray[np.uint8]:
    """The alpha channel, bit by bit."""
    bits = "".join(f"{byte:08b}" for byte in code)
    place = 0

    def take(count: int) -> int:
        nonlocal place
        place += count
        return int(bits[place - count : place], 2)

    total, _ = take(32), take(5)
    length_bits = [take(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < total:
        is_run, which = take(1), take(2)
        length = take(length_bits[which]) + 1
        values += [take(8)] * length if is_run else [take(8) for _ in range(length)]
    return np.array(values, dtype=np.uint8).reshape(*size, 4)[:, :, 3]


def random_records(seed: int, total: int, length_bits: list[int], runs: float) -> list[Record]:
    chance = random.Random(seed)
    records: list[Record] = []
    while total:
        is_run = chance.random() < runs
        which = chance.randrange(4)
        length = min(total, chance.randint(1, 1 << length_bits[which]))
        values = [chance.randrange(256)] * length
        if not is_run:
            values = [chance.randrange(256) for _ in range(length)]
        records.append((is_run, which, values))
        total -= length
    return records


@pytest.mark.parametrize("seed", range(40))
def test_any_mixture_of_runs_and_literals_is_read(seed: int) -> None:
    chance = random.Random(seed)
    size = Size(chance.randint(1, 40), chance.randint(1, 40))
    length_bits = [chance.randint(1, 16) for _ in range(4)]
    total = size.height * size.width * 4
    records = random_records(seed, total, length_bits, runs=chance.choice([0.0, 0.5, 1.0]))
    code = write(records, length_bits, total)
    assert np.array_equal(decode_brush(code, size), read(code, size))


@pytest.mark.slow
@pytest.mark.parametrize("runs", [0.0, 0.5, 1.0])
def test_codes_longer_than_a_window_are_read(runs: float) -> None:
    size = Size(300, 300)
    length_bits = [1, 1, 1, 2]
    total = size.height * size.width * 4
    code = write(random_records(1, total, length_bits, runs), length_bits, total)
    assert len(code) > 3 * (1 << 16)
    assert np.array_equal(decode_brush(code, size), read(code, size))


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=70)))
def test_what_was_encoded_is_decoded(mask: npt.NDArray[np.bool_]) -> None:
    decoded = decode_brush(encode_brush(mask), Size(*mask.shape))
    assert np.array_equal(decoded, mask * np.uint8(255))


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_a_bounding_box_has_the_code_of_the_whole_mask(mask: npt.NDArray[np.bool_]) -> None:
    assert encode_brush_patch(MaskPatch.of(mask)) == encode_brush(mask)


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 50, 70),
        Box(0, 0, 1, 1),
        Box(49, 69, 50, 70),
        Box(0, 69, 50, 70),
        Box(0, 0, 50, 1),
        Box(10, 0, 20, 70),
        Box(0, 0, 20, 70),
        Box(30, 0, 50, 70),
        Box(10, 20, 30, 40),
    ],
    ids=str,
)
def test_a_box_has_its_code_wherever_it_lies(box: Box) -> None:
    mask = np.zeros((50, 70), dtype=np.bool_)
    mask[box.slices] = True
    code = encode_brush_patch(MaskPatch.of(mask))
    assert code == encode_brush(mask)
    assert np.array_equal(decode_brush(code, Size(50, 70)) > 0, mask)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
def test_large_masks_survive_both_ways(share: float) -> None:
    mask = np.random.default_rng(0).random((700, 901)) < share
    mask[100:400, 200:] = True
    decoded = decode_brush(encode_brush(mask), Size(700, 901))
    assert np.array_equal(decoded, mask * np.uint8(255))


@given(st.data())
def test_a_code_cut_short_anywhere_is_refused(data: st.DataObject) -> None:
    mask = np.random.default_rng(1).random((30, 31)) < 0.5
    code = encode_brush(mask)
    cut = data.draw(st.integers(0, len(code) - 2))
    with pytest.raises(MaskCodecError):
        decode_brush(code[:cut], Size(30, 31))


def test_a_run_over_the_end_is_refused() -> None:
    code = write([(True, 3, [255] * 20)], [3, 4, 8, 16], 16)
    with pytest.raises(MaskCodecError, match="overruns"):
        decode_brush(code, Size(2, 2))


def test_what_follows_the_last_record_does_not_matter() -> None:
    code = write([(True, 3, [255] * 16)], [3, 4, 8, 16], 16)
    assert (decode_brush(code + b"\xff" * 9, Size(2, 2)) == 255).all()
