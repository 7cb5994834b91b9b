from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import find
from edgeflow.geometry import NetworkPoint, Size
from edgeflow.nn.interface import NetworkOutput
from edgeflow.nn.lite import EdgeFlowLite, PyramidNeck
from tests.unit.edgeflow.samples import GOLDEN, disk_maps

CASES = sorted((GOLDEN / "lite").glob("*.npz"))
EACH_CASE = pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
Arrays = dict[str, npt.NDArray[np.float32]]


def load(path: Path) -> Arrays:
    with np.load(path) as arrays:
        return dict(arrays)


def inputs(case: Arrays) -> tuple[Tensor, Tensor]:
    image = torch.from_numpy(case["image_uint8"]).permute(2, 0, 1)[None].float() / 255
    return image, torch.from_numpy(case["prompt"])


def sample(height: int, width: int, batch: int = 1) -> tuple[Tensor, Tensor]:
    prompt = torch.zeros(batch, 3, height, width)
    prompt[:, 0] = torch.rand(batch, height, width)
    prompt[:, 1, height // 3 : height // 2, width // 3 : width // 2] = 1
    return torch.rand(batch, 3, height, width), prompt


def test_there_are_golden_cases_of_even_and_odd_sides() -> None:
    assert [path.stem for path in CASES] == ["lite_caseA_96x128", "lite_caseB_97x131"]


@EACH_CASE
@torch.no_grad()
def test_all_four_logits_equal_the_golden_ones(path: Path, shipped_network: EdgeFlowLite) -> None:
    case = load(path)
    output = shipped_network(*inputs(case))
    for name, logits in output._asdict().items():
        torch.testing.assert_close(
            logits, torch.from_numpy(case[f"{name}_logits"]), atol=1e-3, rtol=0, msg=name
        )


@EACH_CASE
@torch.no_grad()
def test_channels_last_changes_nothing_beyond_rounding(path: Path) -> None:
    case = load(path)
    network = find("edgeflow_lite").load().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    image, prompt = (x.contiguous(memory_format=torch.channels_last) for x in inputs(case))
    output: NetworkOutput = network(image, prompt)
    torch.testing.assert_close(
        output.mask, torch.from_numpy(case["mask_logits"]), atol=1e-3, rtol=0
    )


@EACH_CASE
def test_the_golden_prompts_disks_are_drawn_from_their_clicks(path: Path) -> None:
    case = load(path)
    points = [(NetworkPoint(float(r), float(c)), bool(p)) for r, c, p in case["clicks"]]
    size = Size(*case["image_uint8"].shape[:2])
    np.testing.assert_array_equal(disk_maps(points, size), case["prompt"][0, 1:])


def test_it_has_as_many_parameters_as_its_card_says() -> None:
    assert sum(parameter.numel() for parameter in EdgeFlowLite().parameters()) == 4_583_564


def test_normalisation_constants_are_no_part_of_the_weights() -> None:
    network = EdgeFlowLite()
    assert {name for name, _ in network.named_buffers()} - network.state_dict().keys() == {
        "normalise.mean",
        "normalise.std",
    }


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (33, 47), (97, 131), (35, 320), (32, 17)])
@torch.no_grad()
def test_outputs_have_the_inputs_size_even_where_it_is_odd(
    size: tuple[int, int], shipped_network: EdgeFlowLite
) -> None:
    output = shipped_network(*sample(*size))
    for name, logits in output._asdict().items():
        assert logits.shape == (1, 1, *size), name
        assert torch.isfinite(logits).all(), name


@torch.no_grad()
def test_images_of_a_batch_do_not_see_each_other(shipped_network: EdgeFlowLite) -> None:
    image, prompt = sample(64, 96, batch=3)
    together = shipped_network(image, prompt)
    for index in range(3):
        alone = shipped_network(image[index : index + 1], prompt[index : index + 1])
        for one, other in zip(alone, together, strict=True):
            torch.testing.assert_close(one, other[index : index + 1], atol=1e-3, rtol=0)


@torch.no_grad()
def test_each_of_the_prompts_three_maps_matters(shipped_network: EdgeFlowLite) -> None:
    image, prompt = sample(64, 96)
    before = shipped_network(image, prompt).mask
    for channel in range(3):
        changed = prompt.clone()
        changed[:, channel, 20:40, 50:70] = 1 - changed[:, channel, 20:40, 50:70]
        assert (shipped_network(image, changed).mask - before).abs().max() > 0.01


@torch.no_grad()
def test_the_mask_is_the_coarse_one_and_a_correction(shipped_network: EdgeFlowLite) -> None:
    corrections: list[Tensor] = []
    handle = shipped_network.fine.register_forward_hook(
        lambda _module, _inputs, output: corrections.append(output)
    )
    output = shipped_network(*sample(64, 96))
    handle.remove()
    torch.testing.assert_close(output.mask, output.coarse + corrections[0])


def test_it_trains_in_every_part_but_the_idle_query_and_key() -> None:
    network = EdgeFlowLite().train()
    output = network(*sample(64, 96, batch=2))
    loss = torch.stack([logits.square().mean() for logits in output]).sum()
    names, parameters = zip(*network.named_parameters(), strict=True)
    idle = set()
    for name, gradient in zip(names, torch.autograd.grad(loss, parameters), strict=True):
        assert torch.isfinite(gradient).all(), name
        if not gradient.any():
            idle.add(name)
    assert all(name.startswith(("coarse.ocr.query.", "coarse.ocr.key.")) for name in idle), idle


@pytest.mark.slow
def test_a_training_step_reduces_the_loss() -> None:
    network = EdgeFlowLite().train()
    image, prompt = sample(64, 64, batch=2)
    target = prompt[:, 1:2]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(5):
        loss = nn.functional.binary_cross_entropy_with_logits(network(image, prompt).mask, target)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@torch.no_grad()
def test_the_encoder_gives_four_strides_and_the_guide_at_the_first(
    shipped_network: EdgeFlowLite,
) -> None:
    image, prompt = sample(97, 131)
    levels, guide = shipped_network.encode(image, shipped_network.prompt_stem(prompt))
    sides = [tuple(-(-side // stride) for side in (97, 131)) for stride in (4, 8, 16, 32)]
    widths = (24, 48, 120, 352)
    assert [level.shape for level in levels] == [
        (1, w, *s) for w, s in zip(widths, sides, strict=True)
    ]
    assert guide.shape == (1, 24, *sides[0])


@torch.no_grad()
def test_the_neck_merges_at_the_finest_size_coarsest_first() -> None:
    neck = PyramidNeck().eval()
    sizes = ((24, 20, 28), (48, 10, 14), (120, 5, 7), (352, 3, 4))
    seen: list[Tensor] = []
    handle = neck.fuse.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    levels = [torch.randn(1, width, rows, cols) for width, rows, cols in sizes]
    assert neck(levels).shape == (1, 96, 20, 28)
    levels[0] = torch.randn_like(levels[0])  # the finest reaches only itself, and comes last
    neck(levels)
    handle.remove()
    assert torch.equal(seen[0][:, :192], seen[1][:, :192])
    assert not torch.equal(seen[0][:, 192:], seen[1][:, 192:])
