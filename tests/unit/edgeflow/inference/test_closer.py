"""Closer looks at a first click: when there are any, where, and what they leave behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.closer import CloserLooks, Found
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage, State
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.score import Calibration
from edgeflow.nn.interface import Feedback
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.runtime.base import StepOutput
from tests.unit.edgeflow.samples import click, disk_image, negative

LOOKS = CloserLooks(sides=(40, 100), least=20, sure=0.8, large=0.1, cut=0.25, margin=0.1)
POLICY = ZoomPolicy(long_side=64, min_side=60, closer=LOOKS)
IMAGE = Size(240, 320)
PLACE = click(150, 100)


class Scripted:
    """Answers each look with a square of some probability about the click, and takes notes.

    Args:
        looks: Side of the square over the view's, and its probability, for one look after another;
            the last one also for all that follow.
    """

    name = "scripted"
    device = torch.device("cpu")
    feedback: Feedback = "edge"

    def __init__(self, *looks: tuple[float, float]) -> None:
        self.looks = list(looks)
        self.images: list[Tensor] = []
        self.prompts: list[Tensor] = []

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        self.images.append(image)
        self.prompts.append(prompt)
        share, probability = self.looks[min(len(self.images), len(self.looks)) - 1]
        rows, cols = torch.nonzero(prompt[0, 1], as_tuple=True)
        row, col = float(rows.float().mean()), float(cols.float().mean())
        height, width = prompt.shape[-2:]
        away = torch.maximum(
            (torch.arange(height) - row).abs()[:, None], (torch.arange(width) - col).abs()[None]
        )
        mask = (away < share * max(height, width) / 2).float() * probability
        return StepOutput(mask[None, None], mask[None, None] / 2)


class Store(dict[bytes, State]):
    def put(self, key: bytes, state: State) -> None:
        self[key] = state


def asked(*looks: tuple[float, float], policy: ZoomPolicy = POLICY) -> tuple[Predictor, Scripted]:
    runtime = Scripted(*looks)
    return Predictor(runtime, version="v", policy=policy), runtime


def encoded(predictor: Predictor, size: Size = IMAGE) -> EncodedImage:
    return predictor.encode(disk_image(*size))


def test_a_sure_and_large_first_look_is_the_only_one() -> None:
    predictor, runtime = asked((0.5, 0.9))
    answer = predictor.predict(encoded(predictor), [PLACE])
    assert answer.steps == len(runtime.images) == 1
    assert answer.state.region is None
    assert not answer.state.close


@pytest.mark.parametrize("overview", [(0.5, 0.7), (0.06, 0.95), (0.5, 0.0)])
def test_an_unsure_or_tiny_or_empty_first_look_is_followed_by_one_from_close_by(
    overview: tuple[float, float],
) -> None:
    predictor, runtime = asked(overview, (0.5, 0.9))
    answer = predictor.predict(encoded(predictor), [PLACE])
    assert answer.steps == len(runtime.images) == 2
    assert answer.state.region == Box(80, 130, 120, 170)
    assert answer.state.close
    assert answer.patch.box.intersection(answer.state.region) == answer.patch.box
    assert 0.85 < answer.score < 0.95


def test_a_window_that_cuts_the_object_gives_way_to_a_larger_one() -> None:
    predictor, runtime = asked((0.5, 0.7), (2.0, 0.9), (0.5, 0.9))
    answer = predictor.predict(encoded(predictor), [PLACE])
    assert answer.steps == len(runtime.images) == 3
    assert answer.state.region == Box(50, 100, 150, 200)


def test_the_whole_image_counts_where_every_window_cuts_the_object() -> None:
    predictor, runtime = asked((0.5, 0.7), (2.0, 0.9))
    answer = predictor.predict(encoded(predictor), [PLACE])
    assert answer.steps == len(runtime.images) == 3
    assert answer.state.region is None
    assert not answer.state.close
    assert answer.state.probability.max() == pytest.approx(0.7)


def test_a_window_with_a_much_lower_score_is_not_believed() -> None:
    predictor, runtime = asked((0.5, 0.75), (0.5, 0.6))
    answer = predictor.predict(encoded(predictor), [PLACE])
    assert answer.steps == len(runtime.images) == 2
    assert answer.state.region is None


def test_later_clicks_look_once_and_keep_the_scale() -> None:
    predictor, runtime = asked((0.5, 0.7), (0.2, 0.9))
    image, store = encoded(predictor), Store()
    first = predictor.predict(image, [PLACE], store).state
    assert first.mask_box is not None
    assert max(first.mask_box.size) < 20 / POLICY.expansion
    second = predictor.predict(image, [PLACE, click(152, 101)], store)
    assert second.steps == len(runtime.images) - 2 == 1
    region = second.state.region
    assert region is not None
    assert max(region.size) <= LOOKS.least + 2
    assert second.state.close


def test_a_second_positive_click_outside_the_window_takes_the_closer_look_back() -> None:
    predictor, runtime = asked((0.5, 0.7), (0.5, 0.9), (0.5, 0.7))
    image, outside = encoded(predictor), click(250, 100)
    state, _ = predictor.step(image, predictor.start(image), PLACE)
    assert state.close
    state, _ = predictor.step(image, state, outside)
    only = asked((0.5, 0.7), policy=replace(POLICY, closer=None))[0]
    expected = only.predict(image, [PLACE, outside]).state
    assert len(runtime.images) == 4
    assert not state.close
    assert state.region == expected.region
    assert torch.equal(state.probability, expected.probability)


def test_other_second_clicks_leave_the_closer_look() -> None:
    predictor, _ = asked((0.5, 0.7), (0.5, 0.9))
    image = encoded(predictor)
    first, _ = predictor.step(image, predictor.start(image), PLACE)
    for second in (negative(250, 100), click(140, 110)):
        assert predictor.step(image, first, second)[0].close


def test_what_a_fine_view_shows_large_stands_however_unsure() -> None:
    fine = replace(POLICY, long_side=320)
    predictor, _ = asked((0.3, 0.7), policy=fine)
    assert predictor.predict(encoded(predictor), [PLACE]).steps == 1
    predictor, _ = asked((0.2, 0.7), (0.3, 0.9), policy=fine)
    assert predictor.predict(encoded(predictor), [PLACE]).steps == 2


def test_an_object_that_is_lost_is_looked_for_in_the_whole_image() -> None:
    predictor, runtime = asked((0.5, 0.7), (0.2, 0.9))
    image = encoded(predictor)
    state, _ = predictor.step(image, predictor.start(image), PLACE)
    runtime.looks = [(0.0, 0.0)]
    state, _ = predictor.step(image, state, negative(152, 101))
    state, _ = predictor.step(image, state, click(148, 99))
    assert state.region is None
    assert not state.close


@pytest.mark.parametrize(
    "size", [Size(60, 79), Size(79, 79)], ids=lambda size: f"{size.width}x{size.height}"
)
def test_small_images_are_looked_at_once(size: Size) -> None:
    predictor, _ = asked((0.5, 0.6))
    assert predictor.predict(encoded(predictor, size), [click(30, 30)]).steps == 1


def test_a_prior_mask_and_a_first_negative_click_take_one_look() -> None:
    predictor, _ = asked((0.5, 0.6))
    image, mask = encoded(predictor), np.zeros(tuple(IMAGE), dtype=np.bool_)
    mask[90:110, 140:160] = True
    assert predictor.predict(image, [PLACE], start=PriorMask(mask)).steps == 1
    assert predictor.predict(image, [negative(150, 100)]).steps == 1


def test_without_closer_looks_there_is_one_at_every_click() -> None:
    predictor, _ = asked((0.5, 0.6), policy=replace(POLICY, closer=None))
    assert predictor.predict(encoded(predictor), [PLACE, click(90, 90)]).steps == 2


def test_a_replay_gives_what_the_store_holds_and_counts_its_looks() -> None:
    predictor, runtime = asked((0.5, 0.7), (0.5, 0.9), (0.5, 0.95))
    image, store, clicks = encoded(predictor), Store(), [PLACE, click(155, 103)]
    predictor.predict(image, clicks[:1], store)
    kept = predictor.predict(image, clicks, store)
    assert kept.steps == 1
    runtime.images.clear()
    replayed = predictor.predict(image, clicks)
    assert replayed.steps == 3
    assert replayed.state.region == kept.state.region
    assert torch.equal(replayed.state.probability, kept.state.probability)


def test_what_decides_about_looks_is_part_of_the_identity() -> None:
    image = encoded(asked((0.5, 0.7))[0])
    runtime = Scripted((0.5, 0.7))
    keys = {
        Predictor(runtime, version="v", policy=policy, calibration=calibration).prefixes(
            image, [PLACE]
        )[-1]
        for policy in (POLICY, replace(POLICY, closer=replace(LOOKS, least=30)))
        for calibration in (Calibration(), Calibration(bias=1.0))
    }
    assert len(keys) == 4


SIDES = st.integers(1, 5000)


@given(st.builds(Size, SIDES, SIDES), st.data())
def test_windows_hold_the_click_lie_on_the_image_and_grow(size: Size, data: st.DataObject) -> None:
    x = data.draw(st.floats(-0.5, size.width - 0.5, exclude_max=True))
    y = data.draw(st.floats(-0.5, size.height - 0.5, exclude_max=True))
    looks = CloserLooks()
    windows = list(looks.windows(ImagePoint(x, y), size))
    assert len(windows) == sum(max(size) >= 2 * side for side in looks.sides)
    for window, side in zip(windows, looks.sides, strict=False):
        assert window.intersection(Box.whole(size)) == window
        assert window.contains(ImagePoint(x, y))
        assert window.size == Size(min(side, size.height), min(side, size.width))


def test_only_borders_inside_the_image_cut() -> None:
    solid = np.full((10, 10), 0.9, dtype=np.float32)
    whole, inner = Box(0, 0, 100, 100), Box(0, 20, 50, 70)

    def cut(frame: Box) -> float:
        return Found.of(solid, frame, Size(100, 100), Calibration()).cut

    assert cut(whole) == 0
    assert cut(inner) == pytest.approx(3.0)


def test_an_empty_look_found_nothing() -> None:
    nothing = np.zeros((4, 4), dtype=np.float32)
    found = Found.of(nothing, Box(0, 0, 4, 4), Size(4, 4), Calibration())
    assert found == (0.0, 0.0, 0.0)
    assert not LOOKS.whole(found)
    assert not LOOKS.enough(found, scale=1.0)
