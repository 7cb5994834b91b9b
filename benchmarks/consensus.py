"""How near majority vote and STAPLE come to an object that several simulated annotators drew.

Usage: ``python -m benchmarks.consensus BENCHMARK_FOLDER … [--no-clicks] [--margins]``; the folders
hold ``images/`` and ``masks/``. Annotators with an unsteady hand draw the true outline, moved by
smooth noise; generous ones draw around it, careless ones with four times the noise, and with a
piece missing or too much. Annotators who click do so with EdgeFlow-Lite, at random points of the
deeper half of the larger error. All is drawn with fixed seeds.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.masks import Item, benchmark_objects
from edgeflow.agreement import consensus as consensus_module
from edgeflow.agreement.consensus import consensus
from edgeflow.agreement.overlap import boundary_iou
from edgeflow.annotated import AnnotatedObject
from edgeflow.arrays import BoolMask
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click

HAND = 0.02
"""Standard deviation of an unsteady hand, over the side of a square with the object's pixels."""

GENEROUS = 0.03
"""How far a generous annotator draws around the object, over the same side."""

CLICKS = 3

Annotator = Callable[[BoolMask, np.random.Generator], BoolMask]


def side_of(truth: BoolMask) -> float:
    """The side of a square with as many pixels."""
    return float(np.sqrt(np.count_nonzero(truth)))


def moved(truth: BoolMask, chance: np.random.Generator, share: float) -> BoolMask:
    """The mask with its outline moved by smooth noise of this standard deviation."""
    side = side_of(truth)
    height, width = truth.shape
    field = []
    for _ in range(2):
        noise = chance.standard_normal((height, width)).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), max(side / 12, 1.5))
        field.append(smooth / smooth.std() * share * side)
    cols, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    warped = cv2.remap(
        truth.astype(np.float32), cols + field[0], rows + field[1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return warped > 0.5


def unsteady(truth: BoolMask, chance: np.random.Generator) -> BoolMask:
    """Around the true outline, a little in, a little out."""
    return moved(truth, chance, HAND)


def generous(truth: BoolMask, chance: np.random.Generator) -> BoolMask:
    """Some background all around."""
    reach = max(1, round(GENEROUS * side_of(truth)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return cv2.dilate(unsteady(truth, chance).view(np.uint8), kernel).view(np.bool_)


def careless(truth: BoolMask, chance: np.random.Generator) -> BoolMask:
    """Four times as far off, and a round piece missing or too much at the outline."""
    mask = moved(truth, chance, 4 * HAND)
    contours, _ = cv2.findContours(truth.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate(contours)[:, 0]
    at = tuple(points[chance.integers(len(points))].tolist())
    blob = cv2.circle(np.zeros(truth.shape, np.uint8), at, round(side_of(truth) / 4), 1, -1) > 0
    return mask & ~blob if chance.random() < 0.5 else mask | blob


SCENES: dict[str, tuple[Annotator, ...]] = {
    "two with an unsteady hand": (unsteady,) * 2,
    "three with an unsteady hand": (unsteady,) * 3,
    "five with an unsteady hand": (unsteady,) * 5,
    "two unsteady, one careless": (unsteady, unsteady, careless),
    "one unsteady, two careless": (unsteady, careless, careless),
    "one unsteady, two generous": (unsteady, generous, generous),
    "two unsteady, three careless": (unsteady, unsteady, careless, careless, careless),
}


def clicked(network: Predictor, item: Item, chance: np.random.Generator) -> BoolMask:
    """The mask after some clicks of an annotator."""
    image = network.encode(item.rgb)
    mask, clicks = np.zeros_like(item.truth), []
    for _ in range(CLICKS):
        errors = [item.truth & ~mask, ~item.truth & mask]
        depths = [
            cv2.distanceTransform(np.pad(each.view(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
            for each in errors
        ]
        positive = depths[0].max() > depths[1].max()
        depth = depths[0 if positive else 1]
        rows, cols = np.nonzero((depth >= depth.max() / 2) & (depth > 0))
        if not len(rows):
            break
        at = chance.integers(len(rows))
        clicks.append(Click(ImagePoint(float(cols[at]), float(rows[at])), bool(positive)))
        mask = network.predict(image, clicks).patch.whole()
    return mask


def by_clicks(network: Predictor) -> Callable[[Item, np.random.Generator], list[BoolMask]]:
    """Three annotators with this network."""
    return lambda item, chance: [clicked(network, item, chance) for _ in range(3)]


def by_hand(scene: tuple[Annotator, ...]) -> Callable[[Item, np.random.Generator], list[BoolMask]]:
    """Annotators of a scene."""
    return lambda item, chance: [annotator(item.truth, chance) for annotator in scene]


def figures(truth: BoolMask, masks: list[BoolMask]) -> list[tuple[float, float]] | None:
    """IoU and boundary IoU of a single annotator's mask (mean), the vote's and STAPLE's."""
    exact = MaskPatch.of(truth)
    patches = [MaskPatch.of(mask) for mask in masks]
    alone = [(exact.iou(each), boundary_iou(exact, each)) for each in patches]
    rows = [(float(np.mean([a for a, _ in alone])), float(np.mean([b for _, b in alone])))]
    annotations = [[AnnotatedObject("1", (), each)] for each in patches]
    for method in ("vote", "staple"):
        agreed = consensus(annotations, method).objects
        if not agreed:
            return None
        shape = agreed[0].shape
        if not isinstance(shape, MaskPatch):
            raise TypeError(type(shape).__name__)
        rows.append((exact.iou(shape), boundary_iou(exact, shape)))
    return rows


def report(
    name: str, items: list[Item], annotate: Callable[[Item, np.random.Generator], list[BoolMask]]
) -> None:
    """Print a scene's row."""
    rows, lost = [], 0
    for number, item in enumerate(items):
        chance = np.random.default_rng([number, zlib.crc32(name.encode())])
        found = figures(item.truth, annotate(item, chance))
        lost += found is None
        rows += [found] if found is not None else []
    alone, vote, staple = np.mean(rows, axis=0)
    better = np.array([row[2][0] - row[1][0] for row in rows])
    error = better.std() / np.sqrt(len(better))
    print(
        f"| {name} | {alone[0]:.3f} / {alone[1]:.3f} | {vote[0]:.3f} / {vote[1]:.3f} | "
        f"{staple[0]:.3f} / {staple[1]:.3f} | {better.mean():+.4f} ± {1.96 * error:.4f} | {lost} |",
        flush=True,
    )


def objects(folders: list[Path]) -> Iterator[Item]:
    """All objects of some benchmarks."""
    for folder in folders:
        yield from benchmark_objects(folder)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--no-clicks", action="store_true")
    parser.add_argument("--margins", action="store_true", help="STAPLE by what is left around")
    arguments = parser.parse_args()
    items = list(objects(arguments.folders))
    margins = (0.0, 0.1, 0.25, 0.5, 1.0) if arguments.margins else (consensus_module.MARGIN,)
    for margin in margins:
        consensus_module.MARGIN = margin
        print(f"{len(items)} objects, margin {margin}; IoU / boundary IoU")
        print("| annotators | one of them | vote | STAPLE | STAPLE - vote, IoU | no consensus |")
        print("|---|---|---|---|---|---|")
        for name, scene in SCENES.items():
            report(name, items, by_hand(scene))
    if not arguments.no_clicks:
        report(f"three with {CLICKS} clicks each", items, by_clicks(load_predictor()))


if __name__ == "__main__":
    main()
