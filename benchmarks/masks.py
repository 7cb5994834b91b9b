"""Backs two defaults by data: what is cleaned of masks, and how the score is calibrated.

Usage: ``python -m benchmarks.masks TRAINING.tar [BENCHMARK_FOLDER …]``. Training images choose;
benchmark folders (``images/`` and ``masks/``) are only reported. Objects get simulated clicks as in
``edgeflow evaluate``; float32.
"""

from __future__ import annotations

import io
import math
import random
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.optimize import minimize

from edgeflow.arrays import BoolMask
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.data.label_maps import IGNORE
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.clicker import Clicker
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.masks.cleanup import UNTOUCHED, Cleanup
from edgeflow.masks.score import Calibration, logit

CLICKS = 5
CLEANED_AFTER = (1, 3)
OBJECTS_A_SET = 14
MIN_PIXELS = 400
BINS = 10

VARIANTS = {
    "untouched": UNTOUCHED,
    "parts < 1 %": replace(UNTOUCHED, min_part=0.01),
    "parts < 2 %": replace(UNTOUCHED, min_part=0.02),
    "parts < 5 %": replace(UNTOUCHED, min_part=0.05),
    "largest only": replace(UNTOUCHED, largest_only=True),
    "certain > 0.7": replace(UNTOUCHED, min_certainty=0.7),
    "certain > 0.75": replace(UNTOUCHED, min_certainty=0.75),
    "clicked only": replace(UNTOUCHED, min_certainty=1),
    "holes < 0.1 %": replace(UNTOUCHED, max_hole=0.001),
    "holes < 1 %": replace(UNTOUCHED, max_hole=0.01),
    "holes < 5 %": replace(UNTOUCHED, max_hole=0.05),
    "smoothing 1": replace(UNTOUCHED, smoothing=1),
    "smoothing 2": replace(UNTOUCHED, smoothing=2),
    "default": Cleanup(),
}


@dataclass(frozen=True)
class Item:
    """An image with one object: H×W×3 uint8 RGB, and H×W masks; None if all is known."""

    rgb: npt.NDArray[np.uint8]
    truth: BoolMask
    ignore: BoolMask | None


@dataclass(frozen=True)
class Row:
    """One object after some clicks.

    Attributes:
        clicks: how many.
        iou: of the mask with the object.
        mean: mean probability inside the mask.
        cleaned: by variant, (IoU, bytes of the brush code, components); not after every click.
    """

    clicks: int
    iou: float
    mean: float
    cleaned: dict[str, tuple[float, int, int]]


def training_objects(archive: Path, seed: int = 3) -> Iterator[Item]:
    """A fixed random choice of objects, a few of each set in the shard."""
    chance = random.Random(seed)
    with tarfile.open(archive) as tar:
        members = {member.name: member for member in tar.getmembers()}

        def read(name: str) -> Image.Image:
            file = tar.extractfile(members[name])
            if file is None:
                raise ValueError(f"{archive} holds no file {name}")
            return Image.open(io.BytesIO(file.read()))

        stems = sorted(name[:-4] for name in members if name.endswith(".png"))
        for group in sorted({stem.split("/")[0] for stem in stems}):
            names = [stem for stem in stems if stem.startswith(f"{group}/")]
            chance.shuffle(names)
            taken = 0
            for name in names:
                stored = np.asarray(read(f"{name}.png"))
                labels = stored.astype(np.int64)
                found = [k for k in np.unique(labels) if k not in (0, IGNORE)]
                large = [k for k in found if (labels == k).sum() > MIN_PIXELS]
                if not large or taken == OBJECTS_A_SET:
                    continue
                taken += 1
                rgb = np.asarray(read(f"{name}.jpg").convert("RGB"))
                ignore = labels == IGNORE if stored.dtype == np.uint8 else None
                yield Item(rgb, labels == chance.choice(large), ignore)


def benchmark_objects(folder: Path) -> Iterator[Item]:
    """Every object of a benchmark."""
    dataset = open_dataset(folder)
    for index in range(len(dataset)):
        sample = dataset[index]
        for truth in sample.objects:
            yield Item(sample.rgb, truth, sample.ignore)


