from __future__ import annotations

import pytest
import torch

from edgeflow.runtime.devices import DeviceError, exact_float32, pick_device
from tests.unit.edgeflow.runtime.cases import CPU


def test_cpu_is_always_there() -> None:
    assert pick_device("cpu") == CPU


def test_auto_takes_cuda_where_there_is_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto") == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == CPU


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7"])
def test_a_missing_cuda_device_is_named_with_a_hint(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(DeviceError, match=f"'{name}' is not available") as caught:
        pick_device(name)
    assert "use cpu" in caught.value.hint
    assert caught.value.code == "device"


def test_only_cuda_devices_that_exist_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda") == torch.device("cuda")
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(DeviceError, match="2 CUDA devices"):
        pick_device("cuda:2")


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "AUTO", "nonsense"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(DeviceError, match="device") as caught:
        pick_device(name)
    assert "auto, cpu, cuda or cuda:N" in caught.value.hint


@pytest.mark.parametrize("name", ["meta", "mps", "xpu"])
def test_other_kinds_of_device_are_not_supported(name: str) -> None:
    with pytest.raises(DeviceError, match=f"unsupported device '{name}'"):
        pick_device(name)


def test_float32_on_the_cpu_needs_no_switches() -> None:
    before = torch.backends.cudnn.allow_tf32
    with exact_float32(CPU):
        assert torch.backends.cudnn.allow_tf32 == before


def test_tf32_is_off_for_the_time_of_a_step_and_no_longer() -> None:
    before = torch.backends.cudnn.allow_tf32
    with exact_float32(torch.device("cuda")):
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before
