from __future__ import annotations

import math
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeflow.geometry import Box, ImagePoint
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow_backend.shared.packing import Packer, SpoiledValueError, Unpacker

PIXELS = 10_000
PLACES = st.floats(-0.5, 1e6, width=64)
CLICKS = st.lists(st.builds(Click, st.builds(ImagePoint, PLACES, PLACES), st.booleans())).map(tuple)
MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40))


@given(
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.booleans(), st.text(), CLICKS
)
def test_what_goes_in_comes_out(
    number: int, real: float, flag: bool, text: str, clicks: tuple[Click, ...]
) -> None:
    packer = Packer()
    packer.number(number)
    packer.real(real)
    packer.flag(flag)
    packer.text(text)
    packer.clicks(clicks)
    unpacker = Unpacker(packer.bytes(), PIXELS)
    read = (unpacker.number(), unpacker.real(), unpacker.flag(), unpacker.text(), unpacker.clicks())
    unpacker.end()
    assert read == (number, real, flag, text, clicks)
    assert math.copysign(1, read[1]) == math.copysign(1, real)


@given(MASKS)
def test_a_mask_comes_out_whatever_its_layout(
    mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
) -> None:
    for each in (mask, mask.T, mask[::-1], np.asfortranarray(mask)):
        packer = Packer()
        packer.mask(each)
        unpacker = Unpacker(packer.bytes(), PIXELS)
        np.testing.assert_array_equal(unpacker.mask(), each)
        unpacker.end()


@given(MASKS.filter(lambda mask: bool(mask.any())))
def test_a_patch_comes_out_in_its_place(
    mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
) -> None:
    packer = Packer()
    packer.patch(MaskPatch.of(mask))
    found = Unpacker(packer.bytes(), PIXELS).patch()
    np.testing.assert_array_equal(found.whole(), mask)
    assert found.digest == MaskPatch.of(mask).digest


@pytest.mark.parametrize("layout", ["rows", "columns", "with gaps", "shared with a batch"])
def test_a_map_comes_out_bit_for_bit_whatever_its_strides(layout: str) -> None:
    base = torch.rand(2, 1, 12, 20)
    base[0, 0, 0, 0] = torch.tensor(1e-42)  # denormal
    maps = {
        "rows": base[:1].clone(),
        "columns": base[:1].transpose(2, 3),
        "with gaps": base[:1, :, ::2, ::3],
        "shared with a batch": base[:1],
    }
    packer = Packer()
    packer.map(maps[layout])
    found = Unpacker(packer.bytes(), 0).map()
    assert found.is_contiguous()
    assert torch.equal(found.view(torch.int32), maps[layout].contiguous().view(torch.int32))


@pytest.mark.parametrize(
    "bad",
    [torch.zeros(1, 1, 4, 4, dtype=torch.float16), torch.zeros(4, 4), torch.zeros(2, 1, 4, 4)],
)
def test_a_map_that_would_lose_something_is_not_packed(bad: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="float32"):
        Packer().map(bad)


@pytest.mark.parametrize("value", [math.nan, -0.1, 1.5, math.inf])
def test_a_map_that_is_no_probability_is_refused(value: float) -> None:
    packer = Packer()
    packer.map(torch.full((1, 1, 4, 4), value))
    with pytest.raises(SpoiledValueError):
        Unpacker(packer.bytes(), 0).map()


def mask_code(height: int, width: int, data: bytes) -> bytes:
    packer = Packer()
    code = zlib.compress(data)
    for count in (height, width, len(code)):
        packer.number(count)
    return packer.bytes() + code


@pytest.mark.parametrize(
    "code",
    [
        mask_code(100_000, 100_000, b""),  # larger than its image
        mask_code(8, 8, bytes(100_000_000)),  # a bomb
        mask_code(8, 8, bytes(7)),
        mask_code(8, 8, bytes(9)),
        mask_code(-1, 8, bytes(8)),
        mask_code(8, 8, bytes(8))[:-1],
        mask_code(8, 8, bytes(8)).replace(b"x\x9c", b"xx"),
    ],
)
def test_a_mask_that_is_none_is_refused(code: bytes) -> None:
    with pytest.raises(SpoiledValueError):
        Unpacker(code, PIXELS).mask()


def test_a_mask_larger_than_its_image_is_refused() -> None:
    packer = Packer()
    packer.mask(np.ones((10, 10), dtype=np.bool_))
    assert Unpacker(packer.bytes(), 100).mask().all()
    with pytest.raises(SpoiledValueError, match="larger than its image"):
        Unpacker(packer.bytes(), 99).mask()


@given(st.binary(max_size=400), st.sampled_from(["text", "box", "clicks", "mask", "patch", "map"]))
def test_any_bytes_are_read_or_refused(data: bytes, kind: str) -> None:
    unpacker = Unpacker(data, PIXELS)
    try:
        getattr(unpacker, kind)()
        unpacker.end()
    except SpoiledValueError:
        pass


def test_what_does_not_fit_its_place_is_refused() -> None:
    patch = MaskPatch.of(np.ones((4, 4), dtype=np.bool_))
    packer = Packer()
    packer.patch(patch._replace(box=Box(2, 2, 6, 6)))
    with pytest.raises(SpoiledValueError, match="beside"):
        Unpacker(packer.bytes(), PIXELS).patch()
    with pytest.raises(SpoiledValueError, match="left over"):
        Unpacker(b"x", 0).end()
