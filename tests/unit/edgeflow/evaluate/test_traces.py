from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from edgeflow.data.base import Sample
from edgeflow.data.left_out import LeftOut
from edgeflow.evaluate.clicker import Aim
from edgeflow.evaluate.traces import FLAWLESS, Rules, click_dataset, click_object
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.state import EncodedImage, State
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import UNTOUCHED
from edgeflow.prompts.click import Click
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import Start
from tests.unit.edgeflow.evaluate.reference import click_until
from tests.unit.edgeflow.evaluate.scripted import Images, ScriptedPredictor, sample, square


def test_it_clicks_until_the_object_is_done() -> None:
    truth = square(20, 20, slice(5, 15), slice(5, 15))
    answers = [truth & square(20, 20, slice(0, 20), slice(0, 9)), truth]

    def answer(clicks: Sequence[Click]) -> npt.NDArray[np.float32]:
        return answers[len(clicks) - 1].astype(np.float32)

    predictor = ScriptedPredictor(answer)
    image = sample("one", truth)
    trace = click_object(predictor, predictor.encode(image.rgb), truth, None, Rules())
    assert trace.clicks == (Click(ImagePoint(9, 9)), Click(ImagePoint(11, 7)))
    assert trace.ious == (0.4, 1.0)
    assert trace.boundary_ious[1] == 1.0
    assert len(trace.seconds) == 2
    assert (trace.mask == truth).all()


def test_it_gives_up_after_the_last_click() -> None:
    truth = square(20, 20, slice(5, 15), slice(5, 15))
    predictor = ScriptedPredictor(lambda _clicks: np.zeros((20, 20), dtype=np.float32))
    image = predictor.encode(sample("one", truth).rgb)
    trace = click_object(predictor, image, truth, None, Rules(max_clicks=7))
    assert trace.ious == (0.0,) * 7
    assert trace.clicks_to(0.8, 7) == 7
    assert len({click.point for click in trace.clicks}) == 7


def test_all_clicks_are_made_on_a_perfect_mask_too() -> None:
    truth = square(20, 20, slice(5, 15), slice(5, 15))
    predictor = ScriptedPredictor(lambda _clicks: truth.astype(np.float32))
    image = predictor.encode(sample("one", truth).rgb)
    every = Rules(max_clicks=4, stop_at=1.01)
    trace = click_object(predictor, image, truth, None, every)
    assert trace.ious == (1.0,) * 4
    assert {click.positive for click in trace.clicks} == {True}
    assert len({click.point for click in trace.clicks}) == 4
    assert all(5 <= click.point.x < 15 and 5 <= click.point.y < 15 for click in trace.clicks)
    assert len(click_object(predictor, image, truth, None, Rules()).clicks) == 1
    dot = square(20, 20, slice(5, 6), slice(5, 6))
    only = ScriptedPredictor(lambda _clicks: dot.astype(np.float32))
    assert len(click_object(only, image, dot, None, every).clicks) == 1  # none is made twice


def test_a_probability_at_the_threshold_is_background() -> None:
    truth = square(4, 4, slice(0, 4), slice(0, 2))
    probability = np.where(truth, 0.49, 0.0).astype(np.float32)
    predictor = ScriptedPredictor(lambda _clicks: probability)
    image = predictor.encode(sample("one", truth).rgb)
    assert click_object(predictor, image, truth, None, Rules(max_clicks=1)).ious == (0.0,)


def test_every_object_of_every_image_is_clicked_in_order() -> None:
    first, second = (square(8, 8, slice(n, n + 3), slice(0, 8)) for n in (0, 4))
    predictor = ScriptedPredictor(lambda _clicks: np.ones((8, 8), dtype=np.float32))
    seen: list[tuple[int, int]] = []
    dataset = Images(sample("a", first, second), sample("bb", second))
    rules = Rules(max_clicks=1)
    traces = list(
        click_dataset(predictor, dataset, rules, lambda done, total: seen.append((done, total)))
    )
    assert [(trace.sample, trace.number) for trace in traces] == [("a", 1), ("a", 2), ("bb", 1)]
    assert seen == [(1, 2), (2, 2)]


def test_what_is_left_out_of_images_is_told() -> None:
    left_out = LeftOut("its code is malformed", "x.json: an annotation of a")
    truth = square(8, 8, slice(0, 3), slice(0, 8))
    predictor = ScriptedPredictor(lambda _clicks: np.ones((8, 8), dtype=np.float32))
    dataset = Images(replace(sample("a", truth), left_out=(left_out,)), sample("b", truth))
    told: list[LeftOut] = []
    list(click_dataset(predictor, dataset, Rules(max_clicks=1), tell=told.extend))
    assert told == [left_out]


def test_an_object_that_is_ignored_altogether_is_passed_over() -> None:
    truth = square(8, 8, slice(0, 3), slice(0, 8))
    predictor = ScriptedPredictor(lambda _clicks: np.ones((8, 8), dtype=np.float32))
    dataset = Images(sample("a", truth, ignore=truth))
    assert list(click_dataset(predictor, dataset, Rules())) == []
    image = predictor.encode(dataset[0].rgb)
    with pytest.raises(ValueError, match="no pixel that counts"):
        click_object(predictor, image, truth, truth, Rules())


