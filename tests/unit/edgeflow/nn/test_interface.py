from __future__ import annotations

import torch

from edgeflow.nn.interface import ImageNormalisation


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
