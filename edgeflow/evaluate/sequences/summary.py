"""The figures of trials: IoU by distance, what is answered, time, and an annotator's clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeflow.data.base import set_of
from edgeflow.evaluate.sequences.trials import SequenceTrial
from edgeflow.evaluate.summary import Mean, estimates

DISTANCES = (1, 3, 5, 10, 15)
"""Pages behind the first."""


@dataclass(frozen=True)
class Answered:
    """What is answered before the score falls below the least one.

    Attributes:
        share: Of the pages behind the first.
        iou: Of the answered pages, mean over all of them.
        good: Share of the answered pages whose IoU reaches the target.
        error: Mean distance of score and IoU on all pages that were looked at.
    """

    share: float
    iou: float | None
    good: float | None
    error: float | None


@dataclass(frozen=True)
class Clicks:
    """Clicks for whole stacks.

    Attributes:
        pages: In all stacks.
        clicked: Clicks of a stack, each page by itself.
        carried: Clicks of a stack, carried and corrected.
        share: The latter over the former, of all stacks together.
        corrected: Corrected pages of a stack.
        unreached: Pages of all stacks that never reached the target.
    """

    pages: int
    clicked: Mean
    carried: Mean
    share: float
    corrected: Mean
    unreached: int


@dataclass(frozen=True)
class Figures:
    """Figures of a set of sequences.

    Attributes:
        sequences: Their number.
        pages: Pages behind the first ones.
        iou: By distance, with the number of sequences that are so long, the mean IoU.
        answered: What is answered.
        milliseconds: Median time of a page.
        clicks: None if whole stacks were not annotated.
    """

    sequences: int
    pages: int
    iou: dict[int, tuple[int, Mean]]
    answered: Answered
    milliseconds: float
    clicks: Clicks | None


def by_set(trials: Sequence[SequenceTrial]) -> dict[str, list[SequenceTrial]]:
    """Trials by the set that their sequences are of; an empty name for none."""
    sets: dict[str, list[SequenceTrial]] = {}
    for trial in trials:
        sets.setdefault(set_of(trial.sequence), []).append(trial)
    return dict(sorted(sets.items()))


def summarise(trials: Sequence[SequenceTrial], *, least_score: float, target: float) -> Figures:
    """Compute the figures of trials. Intervals are the same at every call.

    Args:
        trials: At least one.
        least_score: Score at which carrying ends.
        target: IoU from which on a mask is good.
    """
    pages = [page for trial in trials for page in trial.pages]
    times = [page.seconds for page in pages if page.seconds]
    iou = {}
    for distance in DISTANCES:
        reached = [value for trial in trials if (value := trial.mean_iou(distance)) is not None]
        iou[distance] = len(reached), _mean(reached)
    return Figures(
        sequences=len(trials),
        pages=len(pages),
        iou=iou,
        answered=_answered(trials, least_score, target),
        milliseconds=1000 * float(np.median(times)) if times else 0.0,
        clicks=_clicks(trials),
    )


def _answered(trials: Sequence[SequenceTrial], least_score: float, target: float) -> Answered:
    pages = [page for trial in trials for page in trial.pages]
    seen = [page for page in pages if page.seconds]
    ious = [page.iou for trial in trials for page in trial.pages[: trial.answered(least_score)]]
    return Answered(
        share=len(ious) / len(pages) if pages else 0.0,
        iou=float(np.mean(ious)) if ious else None,
        good=float(np.mean([iou >= target for iou in ious])) if ious else None,
        error=float(np.mean([abs(page.score - page.iou) for page in seen])) if seen else None,
    )


def _clicks(trials: Sequence[SequenceTrial]) -> Clicks | None:
    stacks = [trial.stack for trial in trials if trial.stack is not None]
    if not stacks:
        return None

    clicked = sum(stack.clicked for stack in stacks)
    return Clicks(
        pages=sum(stack.pages for stack in stacks),
        clicked=_mean([stack.clicked for stack in stacks]),
        carried=_mean([stack.carried for stack in stacks]),
        share=sum(stack.carried for stack in stacks) / clicked if clicked else 1.0,
        corrected=_mean([stack.corrected for stack in stacks]),
        unreached=sum(stack.unreached for stack in stacks),
    )


def _mean(values: Sequence[float]) -> Mean:
    return estimates(np.array([values], dtype=np.float64))[0] if values else None
