"""Would a second click on the same spot pay, if it took the next of three proposals?

A first click on a collar may mean collar, jacket or person. Here the parts are known: garments on
people, parts of cars, and cut-outs pasted on objects. One click in the middle of the innermost part
means each level in turn. The benchmark says how often the wanted level is among the proposals, for
several ways of making them, and how many clicks a mask takes in all if a repeated click counts.

Usage: ``python -m benchmarks.nests DATA [--nests 40] [--runtime openvino]``. ``DATA/train`` needs
the sets ``ccp_clothing``, ``ecssd`` and ``human290``, ``DATA/adapt`` the set ``dsmlr_carparts``.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.nested_images import Nest, composed, labelled
from benchmarks.proposals import FIRST, WAYS, Look, propose
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.clicker import Clicker
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.cleanup import UNTOUCHED
from edgeflow.prompts.click import Click
from edgeflow.prompts.implied import deepest_point

CLICKED_ON = ("zoom 1, 2, 4", "distinct scales", "zoom 1, 3, ½, settled")
MAX_CLICKS = 8
TARGETS = (0.85, 0.9)
FOUND = (0.8, 0.7)
ANOTHER_LEVEL = 0.5
"""Below this IoU the annotator sees at once that the answer is not what was meant."""

Trace = list[float | None]


@dataclass(frozen=True)
class Case:
    """A wanted level.

    Attributes:
        level: 0 for the innermost.
        best: By way, IoU of its best proposal.
        corrected: IoU of the first answer and after each corrective click, no click repeated.
        clicked: By way and annotator, the same on their way; None for each click that is repeated.
    """

    level: int
    best: dict[str, float]
    corrected: Trace
    clicked: dict[tuple[str, str], Trace]


def measure(predictor: Predictor, nest: Nest) -> Iterator[Case]:
    """Every level that one click in the innermost may mean."""
    image = predictor.encode(nest.rgb)
    looks = propose(predictor, image, Click(deepest_point(nest.levels[0])))
    ways = {name: way(looks) for name, way in WAYS.items()}
    for level, truth in enumerate(nest.levels):
        clicker = Clicker(truth, nest.ignore)
        ious = {name: clicker.iou(look.mask) for name, look in looks.items()}
        paths = {
            (way, annotator): path(ways[way], ious)
            for way in CLICKED_ON
            for annotator, path in ANNOTATORS.items()
        }
        traces = {
            name: correct(predictor, image, Clicker(truth, nest.ignore), looks[name])
            for name in {FIRST, *(name for name, _ in paths.values())}
        }
        best = {way: max(ious[name] for name in names) for way, names in ways.items()}
        clicked = {key: [*[None] * more, *traces[name]] for key, (name, more) in paths.items()}
        yield Case(level, best, traces[FIRST], clicked)


def try_each(names: Sequence[str], ious: Mapping[str, float]) -> tuple[str, int]:
    """Repeat the click while the answer is of another level; the look gone on from, and clicks.

    If none is right, the annotator goes back to the best one, which costs a click more.
    """
    right = [n for n, name in enumerate(names) if ious[name] >= ANOTHER_LEVEL]
    seen = names[: right[0] + 1] if right else names
    best = max(seen, key=lambda name: ious[name])
    return best, len(seen) - 1 + (best != seen[-1])


def foresee(names: Sequence[str], ious: Mapping[str, float]) -> tuple[str, int]:
    """The best proposal and the repeated clicks that reach it, as if known in advance.

    Where trying, or correcting the first answer, takes fewer clicks, the report counts those.
    """
    best = max(names, key=lambda name: ious[name])
    return best, names.index(best)


ANNOTATORS = {"tries": try_each, "foresees": foresee}


def correct(predictor: Predictor, image: EncodedImage, clicker: Clicker, look: Look) -> Trace:
    """IoU of a look and after each corrective click."""
    state, mask = look.state, look.mask
    iou = clicker.iou(mask)
    ious: Trace = [iou]
    while len(ious) < MAX_CLICKS and iou < max(TARGETS):
        click = clicker.next_click(mask)
        if click is None:
            break
        state, probability = predictor.step(image, state, click)
        mask = probability.numpy() > 0.5
        iou = clicker.iou(mask)
        ious.append(iou)
    return ious


def clicks_to(trace: Trace, target: float) -> int:
    """Clicks until an IoU was reached, repeated ones counted; MAX_CLICKS if it never was."""
    reached = (n for n, iou in enumerate(trace, start=1) if iou is not None and iou >= target)
    return min(next(reached, MAX_CLICKS), MAX_CLICKS)


def report(title: str, cases: list[Case]) -> None:
    """Print how often the wanted level is proposed, and the clicks."""
    print(f"\n{title}, {len(cases)} wanted levels. Share with IoU ≥ .8, ≥ .7; ≥ .8 by level:")
    for way in WAYS:
        print_share(way, cases, [case.best[way] for case in cases])
    for count in (1, 2):
        traces = [case.corrected[: count + 1] for case in cases]
        best = [max(iou for iou in trace if iou is not None) for trace in traces]
        print_share(f"corrective clicks: {count}", cases, best)
    for target in TARGETS:
        before = np.array([clicks_to(case.corrected, target) for case in cases])
        print(f"  clicks to {target}: {before.mean():.2f}. Difference (standard error):")
        for way in CLICKED_ON:
            tries, knows = (
                np.array([clicks_to(case.clicked[way, who], target) for case in cases]) - before
                for who in ANNOTATORS
            )
            for who, change in (
                ("tries", tries),
                ("foresees", np.minimum(tries, knows).clip(max=0)),
            ):
                error = change.std(ddof=1) / math.sqrt(len(change))
                print(f"    {way:<21} {who:<9} {change.mean():+.2f} ({error:.2f})")


def print_share(name: str, cases: list[Case], best: list[float]) -> None:
    """Print how many of the cases have an IoU that is good enough, in all and by level."""
    ious = np.array(best)
    levels = np.array([case.level for case in cases])
    shares = " ".join(f"{(ious >= least).mean():.2f}" for least in FOUND)
    each = " ".join(f"{(ious[levels == n] >= FOUND[0]).mean():.2f}" for n in np.unique(levels))
    print(f"  {name:<24} {shares}   {each}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--nests", type=int, default=40, help="of each kind")
    parser.add_argument("--runtime", default="openvino")
    options = parser.parse_args()
    predictor = load_predictor(
        options.model,
        device="cpu",
        runtime=options.runtime,
        cleanup=replace(UNTOUCHED, min_certainty=1),  # pieces that no click is on are not meant
    )
    print(f"{predictor.version}, {predictor.runtime.name}")
    train, adapt = (open_dataset(options.data / name) for name in ("train", "adapt"))
    kinds = {
        "clothing": labelled(train, "ccp_clothing", largest=0.5),
        "car parts": labelled(adapt, "dsmlr_carparts", largest=0.4),
        "composed": composed(train),
    }
    everything: list[Case] = []
    for kind, nests in kinds.items():
        chosen = itertools.islice(nests, options.nests)
        cases = [case for nest in chosen for case in measure(predictor, nest)]
        report(kind, cases)
        everything += cases
    report("all", everything)


if __name__ == "__main__":
    main()
