"""What qualities, clean-ups and a rule against distant changes are worth, in clicks.

Usage: ``python -m benchmarks.quality TRAINING_FOLDER … [--parts] [--objects 100] [--model NAME]``.
One object of each held-out image (the share that ``held_out = 0.03`` keeps from training) gets
simulated clicks on its mask *as served*, at most ten; with ``--parts``, objects of several pieces
from images trained on. Prints, for each variant, its clicks to an IoU of .9 with the paired
difference to the first, and how often a later click broke what lay far from it.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.data.base import Sample
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.clicker import Clicker
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.quality import QUALITIES, Quality
from edgeflow.inference.state import State
from edgeflow.masks.cleanup import UNTOUCHED, Cleanup
from edgeflow.prompts.click import Click
from edgeflow.runtime.base import Runtime, StepOutput
from edgeflow.train.image_store import is_held_out, read_samples
from edgeflow.train.validation import hold

HELD_OUT = 0.03
MIN_AREA = 0.002
MIN_PIECE = 0.15
"""Area of an object's second piece over its first one's, from which on it has several."""
TARGET = 0.9
CLICKS = 10
FAR = 0.15
"""Distance from a click, over the image's diagonal, from which on it should break nothing."""
BROKEN = 0.02
"""Share of the object's area whose breaking counts."""
WORSE = 0.02
"""Drop of the IoU that counts."""
TRUSTED = 0.5
"""Score from which on a mask is more likely right than wrong."""


class Variant(NamedTuple):
    """What a predictor is made with, and what is shown of its masks.

    Attributes:
        cleanup: What is cleaned of each mask.
        quality: How often the network looks.
        reach: Distance from a later click, over the image's diagonal, from which on the mask stays
            as it was, if its score was at least :data:`TRUSTED`; infinite for the masks as served.
    """

    cleanup: Cleanup = Cleanup()
    quality: Quality = Quality()
    reach: float = math.inf


VARIANTS = {
    "default": Variant(),
    "untouched": Variant(cleanup=UNTOUCHED),
    "clicked pieces only": Variant(cleanup=replace(Cleanup(), min_certainty=1)),
    "auto": Variant(quality=QUALITIES["auto"]),
    "best": Variant(quality=QUALITIES["best"]),
    "changes within .15": Variant(reach=0.15),
}


class After(NamedTuple):
    """How an object stands after a click.

    Attributes:
        iou: Of the mask with the object.
        broken: Area that was right before and is wrong now, farther from the click than
            :data:`FAR`, over the object's area.
    """

    iou: float
    broken: float


@dataclass(frozen=True)
class Trial:
    """One object under one variant: how it stood after each click, and the network's views."""

    after: tuple[After, ...]
    views: int

    @property
    def clicks(self) -> int:
        """Clicks to the target, or the most allowed."""
        return next((n for n, each in enumerate(self.after, 1) if each.iou >= TARGET), CLICKS)


class Remembering:
    """Runs a network once for each input, so that variants share what they have in common."""

    def __init__(self, runtime: Runtime) -> None:
        self.name, self.device, self.feedback = runtime.name, runtime.device, runtime.feedback
        self._runtime = runtime
        self._known: dict[bytes, StepOutput] = {}
        self.views = 0

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """See :meth:`edgeflow.runtime.base.Runtime.run`; views of a batch are run one by one."""
        self.views += len(image)
        views = [self._view(*(x.contiguous() for x in pair)) for pair in _pairs(image, prompt)]
        return StepOutput(*(torch.cat(parts) for parts in zip(*views, strict=True)))

    def forget(self) -> None:
        """Forget all inputs: they are large, and another image shares none."""
        self._known.clear()

    def _view(self, image: Tensor, prompt: Tensor) -> StepOutput:
        digest = hashlib.blake2b(image.numpy().data)
        digest.update(prompt.numpy().data)
        key = digest.digest()
        if key not in self._known:
            self._known[key] = self._runtime.run(image, prompt)
        return self._known[key]


def held_out(folders: Sequence[Path], most: int) -> list[Sample]:
    """One object of each held-out image, in an order that mixes the sets."""
    found: list[Sample] = []
    for folder in folders:
        dataset = open_dataset(folder)
        names = {name for name in dataset.sample_names if is_held_out(name, HELD_OUT)}
        found += hold(read_samples(dataset, names.__contains__), MIN_AREA).samples
    found.sort(key=_mixing)
    return found[:most]


def of_several_parts(folders: Sequence[Path], most: int) -> list[Sample]:
    """One object of several pieces of each training image that has one."""
    found: list[Sample] = []
    for folder in folders:
        dataset = open_dataset(folder)
        names = {name for name in dataset.sample_names if not is_held_out(name, HELD_OUT)}
        for sample in read_samples(dataset, names.__contains__):
            parted = (each for each in sample.objects if each.mean() >= MIN_AREA and _parted(each))
            found += [replace(sample, objects=(each,), labels=()) for each in islice(parted, 1)]
    found.sort(key=_mixing)
    return found[:most]