def test_from_a_start_mask_the_first_click_corrects_it_and_is_counted() -> None:
    truth = square(20, 20, slice(5, 15), slice(5, 15))
    start = truth & square(20, 20, slice(0, 20), slice(0, 14))  # IoU .9: one column is missing
    predictor = ScriptedPredictor(lambda _clicks: truth.astype(np.float32))
    image = predictor.encode(sample("one", truth).rgb)
    trace = click_object(predictor, image, truth, None, Rules(), start=start)
    assert trace.start_iou == pytest.approx(0.9)
    assert trace.clicks == (Click(ImagePoint(14, 5)),)
    # As published: clicks are counted, so that of a start mask that is good enough is one.
    assert trace.clicks_to(0.85, 20) == trace.clicks_to(0.95, 20) == 1


def test_from_a_start_mask_clicks_count_until_the_target_is_reached_again() -> None:
    truth = square(20, 20, slice(5, 15), slice(5, 15))
    start = square(20, 20, slice(5, 15), slice(5, 13))
    answers = [square(20, 20, slice(5, 15), slice(5, 12)), truth]
    predictor = ScriptedPredictor(lambda clicks: answers[len(clicks) - 1].astype(np.float32))
    image = predictor.encode(sample("one", truth).rgb)
    trace = click_object(predictor, image, truth, None, Rules(), start=start)
    assert trace.start_iou == pytest.approx(0.8)
    assert trace.ious == pytest.approx((0.7, 1.0))
    assert trace.clicks_to(0.8, 20) == 2


def test_the_network_is_told_of_the_start_mask() -> None:
    truth = square(20, 20, slice(5, 15), slice(5, 15))
    told: list[Start | None] = []

    class Listening(ScriptedPredictor):
        def start(self, image: EncodedImage, start: Start | None = None) -> State:
            told.append(start)
            return super().start(image, start)

    predictor = Listening(lambda _clicks: truth.astype(np.float32))
    image = predictor.encode(sample("one", truth).rgb)
    start = square(20, 20, slice(5, 15), slice(5, 13))
    click_object(predictor, image, truth, None, Rules(), start=start)
    click_object(predictor, image, truth, None, Rules())
    assert isinstance(told[0], PriorMask)
    assert (told[0].mask == start).all()
    assert told[1] is None


def test_objects_whose_start_mask_has_no_error_are_left_out_and_told() -> None:
    truth = square(8, 8, slice(0, 3), slice(0, 8))
    predictor = ScriptedPredictor(lambda _clicks: np.ones((8, 8), dtype=np.float32))

    class Right:
        kind = "right"

        def of(self, each: Sample, number: int) -> npt.NDArray[np.bool_]:
            return each.objects[number - 1]

    told: list[LeftOut] = []
    dataset = Images(sample("a", truth))
    assert list(click_dataset(predictor, dataset, Rules(), tell=told.extend, starts=Right())) == []
    assert told == [LeftOut(FLAWLESS)]
    image = predictor.encode(dataset[0].rgb)
    with pytest.raises(ValueError, match="has no error"):
        click_object(predictor, image, truth, None, Rules(), start=truth)


def test_each_object_is_clicked_with_its_own_aim() -> None:
    first, second = (square(8, 8, slice(n, n + 3), slice(0, 8)) for n in (0, 4))
    predictor = ScriptedPredictor(lambda _clicks: np.ones((8, 8), dtype=np.float32))
    asked: list[tuple[str, int]] = []

    def aim_of(name: str, number: int) -> Aim:
        asked.append((name, number))
        return lambda depth: tuple(np.argwhere(depth > 0)[0].tolist())

    dataset = Images(sample("a", first, second))
    traces = list(click_dataset(predictor, dataset, Rules(max_clicks=1), aim_of=aim_of))
    assert asked == [("a", 1), ("a", 2)]
    assert [trace.clicks[0].point for trace in traces] == [ImagePoint(0, 0), ImagePoint(0, 4)]


@pytest.mark.slow
def test_the_shipped_network_corrects_a_start_mask_around_the_click_alone() -> None:
    rgb = np.full((60, 80, 3), 60, dtype=np.uint8)
    truth = square(60, 80, slice(10, 50), slice(10, 50))
    rgb[truth] = 200
    start = truth & ~square(60, 80, slice(30, 50), slice(30, 50))
    start |= square(60, 80, slice(5, 8), slice(70, 75))  # a speck too much, far from the click
    predictor = load_predictor(device="cpu", policy=ZoomPolicy(long_side=96), cleanup=UNTOUCHED)
    image = predictor.encode(rgb)
    trace = click_object(predictor, image, truth, None, Rules(max_clicks=1), start=start)
    assert trace.ious[0] > (trace.start_iou or 0) + 0.1
    assert trace.mask[5:8, 70:75].all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_shipped_network_is_clicked_as_the_protocol_written_twice_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros((40, 48), dtype=np.uint8)
    labels[8 + seed : 30, 10 : 34 - 3 * seed] = 1
    labels[:, :4] = 255
    rgb = rng.integers(0, 80, (40, 48, 3), dtype=np.uint8)
    rgb[labels == 1] += 150
    predictor = load_predictor(device="cpu", policy=ZoomPolicy(long_side=96), cleanup=UNTOUCHED)
    image = predictor.encode(rgb)

    def predict(made: list[tuple[tuple[int, int], bool]]) -> npt.NDArray[np.float32]:
        state = predictor.start(image)
        for (row, col), positive in made:
            state, probability = predictor.step(image, state, Click(ImagePoint(col, row), positive))
        result: npt.NDArray[np.float32] = probability.numpy()
        return result

    clicks, ious = click_until(predict, labels, target=0.97, most=6)
    rules = Rules(max_clicks=6, stop_at=0.97)
    trace = click_object(predictor, image, labels == 1, labels == 255, rules)
    assert [((int(c.point.y), int(c.point.x)), c.positive) for c in trace.clicks] == clicks
    assert trace.ious == pytest.approx(ious)
