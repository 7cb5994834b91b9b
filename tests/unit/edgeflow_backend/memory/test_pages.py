from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from edgeflow.inference.state import EncodedImage, State
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.memory.pages import overview_to_pages, state_to_pages, tensor_to_pages


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.parametrize(
    "tensor",
    [
        torch.rand(1, 1, 64, 96),
        torch.randint(0, 256, (48, 64, 3), dtype=torch.uint8).permute(2, 0, 1)[None],
        torch.tensor([[True, False, True], [False, True, False]]),
    ],
)
def test_a_copy_has_the_same_values_and_strides(tensor: torch.Tensor) -> None:
    copy = tensor_to_pages(tensor)
    assert copy.data_ptr() != tensor.data_ptr()
    assert (copy.dtype, copy.shape, copy.stride()) == (tensor.dtype, tensor.shape, tensor.stride())
    assert torch.equal(copy, tensor)
    tensor.zero_()
    assert copy.any()


@pytest.mark.parametrize("tensor", [torch.rand(4, 4)[:, :2], torch.empty(0)])
def test_what_has_gaps_or_nothing_in_it_stays_where_it_is(tensor: torch.Tensor) -> None:
    assert tensor_to_pages(tensor) is tensor


def test_without_pages_to_map_it_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("mmap.mmap", refuse)
    tensor = torch.rand(4)
    assert tensor_to_pages(tensor) is tensor


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_forgotten_arrays_go_back_to_the_system_whatever_lies_between_them() -> None:
    state = torch.ones(1, 1, 320, 448)
    before = _resident_mb()
    copies, small = [], []
    for _ in range(200):
        copies.append(tensor_to_pages(state))
        small.append(bytearray(5000))
    assert _resident_mb() - before > 90
    del copies[:]
    assert _resident_mb() - before < 15


def test_states_and_images_are_copied_whole() -> None:
    image = EncodedImage(
        torch.randint(0, 256, (1, 3, 48, 64), dtype=torch.uint8), torch.rand(1, 3, 32, 32), "d"
    )
    copy = overview_to_pages(image)
    assert torch.equal(copy.pixels, image.pixels)
    assert torch.equal(copy.overview, image.overview)
    assert (copy.digest, copy.nbytes) == (image.digest, image.nbytes)
    one_map = state_to_pages(State.nothing(image))
    assert one_map.feedback is one_map.probability
    state = replace(one_map, feedback=torch.rand(1, 1, 32, 32))
    two_maps = state_to_pages(state)
    assert torch.equal(two_maps.feedback, state.feedback)
    assert torch.equal(two_maps.probability, state.probability)


def test_a_cache_stores_the_copy() -> None:
    cache: ByteLRU[str, torch.Tensor] = ByteLRU(1000, copy=tensor_to_pages)
    tensor = torch.ones(10)
    cache.put("a", tensor)
    stored = cache.get("a")
    assert stored is not None
    assert stored.data_ptr() != tensor.data_ptr()
    assert torch.equal(stored, tensor)
