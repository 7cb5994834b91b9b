from __future__ import annotations

import pytest
import torch
from torch import nn

from edgeflow.nn.blocks.ocr import ObjectContext, gather_objects


def randomised(module: nn.Module) -> nn.Module:
    """Random weights and statistics throughout, so that no part is the identity."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    for name, buffer in module.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
        elif name.endswith("running_mean"):
            buffer.normal_()
    return module.eval()


def test_an_object_is_the_average_of_the_pixels_it_is_sure_of() -> None:
    features = torch.randn(1, 3, 4, 5)
    logits = torch.full((1, 1, 4, 5), -1e4)
    logits[0, 0, 1, 2] = logits[0, 0, 3, 4] = 0
    expected = (features[0, :, 1, 2] + features[0, :, 3, 4]) / 2
    torch.testing.assert_close(gather_objects(features, logits)[0, :, 0, 0], expected)


def test_an_object_that_is_everywhere_is_the_mean_of_all_pixels() -> None:
    features = torch.randn(2, 3, 4, 5)
    objects = gather_objects(features, torch.zeros(2, 1, 4, 5))
    assert objects.shape == (2, 3, 1, 1)
    torch.testing.assert_close(objects[..., 0, 0], features.mean(dim=(2, 3)))


def test_adding_a_constant_to_the_logits_changes_no_object() -> None:
    features, logits = torch.randn(1, 3, 4, 5), torch.randn(1, 2, 4, 5)
    torch.testing.assert_close(
        gather_objects(features, logits), gather_objects(features, logits + 7)
    )


def test_each_object_has_a_vector_of_its_own() -> None:
    features, logits = torch.randn(2, 3, 4, 5), torch.randn(2, 4, 4, 5)
    objects = gather_objects(features, logits)
    assert objects.shape == (2, 3, 4, 1)
    torch.testing.assert_close(objects[:, :, 2:3], gather_objects(features, logits[:, 2:3]))


@pytest.mark.parametrize("size", [(4, 5), (7, 3), (1, 1)])
def test_the_output_has_the_features_shape(size: tuple[int, int]) -> None:
    context = randomised(ObjectContext(8, 6))
    assert context(torch.randn(2, 8, *size), torch.randn(2, 1, *size)).shape == (2, 8, *size)


def test_with_one_object_query_and_key_change_nothing() -> None:
    context = ObjectContext(8, 6)
    randomised(context)
    features, logits = torch.randn(2, 8, 4, 5), torch.randn(2, 1, 4, 5)
    before = context(features, logits)
    for projection in (context.query, context.key):
        randomised(projection)
    assert torch.equal(context(features, logits), before)


def test_with_two_objects_query_and_key_decide_between_them() -> None:
    context = ObjectContext(8, 6)
    randomised(context)
    features, logits = torch.randn(2, 8, 4, 5), torch.randn(2, 2, 4, 5)
    before = context(features, logits)
    for projection in (context.query, context.key):
        randomised(projection)
    assert not torch.allclose(context(features, logits), before)


def test_with_one_object_value_out_and_merge_do_count() -> None:
    context = ObjectContext(8, 6)
    randomised(context)
    features, logits = torch.randn(2, 8, 4, 5), torch.randn(2, 1, 4, 5)
    for part in (context.value, context.out, context.merge):
        before = context(features, logits)
        randomised(part)
        assert not torch.allclose(context(features, logits), before)


def test_with_one_object_every_pixel_gets_the_same_context() -> None:
    context = ObjectContext(8, 6)
    randomised(context)
    features, logits = torch.randn(1, 8, 4, 5), torch.randn(1, 1, 4, 5)
    objects = gather_objects(features, logits)
    shared = torch.relu(context.out(torch.relu(context.value(objects)))).expand(-1, -1, 4, 5)
    expected = torch.relu(context.merge(torch.cat((shared, features), dim=1)))
    torch.testing.assert_close(context(features, logits), expected, atol=1e-5, rtol=1e-5)
