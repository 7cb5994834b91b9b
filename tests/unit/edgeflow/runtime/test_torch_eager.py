from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

from edgeflow.nn.interface import Feedback, NetworkOutput
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.runtime.devices import DeviceError, pick_device
from edgeflow.runtime.torch_eager import TorchRuntime

CPU = torch.device("cpu")


class Stub(nn.Module):
    """Fixed logits, with or without edges, and a note of what came in."""

    def __init__(self, *, edges: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))
        self._edges = edges
        self.channels_last: list[bool] = []

    def forward(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        self.channels_last += [
            x.is_contiguous(memory_format=torch.channels_last) for x in (image, prompt)
        ]
        logits = self.weight * prompt[:, :1]
        return NetworkOutput(logits, logits, logits, -logits if self._edges else None)


def inputs(height: int = 64, width: int = 96) -> tuple[Tensor, Tensor]:
    prompt = torch.zeros(1, 3, height, width)
    prompt[:, 0] = torch.rand(height, width)
    prompt[:, 1, 20:30, 30:40] = 1
    return torch.rand(1, 3, height, width), prompt


@pytest.fixture
def runtime(shipped_network: EdgeFlowLite) -> TorchRuntime:
    return TorchRuntime(shipped_network, CPU, feedback="edge")


def test_cpu_is_always_there() -> None:
    assert pick_device("cpu") == CPU


def test_auto_takes_cuda_where_there_is_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto") == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == CPU


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7"])
def test_a_missing_cuda_device_is_named_with_the_way_out(
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


def test_the_runtime_names_itself_device_and_precision() -> None:
    runtime = TorchRuntime(Stub(), CPU, feedback="edge")
    assert runtime.name == f"torch {torch.__version__} cpu float32"
    assert runtime.device == CPU


def test_logits_become_probabilities() -> None:
    image, prompt = inputs()
    output = TorchRuntime(Stub(), CPU, feedback="edge").run(image, prompt)
    torch.testing.assert_close(output.mask, (2 * prompt[:, :1]).sigmoid())


def test_a_network_with_edges_is_fed_its_edges() -> None:
    image, prompt = inputs()
    output = TorchRuntime(Stub(), CPU, feedback="edge").run(image, prompt)
    torch.testing.assert_close(output.feedback, (-2 * prompt[:, :1]).sigmoid())


def test_a_network_without_edges_is_fed_its_mask() -> None:
    image, prompt = inputs()
    output = TorchRuntime(Stub(edges=False), CPU, feedback="mask").run(image, prompt)
    assert torch.equal(output.feedback, output.mask)


def test_what_is_declared_is_fed_back_whatever_else_the_network_gives() -> None:
    image, prompt = inputs()
    output = TorchRuntime(Stub(), CPU, feedback="mask").run(image, prompt)
    assert torch.equal(output.feedback, output.mask)
    with pytest.raises(ValueError, match="no edges"):
        TorchRuntime(Stub(edges=False), CPU, feedback="edge").run(image, prompt)


def test_inputs_reach_the_network_channels_last() -> None:
    stub = Stub()
    TorchRuntime(stub, CPU, feedback="edge").run(*inputs())
    assert stub.channels_last == [True, True]


def test_no_gradients_are_kept() -> None:
    output = TorchRuntime(Stub(), CPU, feedback="edge").run(*inputs())
    assert not output.mask.requires_grad
    assert not output.feedback.requires_grad


def test_the_real_network_gives_maps_of_the_inputs_size(runtime: TorchRuntime) -> None:
    output = runtime.run(*inputs(64, 96))
    for values in output:
        assert values.shape == (1, 1, 64, 96)
        assert values.dtype == torch.float32
        assert values.min() >= 0
        assert values.max() <= 1


def test_the_memory_layout_of_the_input_does_not_matter(runtime: TorchRuntime) -> None:
    image, prompt = inputs()
    strided = torch.rand(1, 3, 96, 64).copy_(image.transpose(2, 3)).transpose(2, 3)
    assert not strided.is_contiguous()
    assert torch.equal(runtime.run(strided, prompt).mask, runtime.run(image, prompt).mask)


def test_a_run_leaves_no_trace_in_the_network(
    runtime: TorchRuntime, shipped_network: EdgeFlowLite
) -> None:
    before = {name: tensor.clone() for name, tensor in shipped_network.state_dict().items()}
    case = inputs()
    first = runtime.run(*case).mask
    runtime.run(*inputs(32, 64))
    assert torch.equal(runtime.run(*case).mask, first)
    assert all(torch.equal(before[k], v) for k, v in shipped_network.state_dict().items())


def test_threads_do_not_disturb_each_other(runtime: TorchRuntime) -> None:
    cases = [inputs(64, 96), inputs(96, 64), inputs(32, 32), inputs(64, 96)] * 4
    alone = [runtime.run(*case) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda case: runtime.run(*case), cases))
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one.mask, other.mask)
        assert torch.equal(one.feedback, other.feedback)


@pytest.mark.parametrize("feedback", ["edge", "mask"])
def test_the_runtime_tells_what_it_feeds_back(feedback: Feedback) -> None:
    # A mask that is there already is turned into the map that the network would have made of it.
    runtime = TorchRuntime(Stub(), CPU, feedback=feedback)
    image, prompt = inputs()
    assert runtime.feedback == feedback
    output = runtime.run(image, prompt)
    assert torch.equal(output.feedback, output.mask) is (runtime.feedback == "mask")
    assert runtime.feedback == feedback


def test_what_is_fed_back_cannot_be_reassigned() -> None:
    runtime = TorchRuntime(Stub(), CPU, feedback="edge")
    with pytest.raises(AttributeError):
        runtime.feedback = "mask"  # type: ignore[misc]


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_every_architecture_can_feed_back_what_it_declares(architecture: str) -> None:
    declared = ARCHITECTURES[architecture]
    small = {"width": 4, "ocr_width": 8, "small": True} if "hrnet" in architecture else {}
    runtime = TorchRuntime(declared.build(small).eval(), CPU, feedback=declared.feedback)
    output = runtime.run(*inputs())
    assert output.feedback.shape == output.mask.shape == (1, 1, 64, 96)
    assert runtime.feedback == declared.feedback
