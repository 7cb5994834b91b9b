from __future__ import annotations

import pytest
import torch

from edgeflow.nn.blocks.prompt_stem import PromptStem


@pytest.mark.parametrize(
    ("size", "expected"), [((32, 64), (16, 32)), ((97, 131), (49, 66)), ((1, 2), (1, 1))]
)
def test_the_stem_halves_the_resolution_rounding_up(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert PromptStem(64)(torch.rand(2, 3, *size)).shape == (2, 64, *expected)


def test_the_prompt_starts_out_quiet() -> None:
    assert PromptStem().scale.item() == pytest.approx(0.05)


def test_the_scale_is_used_by_magnitude() -> None:
    stem, prompt = PromptStem(), torch.rand(1, 3, 32, 32)
    before = stem(prompt)
    with torch.no_grad():
        stem.scale.neg_()
    assert torch.equal(stem(prompt), before)


def test_the_scale_scales() -> None:
    stem, prompt = PromptStem(), torch.rand(1, 3, 32, 32)
    before = stem(prompt)
    with torch.no_grad():
        stem.scale.mul_(-4)
    torch.testing.assert_close(stem(prompt), 4 * before)
    with torch.no_grad():
        stem.scale.zero_()
    assert not stem(prompt).any()


def test_each_of_the_three_prompt_maps_is_seen() -> None:
    stem, prompt = PromptStem(), torch.zeros(1, 3, 32, 32)
    blank = stem(prompt)
    for channel in range(3):
        marked = prompt.clone()
        marked[:, channel, 10:20, 10:20] = 1
        assert not torch.allclose(stem(marked), blank)


def test_a_click_is_seen_nearby_only() -> None:
    stem, prompt = PromptStem(), torch.zeros(1, 3, 32, 32)
    blank = stem(prompt)
    prompt[0, 1, 16, 16] = 1
    changed = (stem(prompt) != blank).any(dim=1)[0].nonzero()
    assert changed.min() >= 8
    assert changed.max() <= 8
