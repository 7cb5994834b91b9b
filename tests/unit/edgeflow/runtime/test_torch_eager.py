from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from edgeflow.nn.interface import ClickNetwork, Feedback, NetworkOutput
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.runtime.torch_eager import TorchRuntime

CPU = torch.device("cpu")


class Stub(ClickNetwork):
    """Simple logits, with or without edges, and a note of the inputs' layout."""

    feedback: ClassVar[Feedback] = "edge"

    def __init__(self, *, edges: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))
        self._edges = edges
        self.channels_last: list[bool] = []

    def step(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        self.channels_last += [
            x.is_contiguous(memory_format=torch.channels_last) for x in (image, prompt)
        ]
        logits = self.weight * prompt[:, :1]
        return NetworkOutput(logits, logits, logits, -logits if self._edges else None)


class MaskFedStub(Stub):
    feedback = "mask"


def inputs(height: int = 64, width: int = 96) -> tuple[Tensor, Tensor]:
    prompt = torch.zeros(1, 3, height, width)
    prompt[:, 0] = torch.rand(height, width)
    prompt[:, 1, 20:30, 30:40] = 1
    return torch.rand(1, 3, height, width), prompt


@pytest.fixture
def runtime(shipped_network: EdgeFlowLite) -> TorchRuntime:
    return TorchRuntime(shipped_network, CPU)


def test_the_runtime_names_itself_device_and_precision() -> None:
    runtime = TorchRuntime(Stub(), CPU)
    assert runtime.name == f"torch {torch.__version__} cpu float32"
    assert runtime.device == CPU


def test_logits_become_probabilities() -> None:
    image, prompt = inputs()
    output = TorchRuntime(Stub(), CPU).run(image, prompt)
    torch.testing.assert_close(output.mask, (2 * prompt[:, :1]).sigmoid())


def test_a_network_with_edges_is_fed_its_edges() -> None:
    image, prompt = inputs()
    output = TorchRuntime(Stub(), CPU).run(image, prompt)
    torch.testing.assert_close(output.feedback, (-2 * prompt[:, :1]).sigmoid())


def test_a_network_without_edges_is_fed_its_mask() -> None:
    image, prompt = inputs()
    output = TorchRuntime(MaskFedStub(edges=False), CPU).run(image, prompt)
    assert torch.equal(output.feedback, output.mask)


def test_what_is_declared_is_fed_back_whatever_else_the_network_gives() -> None:
    image, prompt = inputs()
    output = TorchRuntime(MaskFedStub(), CPU).run(image, prompt)
    assert torch.equal(output.feedback, output.mask)
    with pytest.raises(ValueError, match="no edges"):
        TorchRuntime(Stub(edges=False), CPU).run(image, prompt)


def test_inputs_reach_the_network_channels_last() -> None:
    stub = Stub()
    TorchRuntime(stub, CPU).run(*inputs())
    assert stub.channels_last == [True, True]


def test_no_gradients_are_kept() -> None:
    output = TorchRuntime(Stub(), CPU).run(*inputs())
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


@pytest.mark.slow
def test_threads_do_not_disturb_each_other(runtime: TorchRuntime) -> None:
    cases = [inputs(64, 96), inputs(96, 64), inputs(32, 32), inputs(64, 96)] * 4
    alone = [runtime.run(*case) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda case: runtime.run(*case), cases))
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one.mask, other.mask)
        assert torch.equal(one.feedback, other.feedback)


@pytest.mark.parametrize("stub", [Stub, MaskFedStub])
def test_the_runtime_tells_what_it_feeds_back(stub: type[Stub]) -> None:
    # A prior mask is turned into the map that the network would have fed back.
    runtime = TorchRuntime(stub(), CPU)
    assert runtime.feedback == stub.feedback
    output = runtime.run(*inputs())
    assert torch.equal(output.feedback, output.mask) is (runtime.feedback == "mask")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_every_architecture_can_feed_back_what_it_declares(architecture: str) -> None:
    network = ARCHITECTURES[architecture]
    small = {"width": 4, "ocr_width": 8, "small": True} if "hrnet" in architecture else {}
    runtime = TorchRuntime(network(**small).eval(), CPU)
    output = runtime.run(*inputs())
    assert output.feedback.shape == output.mask.shape == (1, 1, 64, 96)
    assert runtime.feedback == network.feedback
