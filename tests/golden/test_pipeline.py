"""EISeg's own inference around the network: its trace over four clicks with a fake network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgeflow.geometry import Box, ImagePoint
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import State
from edgeflow.inference.zoom import POLICIES
from edgeflow.masks.cleanup import UNTOUCHED
from edgeflow.nn.interface import Feedback, ImageNormalisation
from edgeflow.prompts.click import Click
from edgeflow.runtime.base import StepOutput

TRACE = Path(__file__).parent / "eiseg" / "pipeline" / "S2_eiseg_default_edge.npz"


class TraceNetwork:
    """The trace's formula: elementwise on the normalised image and the prompt."""

    name = "fake"
    device = torch.device("cpu")
    feedback: Feedback = "edge"

    def __init__(self) -> None:
        self.calls: list[tuple[Tensor, Tensor]] = []

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        image = ImageNormalisation()(image)
        self.calls.append((image, prompt))
        previous, positive, negative = torch.split(prompt, 1, dim=1)
        mask = 2 * image[:, :1] + 3 * previous - 1 + 4 * positive - 4 * negative
        edge = 1.5 * image[:, 1:2] - 2 * previous + positive - negative
        return StepOutput(mask.sigmoid(), edge.sigmoid())


def test_the_eiseg_policy_does_what_eiseg_does() -> None:
    policy = POLICIES["eiseg"]
    network = TraceNetwork()
    predictor = Predictor(network, version="fake", policy=policy, cleanup=UNTOUCHED)
    with np.load(TRACE) as trace:
        image = predictor.encode(trace["image"])
        state = predictor.start(image)
        for index, (row, col, positive) in enumerate(trace["clicks"]):
            click = Click(ImagePoint(float(col), float(row)), bool(positive))
            state, probability = predictor.step(image, state, click)
            assert state.region == Box.whole(image.size)
            view, prompt = network.calls[index]
            assert view.shape == tuple(trace[f"net_shape{index}"])
            np.testing.assert_allclose(
                view.mean((2, 3)), trace[f"net_image_mean{index}"], atol=1e-5
            )
            np.testing.assert_allclose(prompt, trace[f"net_coord{index}"], atol=1e-4)
            np.testing.assert_allclose(probability, trace[f"prob{index}"], atol=1e-4)
            edge = policy.sampling.enlarge(state.feedback, image.size)
            np.testing.assert_allclose(edge, trace[f"edge{index}"][0, 0], atol=1e-4)


def test_undo_restores_the_edge_map_which_eisegs_own_does_not() -> None:
    predictor = Predictor(TraceNetwork(), version="fake", policy=POLICIES["eiseg"])
    with np.load(TRACE) as trace:
        image = predictor.encode(trace["image"])
        clicks = [
            Click(ImagePoint(float(col), float(row)), bool(positive))
            for row, col, positive in trace["clicks"]
        ]
    store = _Remember()
    predictor.predict(image, clicks, store)
    for count in (3, 2, 1, 2, 4):
        undone = predictor.predict(image, clicks[:count], store)
        alone = predictor.predict(image, clicks[:count])
        assert torch.equal(undone.state.feedback, alone.state.feedback)
        np.testing.assert_array_equal(undone.mask, alone.mask)


class _Remember(dict[bytes, State]):
    def put(self, key: bytes, state: State) -> None:
        self[key] = state
