"""What closer looks at the first click are worth: small objects in large images, and all others.

Usage: ``python -m benchmarks.small_objects TRAINING_FOLDER [--kinds aerial,cells] [--half 1]``.
Objects of each kind get simulated clicks, at most twenty; ordinary images are those that
``held_out = 0.03`` keeps from training. Prints, for each kind and variant, the clicks to an IoU of
.8 and .9 with the paired difference to the first variant and its standard error, network runs and
views a click, and seconds of first and later clicks.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmarks.mosaics import FEW, KINDS, Scene
from edgeflow.arrays import BoolMask
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.clicker import Clicker
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Box, Size
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.state import EncodedImage, State
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import UNTOUCHED
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.runtime.base import Runtime, StepOutput

SMALL = 32 * 32
LEAST = 30
"""Area of the smallest object that is clicked, image pixels."""
CLICKS = 20

VARIANTS = {"one look": ZoomPolicy(closer=None), "closer looks": ZoomPolicy()}


@dataclass(frozen=True)
class Trial:
    """One object under one variant.

    Attributes:
        area: Of the object, image pixels.
        ious: IoU after each click.
        runs: Network runs of each click.
        views: Views that the network saw, in all.
        seconds: Of each click.
    """

    area: int
    ious: tuple[float, ...]
    runs: tuple[int, ...]
    views: int
    seconds: tuple[float, ...]

    def clicks_to(self, target: float) -> int:
        """Clicks to an IoU; twenty if it was never reached."""
        return next((n for n, iou in enumerate(self.ious, 1) if iou >= target), CLICKS)


class Counting:
    """Counts a runtime's views."""

    def __init__(self, runtime: Runtime) -> None:
        self.name, self.device, self.feedback = runtime.name, runtime.device, runtime.feedback
        self._runtime = runtime
        self.views = 0

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """See :meth:`edgeflow.runtime.base.Runtime.run`."""
        self.views += len(image)
        return self._runtime.run(image, prompt)


def trial(
    predictor: Predictor,
    runtime: Counting,
    scene: Scene,
    image: EncodedImage,
    truth: MaskPatch,
    stop_at: float = 0.9,
) -> Trial:
    """Click an object until its mask has an IoU of ``stop_at``."""
    store = _Store()
    mask = MaskPatch(np.zeros((0, 0), dtype=np.bool_), Box(0, 0, 0, 0), image.size)
    clicks: list[Click] = []
    ious: list[float] = []
    runs: list[int] = []
    seconds: list[float] = []
    runtime.views = 0
    while len(clicks) < CLICKS and (not ious or ious[-1] < stop_at):
        click = _next_click(scene, truth, mask, clicks)
        if click is None:
            break
        clicks.append(click)
        began = time.perf_counter()
        answer = predictor.predict(image, clicks, store)
        seconds.append(time.perf_counter() - began)
        mask = answer.patch
        runs.append(answer.steps)
        ious.append(_iou(scene, truth, mask))
    area = int(np.count_nonzero(truth.pixels))
    return Trial(area, tuple(ious), tuple(runs), runtime.views, tuple(seconds))


def print_variant(name: str, trials: Sequence[Trial], others: Sequence[Trial]) -> None:
    """One line of figures; ``others`` are the first variant's."""
    figures = []
    for target in (0.8, 0.9):
        clicks = np.array([float(each.clicks_to(target)) for each in trials])
        change = clicks - np.array([each.clicks_to(target) for each in others])
        figures.append(f"{clicks.mean():5.2f} {change.mean():+.2f} ({_error(change):.2f})")
    made = sum(len(each.runs) for each in trials)
    runs, views = sum(sum(e.runs) for e in trials) / made, sum(e.views for e in trials) / made
    first = np.array([each.seconds[0] for each in trials])
    later = np.array([s for each in trials for s in each.seconds[1:]] or [math.nan])
    print(
        f"  {name:<24} NoC@80 {figures[0]}  @90 {figures[1]}  "
        f"first IoU {np.mean([each.ious[0] for each in trials]):.3f}  "
        f"{runs:.2f} runs, {views:.2f} views a click  "
        f"first p50 {np.median(first):.3f} p90 {np.quantile(first, 0.9):.3f} s, "
        f"later p50 {np.median(later):.3f} s",
        flush=True,
    )


