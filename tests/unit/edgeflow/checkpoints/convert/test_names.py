from __future__ import annotations

import json

import pytest

from edgeflow.checkpoints.convert.names import our_name, static_names, static_operators
from edgeflow.checkpoints.convert.paddle_params import read_pdparams
from edgeflow.nn.edgeflow import EdgeFlow
from edgeflow.nn.ritm import RITM
from tests.unit.edgeflow.checkpoints.convert.foreign import GOLDEN, TINY, pdparams

CLASSES = {TINY[0]: EdgeFlow, TINY[1]: RITM}


@pytest.mark.parametrize("name", TINY)
def test_every_name_of_a_published_state_dict_has_a_translation(name: str) -> None:
    network = CLASSES[name](4, 8, small=True)
    ours = {key for key in network.state_dict() if not key.endswith("num_batches_tracked")}
    theirs = read_pdparams(pdparams(name).read_bytes())
    assert {our_name(key) for key in theirs} == ours
    assert len(theirs) == len(ours)


def test_unknown_names_stay_as_they_are() -> None:
    assert our_name("head.extra.weight") == "head.extra.weight"


@pytest.mark.parametrize("name", TINY)
def test_static_numbers_follow_the_order_of_construction(name: str) -> None:
    truth = json.loads((GOLDEN / "static" / f"static_{name}.name_map.json").read_text())
    names = static_names(CLASSES[name](4, 8, small=True))
    assert names == {key: our_name(value) for key, value in truth.items()}


def test_the_fingerprint_of_the_full_edgeflow_is_the_published_one() -> None:
    assert static_operators(EdgeFlow()) == {
        "conv2d": 340,
        "depthwise_conv2d": 2,
        "batch_norm": 329,
        "grid_sampler": 3,
        "prelu": 6,
    }
    assert len(static_names(EdgeFlow())) == 1673
