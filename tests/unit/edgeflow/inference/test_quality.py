"""What one look, two looks and a second look where it pays come to, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.quality import QUALITIES, Looked, Quality
from edgeflow.inference.runs import StepInput, drive
from edgeflow.inference.state import State
from edgeflow.masks.score import Calibration
from edgeflow.nn.interface import Feedback
from edgeflow.runtime.base import StepOutput
from tests.unit.edgeflow.samples import click, disk_image, negative

CLICKS = (click(64, 48), negative(5, 5), click(60, 40))
FAST, AUTO, BEST = QUALITIES["fast"], QUALITIES["auto"], QUALITIES["best"]


class LeftIsRight:
    """A network that believes its left half, whatever it sees."""

    name = "left"
    device = torch.device("cpu")
    feedback: Feedback = "edge"

    def __init__(self) -> None:
        self.views: list[int] = []

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        self.views.append(len(image))
        ramp = torch.linspace(1, 0, image.shape[-1]).expand(1, 1, image.shape[-2], -1)
        return StepOutput(ramp * image[:, :1], prompt[:, :1])


def look(quality: Quality, score: Callable[[StepOutput], float]) -> tuple[Looked, LeftIsRight]:
    runtime = LeftIsRight()
    return drive(quality.look(VIEW, score), runtime.run), runtime


VIEW = StepInput(torch.rand(1, 3, 4, 6), torch.rand(1, 3, 4, 6))


def never(_output: StepOutput) -> float:
    raise AssertionError("nothing depends on the score")


def test_fast_looks_once() -> None:
    (output, runs), runtime = look(FAST, never)
    assert runs == 1
    assert runtime.views == [1]
    assert torch.equal(output.mask[..., 0], VIEW.image[:, :1, :, 0])


def test_best_is_the_mean_with_the_mirror_image_in_one_run() -> None:
    (output, runs), runtime = look(BEST, never)
    assert runs == 1
    assert runtime.views == [2]
    assert output.mask.shape == output.feedback.shape == (1, 1, 4, 6)
    assert torch.allclose(output.mask, VIEW.image[:, :1] / 2)
    assert torch.equal(output.feedback, VIEW.prompt[:, :1])


@pytest.mark.parametrize(
    ("score", "runs"), [(0.0, 2), (AUTO.sure - 1e-6, 2), (AUTO.sure, 1), (1.0, 1)]
)
def test_auto_looks_again_where_the_first_look_is_unsure(score: float, runs: int) -> None:
    looked, runtime = look(AUTO, lambda _output: score)
    assert looked.runs == runs
    assert runtime.views == [1] * runs
    once, twice = look(FAST, never)[0].output, look(BEST, never)[0].output
    assert torch.equal(looked.output.mask, (once, twice)[runs - 1].mask)


def test_names_are_those_of_the_table() -> None:
    assert list(QUALITIES) == ["fast", "auto", "best"]
    assert all(name == quality.name for name, quality in QUALITIES.items())
    assert QUALITIES["fast"] == Quality()


class Store(dict[bytes, State]):
    def put(self, key: bytes, state: State) -> None:
        self[key] = state


@pytest.mark.parametrize("quality", QUALITIES.values(), ids=QUALITIES)
def test_what_is_in_the_store_equals_its_replay_bit_for_bit(
    predictor: Predictor, quality: Quality
) -> None:
    chosen = of_quality(predictor, quality)
    image, store = chosen.encode(disk_image(96, 128)), Store()
    for count in (1, 3, 2, 3):
        known = chosen.predict(image, CLICKS[:count], store)
        fresh = chosen.predict(image, CLICKS[:count])
        assert np.array_equal(known.mask, fresh.mask)
        assert known.score == fresh.score
        assert torch.equal(known.state.feedback, fresh.state.feedback)
        assert known.state.feedback.untyped_storage().nbytes() == known.state.feedback.nbytes


def test_no_quality_answers_from_the_states_of_another(predictor: Predictor) -> None:
    image, store = predictor.encode(disk_image(96, 128)), Store()
    answers = [
        of_quality(predictor, quality).predict(image, CLICKS, store)
        for quality in (*QUALITIES.values(), FAST)
    ]
    assert [answer.steps for answer in answers[::2]] == [3, 3]
    assert answers[1].steps >= 3
    assert answers[3].steps == 0
    assert torch.equal(answers[0].state.probability, answers[3].state.probability)
    assert not torch.equal(answers[0].state.probability, answers[2].state.probability)


def test_auto_depends_on_the_calibration_and_on_the_clicks_alone(predictor: Predictor) -> None:
    image = predictor.encode(disk_image(96, 128))
    doubtful, certain = (
        of_quality(predictor, AUTO, Calibration(bias=bias)) for bias in (-50.0, 50.0)
    )
    fast, best = of_quality(predictor, FAST), of_quality(predictor, BEST)
    assert doubtful.predict(image, CLICKS).steps == 6
    assert certain.predict(image, CLICKS).steps == 3
    assert doubtful.prefixes(image, CLICKS) != certain.prefixes(image, CLICKS)
    for one, other in ((doubtful, best), (certain, fast)):
        found, expected = (each.predict(image, CLICKS).state.probability for each in (one, other))
        assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_graph_runtimes_take_both_views_at_once(
    runtime: str, predictor: Predictor, tmp_path: Path
) -> None:
    best = load_predictor(
        device="cpu", runtime=runtime, policy=predictor.policy, quality=BEST, exports=tmp_path
    )
    image = best.encode(disk_image(96, 128))
    found, expected = (each.predict(image, CLICKS) for each in (best, of_quality(predictor, BEST)))
    assert found.steps == 3
    assert np.mean(found.mask ^ expected.mask) < 0.002


def test_an_answer_says_what_it_was_made_with(predictor: Predictor) -> None:
    assert of_quality(predictor, FAST).execution == predictor.runtime.name
    assert of_quality(predictor, BEST).execution == f"{predictor.runtime.name}, quality best"


def of_quality(
    predictor: Predictor, quality: Quality, calibration: Calibration | None = None
) -> Predictor:
    return Predictor(
        predictor.runtime,
        version=predictor.version,
        policy=predictor.policy,
        cleanup=predictor.cleanup,
        calibration=calibration,
        quality=quality,
    )