def measure(
    scenes: Iterator[Scene],
    predictors: Sequence[Predictor],
    runtime: Counting,
    few: int | None,
    most: int,
    limit: float = math.inf,
    stop_at: float = 0.9,
) -> list[list[Trial]]:
    """Trials of each object smaller than ``limit`` image pixels under each predictor."""
    trials: list[list[Trial]] = []
    for scene in scenes:
        objects = [o for o in scene.objects if LEAST <= np.count_nonzero(o.pixels) < limit]
        random.Random(scene.name).shuffle(objects)
        image = predictors[0].encode(scene.rgb)
        for truth in objects[: few or most - len(trials)]:
            trials.append(
                [trial(each, runtime, scene, image, truth, stop_at) for each in predictors]
            )
            if len(trials) >= most:
                return trials
    return trials


def main(variants: dict[str, ZoomPolicy] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--half", type=int, default=1, help="0: objects that choices were made on")
    parser.add_argument("--objects", type=int, default=60)
    parser.add_argument("--stop-at", type=float, default=0.9, help="IoU at which clicks end")
    parser.add_argument("--small", action="store_true", help="only objects under 32² pixels")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--runtime", default="auto")
    arguments = parser.parse_args()
    variants = variants or VARIANTS
    loaded = load_predictor(arguments.model, runtime=arguments.runtime, device="cpu")
    runtime = Counting(loaded.runtime)
    predictors = [
        Predictor(
            runtime,
            version=loaded.version,
            policy=policy,
            calibration=loaded.calibration,
            cleanup=UNTOUCHED,
        )
        for policy in variants.values()
    ]
    dataset = open_dataset(arguments.folder)
    print(f"{loaded.version}; {describe_machine(loaded.runtime.name)}")
    for kind in arguments.kinds.split(","):
        scenes = KINDS[kind](dataset, arguments.half)
        trials = measure(
            scenes,
            predictors,
            runtime,
            FEW.get(kind),
            arguments.objects,
            SMALL if arguments.small else math.inf,
            arguments.stop_at,
        )
        for words, low, high in (("under 32²", 0, SMALL), ("others", SMALL, math.inf)):
            chosen = [row for row in trials if low <= row[0].area < high]
            if len(chosen) < 2:
                continue
            print(f"{kind}, {words}: {len(chosen)} objects")
            for name, column in zip(variants, zip(*chosen, strict=True), strict=True):
                print_variant(name, column, [row[0] for row in chosen])


def _next_click(
    scene: Scene, truth: MaskPatch, mask: MaskPatch, clicks: Sequence[Click]
) -> Click | None:
    """The simulated annotator's next click, found where object and mask lie."""
    boxes = [patch.box for patch in (truth, mask) if not patch.empty]
    size = Size(*scene.rgb.shape[:2])
    arena = Box(
        max(min(box.top for box in boxes) - 2, 0),
        max(min(box.left for box in boxes) - 2, 0),
        min(max(box.bottom for box in boxes) + 2, size.height),
        min(max(box.right for box in boxes) + 2, size.width),
    )
    made = [(int(c.point.y) - arena.top, int(c.point.x) - arena.left) for c in clicks]

    def aim(depth: npt.NDArray[np.float32]) -> tuple[int, int]:
        free = depth.copy()
        for y, x in made:
            if 0 <= y < free.shape[0] and 0 <= x < free.shape[1]:
                free[y, x] = 0
        row, col = np.unravel_index(int(free.argmax()), free.shape)
        return int(row), int(col)

    ignore = None if scene.ignore is None else scene.ignore[arena.slices]
    click = Clicker(_within(truth, arena), ignore, aim).next_click(_within(mask, arena))
    if click is None:
        return None
    point = click.point._replace(x=click.point.x + arena.left, y=click.point.y + arena.top)
    return None if any(point == each.point for each in clicks) else Click(point, click.positive)


def _iou(scene: Scene, truth: MaskPatch, mask: MaskPatch) -> float:
    boxes = [patch.box for patch in (truth, mask) if not patch.empty]
    arena = Box(
        min(box.top for box in boxes),
        min(box.left for box in boxes),
        max(box.bottom for box in boxes),
        max(box.right for box in boxes),
    )
    ignore = None if scene.ignore is None else scene.ignore[arena.slices]
    return Clicker(_within(truth, arena), ignore).iou(_within(mask, arena))


def _within(patch: MaskPatch, arena: Box) -> BoolMask:
    full: BoolMask = np.zeros(arena.size, dtype=np.bool_)
    if not patch.empty:
        full[patch.box.shifted(-arena.top, -arena.left).slices] = patch.pixels
    return full


class _Store(dict[bytes, State]):
    def put(self, key: bytes, state: State) -> None:
        self[key] = state


def _error(differences: npt.NDArray[np.float64]) -> float:
    """Standard error of a mean."""
    return float(differences.std(ddof=1) / math.sqrt(len(differences)))


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
