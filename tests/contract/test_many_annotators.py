"""Twenty annotators on five tasks at once, held against the replay oracle.

The oracle is a predictor in this process that replays an object's clicks from nothing, with no
cache. Whatever the backend is asked, in whatever order and however often, each answer must be the
mask that these clicks alone make.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pytest
import requests

from edgeflow.geometry import ImagePoint, Size
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.prompts.click import Click
from tests.contract.images import photo
from tests.contract.wire import JSONObject, keypoint, request

pytestmark = pytest.mark.slow

ANNOTATORS = 20
SIZE = Size(240, 320)
PHOTOS = ("astronaut", "cat", "coffee", "rocket", "astronaut")
BoolMask = npt.NDArray[np.bool_]
T = TypeVar("T")


def task_image(task: int) -> bytes:
    # The last one is the first one again, smaller: alike, and yet another image.
    shrink = 16 if task == len(PHOTOS) - 1 else 0
    return photo(PHOTOS[task], (SIZE.width - shrink, SIZE.height))


def task_size(task: int) -> Size:
    return decode_size(task_image(task))


def decode_size(data: bytes) -> Size:
    height, width, _ = decode_image(data).shape
    return Size(height, width)


class Oracle:
    """Masks by replaying clicks, without any memory."""

    def __init__(self) -> None:
        self._predictor: Predictor = load_predictor(device="cpu", runtime="auto")
        self._images: list[EncodedImage] = [
            self._predictor.encode(decode_image(task_image(task))) for task in range(len(PHOTOS))
        ]

    def mask(self, task: int, points: Sequence[JSONObject]) -> BoolMask:
        size = task_size(task)
        clicks = [
            Click(
                ImagePoint(
                    point["value"]["x"] / 100 * size.width - 0.5,
                    point["value"]["y"] / 100 * size.height - 0.5,
                ),
                point["is_positive"],
            )
            for point in points
        ]
        return self._predictor.predict(self._images[task], clicks).mask


@dataclass
class Annotator:
    """Somebody with a task before them."""

    url: str
    number: int
    draft: list[JSONObject] = field(default_factory=list)

    @property
    def task(self) -> int:
        return self.number % len(PHOTOS)

    @property
    def random(self) -> random.Random:
        return random.Random(self.number)

    def point(self, order: int, x: float, y: float, *, positive: bool = True) -> JSONObject:
        size = task_size(self.task)
        shown = {"original_width": size.width, "original_height": size.height}
        return keypoint(x, y, positive=positive, key=f"a{self.number}-{order}", **shown)

    def ask(self, points: Sequence[JSONObject]) -> JSONObject:
        encoded = base64.b64encode(task_image(self.task)).decode()
        body = request(*points, image=f"data:image/png;base64,{encoded}")
        body["tasks"][0]["id"] = self.task
        body["tasks"][0]["drafts"] = (
            [{"updated_at": "2026-01-01", "result": self.draft}] if self.draft else []
        )
        response = requests.post(f"{self.url}/predict", json=body, timeout=90)
        assert response.status_code == 200, response.text
        prediction: JSONObject = response.json()["results"][0]
        return prediction


def shown(prediction: JSONObject, task: int) -> BoolMask | None:
    if not prediction["result"]:
        assert "no object" in prediction["error"]["message"]
        return None
    (region,) = prediction["result"]
    mask: BoolMask = decode_brush(region["value"]["rle"], task_size(task)) > 0
    return mask


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle()


def everybody(work: Callable[[int], T]) -> list[T]:
    with ThreadPoolExecutor(ANNOTATORS) as pool:
        return list(pool.map(work, range(ANNOTATORS)))


def test_shuffled_and_repeated_requests_get_the_masks_of_their_own_clicks(
    backend_url: str, oracle: Oracle
) -> None:
    def work(number: int) -> list[tuple[int, list[JSONObject], JSONObject]]:
        me = Annotator(backend_url, number)
        chance = me.random
        points = [me.point(0, chance.uniform(20, 80), chance.uniform(20, 80))]
        points += [
            me.point(order, chance.uniform(5, 95), chance.uniform(5, 95), positive=order % 2 == 0)
            for order in range(1, 4)
        ]
        moved = json.loads(json.dumps(points[:3]))
        moved[0]["value"]["x"] = 100 - moved[0]["value"]["x"]  # a dragged point, under its old id
        prompts = [points[:1], points[:2], points[:3], points, moved]
        asked = prompts + chance.sample(prompts, 3)
        chance.shuffle(asked)
        return [(me.task, prompt, me.ask(prompt)) for prompt in asked]

    answers = [answer for some in everybody(work) for answer in some]
    assert len(answers) == ANNOTATORS * 8
    expected: dict[str, BoolMask] = {}
    for task, prompt, prediction in answers:
        key = json.dumps([task, prompt])
        if key not in expected:
            expected[key] = oracle.mask(task, prompt)
        mask = shown(prediction, task)
        if mask is None:
            assert not expected[key].any()
        else:
            np.testing.assert_array_equal(mask, expected[key])


def test_lone_clicks_go_on_with_their_own_annotators_objects(
    backend_url: str, oracle: Oracle
) -> None:
    """Auto-accept: each answer is stored in the annotator's draft, each click comes alone."""

    def work(number: int) -> tuple[int, list[JSONObject], list[JSONObject]]:
        me = Annotator(backend_url, number)
        chance = me.random
        clicks: list[JSONObject] = []
        answers: list[JSONObject] = []
        x, y = chance.uniform(25, 75), chance.uniform(25, 75)
        for order in range(3):
            clicks.append(me.point(order, x, y, positive=order < 2))
            prediction = me.ask(clicks[-1:])
            answers.append(prediction)
            mask = shown(prediction, me.task)
            if mask is None:
                break
            me.draft = [{**prediction["result"][0], "origin": "manual"}]
            rows, cols = np.nonzero(mask)
            pick = chance.randrange(len(rows))
            size = task_size(me.task)
            x = (int(cols[pick]) + 0.5) / size.width * 100
            y = (int(rows[pick]) + 0.5) / size.height * 100
        return me.task, clicks, answers

    for task, clicks, answers in everybody(work):
        ids = {answer["result"][0]["id"] for answer in answers if answer["result"]}
        assert len(ids) == 1
        for count, answer in enumerate(answers, start=1):
            mask = shown(answer, task)
            expected = oracle.mask(task, clicks[:count])
            np.testing.assert_array_equal(mask if mask is not None else expected & False, expected)