def trial(predictor: Predictor, runtime: Remembering, sample: Sample, reach: float) -> Trial:
    """Click an object until it is done."""
    image, store = predictor.encode(sample.rgb), _Store()
    truth = sample.objects[0]
    clicker = Clicker(truth, sample.ignore)
    mask, clicks, after = np.zeros_like(truth), list[Click](), list[After]()
    score, runtime.views = 0.0, 0
    while len(clicks) < CLICKS and (not after or after[-1].iou < TARGET):
        click = clicker.next_click(mask)
        if click is None:
            break
        clicks.append(click)
        before, answer = mask, predictor.predict(image, clicks, store)
        mask = answer.mask
        if score >= TRUSTED:
            mask = np.where(farther_than(reach, click.point, truth), before, mask)
        score = answer.score
        far = farther_than(FAR, click.point, truth)
        broken = (before == truth) & (mask != truth) & clicker.valid & far
        share = np.count_nonzero(broken) / np.count_nonzero(clicker.truth)
        after.append(After(clicker.iou(mask), share))
    return Trial(tuple(after), runtime.views)


def farther_than(part: float, point: ImagePoint, like: BoolMask) -> BoolMask:
    """The pixels farther from a point than a part of the diagonal."""
    rows, cols = np.ogrid[: like.shape[0], : like.shape[1]]
    far: BoolMask = np.hypot(rows - point.y, cols - point.x) > part * math.hypot(*like.shape)
    return far


def print_variant(name: str, trials: Sequence[Trial], others: Sequence[Trial]) -> None:
    """One line of figures; ``others`` are the first variant's."""
    clicks = np.array([float(each.clicks) for each in trials])
    change = clicks - np.array([each.clicks for each in others])
    first = np.array([each.after[0].iou for each in trials])
    gain = first - np.array([each.after[0].iou for each in others])
    later = [pair for each in trials for pair in zip(each.after, each.after[1:], strict=False)]
    broke = np.mean([now.broken > BROKEN for _, now in later])
    worse = np.mean([now.iou < then.iou - WORSE for then, now in later])
    views = sum(each.views for each in trials) / sum(len(each.after) for each in trials)
    print(
        f"{name:<20} {clicks.mean():.2f} {change.mean():+.2f} ({_error(change):.2f})  "
        f"first IoU {first.mean():.3f} {gain.mean():+.3f} ({_error(gain):.3f})  "
        f"broke {broke:.1%}  worse {worse:.1%} of {len(later)}  {views:.2f} views a click"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--parts", action="store_true", help="objects of several pieces")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--runtime", default="torch")
    arguments = parser.parse_args()
    loaded = load_predictor(arguments.model, runtime=arguments.runtime, device="cpu")
    runtime = Remembering(loaded.runtime)
    predictors = [
        Predictor(
            runtime,
            version=loaded.version,
            policy=loaded.policy,
            calibration=loaded.calibration,
            cleanup=variant.cleanup,
            quality=variant.quality,
        )
        for variant in VARIANTS.values()
    ]
    choose = of_several_parts if arguments.parts else held_out
    samples = choose(arguments.folders, arguments.objects)
    trials: list[list[Trial]] = []
    for number, sample in enumerate(samples, start=1):
        trials.append(
            [
                trial(predictor, runtime, sample, variant.reach)
                for predictor, variant in zip(predictors, VARIANTS.values(), strict=True)
            ]
        )
        runtime.forget()
        print(f"\r{number} of {len(samples)}", end="", file=sys.stderr, flush=True)
    print(f"\n{loaded.version}; {describe_machine(loaded.runtime.name)}")
    print(f"{len(samples)} objects: clicks to {TARGET}, difference (standard error)")
    for name, column in zip(VARIANTS, zip(*trials, strict=True), strict=True):
        print_variant(name, column, [row[0] for row in trials])


class _Store(dict[bytes, State]):
    def put(self, key: bytes, state: State) -> None:
        self[key] = state


def _error(differences: npt.NDArray[np.float64]) -> float:
    """Standard error of a mean."""
    return float(differences.std(ddof=1) / math.sqrt(len(differences)))


def _mixing(sample: Sample) -> bytes:
    """A key that sorts samples in an order without order, the same everywhere."""
    return hashlib.sha256(sample.name.encode()).digest()


def _parted(mask: BoolMask) -> bool:
    """Whether an object has a second piece of some size."""
    stats = cv2.connectedComponentsWithStats(mask.view(np.uint8))[2]
    areas = np.sort(stats[1:, cv2.CC_STAT_AREA])[::-1]
    return len(areas) > 1 and bool(areas[1] >= MIN_PIECE * areas[0])


def _pairs(image: Tensor, prompt: Tensor) -> list[tuple[Tensor, Tensor]]:
    return list(zip(torch.split(image, 1), torch.split(prompt, 1), strict=True))


if __name__ == "__main__":
    main()
