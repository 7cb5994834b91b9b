from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from edgeflow.inference.state import EncodedImage, State
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.memory.pages import keep_image, keep_state, outside


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.parametrize(
    "tensor",
    [
        torch.rand(1, 1, 64, 96),
        torch.randint(0, 256, (48, 64, 3), dtype=torch.uint8).permute(2, 0, 1)[None],
        torch.rand(2, 3) > 0.5,
    ],
)
def test_a_copy_has_the_same_values_and_strides(tensor: torch.Tensor) -> None:
    kept = outside(tensor)
    assert kept.data_ptr() != tensor.data_ptr()
    assert (kept.dtype, kept.shape, kept.stride()) == (tensor.dtype, tensor.shape, tensor.stride())
    assert torch.equal(kept, tensor)
    tensor.zero_()
    assert kept.any()


@pytest.mark.parametrize("tensor", [torch.rand(4, 4)[:, :2], torch.empty(0)])
def test_what_has_gaps_or_nothing_in_it_stays_where_it_is(tensor: torch.Tensor) -> None:
    assert outside(tensor) is tensor


def test_without_pages_to_map_it_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("mmap.mmap", refuse)
    tensor = torch.rand(4)
    assert outside(tensor) is tensor


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_forgotten_arrays_go_back_to_the_system_whatever_lies_between_them() -> None:
    state = torch.ones(1, 1, 320, 448)
    before = _resident_mb()
    kept, small = [], []
    for _ in range(200):
        kept.append(outside(state))
        small.append(bytearray(5000))
    assert _resident_mb() - before > 90
    del kept[:]
    assert _resident_mb() - before < 15


def test_states_and_images_are_kept_whole() -> None:
    image = EncodedImage(
        torch.randint(0, 256, (1, 3, 48, 64), dtype=torch.uint8), torch.rand(1, 3, 32, 32), "d"
    )
    kept = keep_image(image)
    assert torch.equal(kept.pixels, image.pixels)
    assert torch.equal(kept.overview, image.overview)
    assert (kept.digest, kept.nbytes) == (image.digest, image.nbytes)
    one_map = keep_state(State.nothing(image))
    assert one_map.feedback is one_map.probability
    state = replace(one_map, feedback=torch.rand(1, 1, 32, 32))
    two_maps = keep_state(state)
    assert torch.equal(two_maps.feedback, state.feedback)
    assert torch.equal(two_maps.probability, state.probability)


def test_a_cache_keeps_what_it_is_told_to() -> None:
    cache: ByteLRU[str, torch.Tensor] = ByteLRU(1000, keep=outside)
    given = torch.ones(10)
    cache.put("a", given)
    found = cache.get("a")
    assert found is not None
    assert found.data_ptr() != given.data_ptr()
    assert torch.equal(found, given)