def measure(network: Predictor, items: Iterator[Item]) -> list[Row]:
    """Click each object ``CLICKS`` times and look at its masks."""
    rows = []
    variants = {
        name: Predictor(network.runtime, version="", policy=network.policy, cleanup=cleanup)
        for name, cleanup in VARIANTS.items()
    }
    for item in items:
        image = network.encode(item.rgb)
        state = network.start(image)
        clicker = Clicker(item.truth, item.ignore)
        predicted = np.zeros_like(item.truth)
        for count in range(1, CLICKS + 1):
            click = clicker.next_click(predicted)
            if click is None:
                break
            state, probability = network.step(image, state, click)
            predicted = (probability > 0.5).cpu().numpy()
            values = state.probability[0, 0].cpu().numpy()
            cleaned = {}
            for name, variant in variants.items() if count in CLEANED_AFTER else ():
                mask = (variant.probability(image, state) > 0.5).cpu().numpy()
                size = sum(len(str(byte)) + 1 for byte in encode_brush(mask))
                parts = cv2.connectedComponents(mask.astype(np.uint8))[0] - 1
                cleaned[name] = (clicker.iou(mask), size, parts)
            mean = float(values[values > 0.5].mean()) if predicted.any() else 0.0
            rows.append(Row(count, clicker.iou(predicted), mean, cleaned))
    return rows


def fit(rows: list[Row]) -> Calibration:
    """The calibration with the least log loss of the fractional IoU."""
    rows = [row for row in rows if row.mean > 0]
    inputs = np.array([(1.0, logit(row.mean), math.log(row.clicks)) for row in rows])
    ious = np.array([row.iou for row in rows])

    def loss(weights: npt.NDArray[np.float64]) -> float:
        values = inputs @ weights
        return float((np.logaddexp(0, values) - ious * values).mean())

    bias, slope, clicks = minimize(loss, np.array([0.0, 1.0, 0.0])).x
    return Calibration(bias=float(bias), slope=float(slope), clicks=float(clicks))


def calibration_error(rows: list[Row], calibration: Calibration) -> tuple[float, float, float]:
    """Mean absolute error, expected calibration error in ten equal bins, and bias of the score."""
    rows = [row for row in rows if row.mean > 0]
    scores = np.array([calibration.of(row.mean, row.clicks) for row in rows])
    ious = np.array([row.iou for row in rows])
    bins = np.array_split(np.argsort(scores), BINS)
    expected = float(np.mean([abs(scores[part].mean() - ious[part].mean()) for part in bins]))
    return float(np.abs(scores - ious).mean()), expected, float((scores - ious).mean())


def print_cleaning(name: str, rows: list[Row]) -> None:
    """What each variant does to masks."""
    for count in CLEANED_AFTER:
        seen = [row.cleaned for row in rows if row.clicks == count]
        print(f"\n{name}, {len(seen)} objects, click {count}: IoU change, worst, code, parts")
        for variant in VARIANTS:
            change = np.array([c[variant][0] - c["untouched"][0] for c in seen])
            code = np.mean([c[variant][1] / c["untouched"][1] for c in seen])
            parts = np.mean([c[variant][2] for c in seen])
            print(
                f"  {variant:<14} {change.mean():+.4f} {change.min():+.3f} ×{code:.3f} {parts:.2f}"
            )


def main() -> None:
    """Measure and print."""
    archive, *folders = map(Path, sys.argv[1:])
    network = load_predictor(cleanup=UNTOUCHED)
    shipped = find(DEFAULT_MODEL).entry.calibration
    print(f"{network.version}, {network.runtime.name}")
    sets = {"training": measure(network, training_objects(archive))}
    sets |= {folder.name: measure(network, benchmark_objects(folder)) for folder in folders}
    for name, rows in sets.items():
        print_cleaning(name, rows)
    print(f"\nfitted on training: {fit(sets['training'])}\nshipped:            {shipped}")
    print("score against IoU: mean absolute error, calibration error, bias")
    for name, rows in sets.items():
        for title, calibration in (("mean probability", Calibration()), ("shipped", shipped)):
            figures = " ".join(f"{x:+.3f}" for x in calibration_error(rows, calibration))
            print(f"  {name:<10} {title:<17} {figures}")


if __name__ == "__main__":
    main()
