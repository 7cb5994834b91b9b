from __future__ import annotations

import pytest
import torch

from edgeflow.nn.interface import ClickNetwork, ImageNormalisation
from edgeflow.nn.registry import ARCHITECTURES


def test_imagenets_mean_colour_becomes_zero() -> None:
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(2, 3, 4, 5)
    torch.testing.assert_close(ImageNormalisation()(mean), torch.zeros(2, 3, 4, 5))


def test_each_channel_has_its_own_scale() -> None:
    white = ImageNormalisation()(torch.ones(1, 3, 1, 1)).flatten()
    torch.testing.assert_close(white, torch.tensor([2.2489, 2.4286, 2.6400]), atol=1e-4, rtol=0)


def test_it_holds_no_weights_but_moves_with_the_network() -> None:
    normalise = ImageNormalisation()
    assert not normalise.state_dict()
    assert normalise.to(torch.float64).mean.dtype == torch.float64


@pytest.fixture(params=sorted(ARCHITECTURES))
def network(request: pytest.FixtureRequest) -> ClickNetwork:
    """Each network, with random weights."""
    small = {"width": 4, "ocr_width": 8, "small": True} if "hrnet" in request.param else {}
    return ARCHITECTURES[request.param](**small).eval()


@torch.inference_mode()
def test_inference_gives_what_training_supervises(network: ClickNetwork) -> None:
    case = torch.rand(2, 2, 3, 64, 96)
    output = network(*case)
    mask, edge = network.infer(*case)
    assert torch.equal(mask, output.mask)
    assert (edge is None) == (output.edge is None)
    assert edge is None or torch.equal(edge, output.edge)


@pytest.mark.slow
@torch.inference_mode()
def test_all_logits_have_the_inputs_size(network: ClickNetwork) -> None:
    output = network(*torch.rand(2, 1, 3, 65, 47))
    assert {tuple(x.shape) for x in output if x is not None} == {(1, 1, 65, 47)}


@torch.inference_mode()
def test_a_network_that_is_fed_its_edges_has_some(network: ClickNetwork) -> None:
    _, edge = network.infer(*torch.rand(2, 1, 3, 32, 32))
    assert network.feedback == ("mask" if edge is None else "edge")


def test_the_encoders_parameters_have_its_prefix(network: ClickNetwork) -> None:
    encoder = [n for n, _ in network.named_parameters() if n.startswith(network.encoder_prefix)]
    assert 0 < len(encoder) < len(list(network.parameters()))


def test_a_network_without_a_step_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="step"):
        ClickNetwork()  # type: ignore[abstract]
