"""Many annotators at once: how long each waits, and whether each gets the mask of their own clicks.

Every annotator opens an image of their own, makes some clicks on one object, thinks after each
answer, and goes on to the next image; all in this process, without HTTP. Afterwards every mask
is compared with what the predictor makes of the same clicks on its own. Times to think are
exponentially distributed, so that clicks come in bunches, as people's do. The settings are those
of the environment. Prints a row for each number of annotators and writes
``artifacts/bench-annotators.json``.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.click import jpeg
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import ImagePoint, Size
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import State
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.prompts.click import Click
from edgeflow_backend import log
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.segmenter.local import load_segmenter
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics

SIZE = Size(480, 640)
CLICKS = ((43.0, 60.0), (43.0, 20.0), (40.0, 75.0), (60.0, 90.0), (50.0, 45.0))
"""On one object, percent, each with a little chance added."""

OUTPUT = Path("artifacts") / "bench-annotators.json"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """One click and its answer, whose run-length code is empty where there was none."""

    image: int
    clicks: tuple[tuple[float, float], ...]
    seconds: float
    rle: list[int]
    trouble: str

    @property
    def mask(self) -> Mask:
        """H×W."""
        if not self.rle:
            return np.zeros(tuple(SIZE), dtype=np.bool_)
        return decode_brush(self.rle, SIZE) > 0


def annotate(
    service: SegmentationService,
    number: int,
    addresses: dict[int, str],
    until: float,
    think_s: float,
    *,
    even: bool,
) -> list[Asked]:
    """One annotator's clicks, until the time or the images are used up."""
    chance = random.Random(number)
    asked: list[Asked] = []
    time.sleep(chance.uniform(0, think_s))
    for name, address in addresses.items():
        tasks = [{"id": name, "data": {"image": address}}]
        backend = EdgeFlowBackend(service=service)
        backend.predict(tasks, None, label_config=RECOMMENDED, project="1.1")  # opens the task
        clicks: tuple[tuple[float, float], ...] = ()
        for x, y in CLICKS:
            time.sleep(think_s if even else chance.expovariate(1 / think_s))
            if time.monotonic() > until:
                return asked
            clicks = (*clicks, (x + chance.uniform(-3, 3), y + chance.uniform(-3, 3)))
            context = {"result": [point(name, order, *at) for order, at in enumerate(clicks)]}
            started = time.monotonic()
            (answer,) = backend.predict(tasks, context, label_config=RECOMMENDED, project="1.1")
            seconds = time.monotonic() - started
            rle = answer["result"][0]["value"]["rle"] if answer["result"] else []
            trouble = answer.get("error", {}).get("message", "")
            asked.append(Asked(name, clicks, seconds, rle, trouble))
    return asked


def images_of(number: int, count: int) -> dict[int, str]:
    """One annotator's inline images, made beforehand: browsers do not share our cores."""
    return {
        name: "data:image/jpeg;base64," + base64.b64encode(jpeg(SIZE, name)).decode()
        for name in range(number * 1000, number * 1000 + count)
    }


def point(name: int, order: int, x: float, y: float) -> dict[str, Any]:
    """A keypoint as Label Studio sends it."""
    return {
        "id": f"{name}-{order}", "type": "keypointlabels", "from_name": "click",
        "to_name": "image", "original_width": SIZE.width, "original_height": SIZE.height,
        "image_rotation": 0, "is_positive": True,
        "value": {"x": x, "y": y, "width": 0.3, "keypointlabels": ["Object"]},
    }  # fmt: skip


class Known(dict[bytes, State]):
    """States of one object's clicks."""

    def put(self, key: bytes, state: State) -> None:
        """Keep everything."""
        self[key] = state


def differing(predictor: Predictor, asked: list[Asked]) -> tuple[int, float]:
    """How many masks are not, bit for bit, those of their clicks alone; and the least IoU."""
    count, least = 0, 1.0
    for _, clicked in itertools.groupby(asked, key=lambda one: one.image):
        some = list(clicked)
        image = predictor.encode(decode_image(jpeg(SIZE, some[0].image)))
        states = Known()
        for one in some:
            clicks = [
                Click(ImagePoint(x / 100 * SIZE.width - 0.5, y / 100 * SIZE.height - 0.5))
                for x, y in one.clicks
            ]
            expected = predictor.predict(image, clicks, states).mask
            mask = one.mask
            union = int((mask | expected).sum())
            least = min(least, int((mask & expected).sum()) / union if union else 1.0)
            count += not np.array_equal(mask, expected)
    return count, least


def measure(
    settings: Settings, annotators: int, seconds: float, think_s: float, *, even: bool
) -> dict[str, Any]:
    """Let ``annotators`` work for ``seconds``."""
    metrics = Metrics()
    segmenter = load_segmenter(settings, metrics)
    segmenter.warm_up()
    service = SegmentationService(settings, segmenter, metrics)
    rounds = 2 + int(seconds / think_s / len(CLICKS) * 2)
    addresses = [images_of(number, rounds) for number in range(annotators)]
    try:
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(annotators) as pool:
            work = [
                pool.submit(annotate, service, number, addresses[number], until, think_s, even=even)
                for number in range(annotators)
            ]
            asked = [one for some in work for one in some.result()]
    finally:
        service.close()
    took = sorted(one.seconds * 1000 for one in asked)
    quantiles = statistics.quantiles(took, n=20, method="inclusive")
    wrong, least = differing(segmenter.predictor, asked)
    return {
        "runtime": segmenter.runtime,
        "annotators": annotators,
        "clicks": len(asked),
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(quantiles[-1], 1),
        "max_ms": round(took[-1], 1),
        "unanswered": sum(bool(one.trouble) for one in asked),
        "other_masks": wrong,
        "least_iou": least,
    }


def main() -> None:
    """Measure one annotator, then many, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotators", type=int, nargs="+", default=[1, 5, 10, 20])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds after an answer")
    parser.add_argument("--even", action="store_true", help="think for exactly as long each time")
    arguments = parser.parse_args()
    settings = Settings()
    log.configure("ERROR", "console")
    rows = []
    print(describe_machine("below"))
    for annotators in arguments.annotators:
        rows.append(
            measure(settings, annotators, arguments.seconds, arguments.think, even=arguments.even)
        )
        print(rows[-1], flush=True)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
