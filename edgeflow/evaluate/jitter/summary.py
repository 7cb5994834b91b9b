"""Figures of objects that were clicked several times, each time elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeflow.evaluate.summary import COUNTS, Estimate, estimates, targets_of
from edgeflow.evaluate.traces import Rules, Trace


@dataclass(frozen=True)
class Jitter:
    """Figures of one model on one dataset, with jittered clicks.

    Attributes:
        runs: How often each object was clicked.
        noc: Target IoU in percent → mean number of clicks, of all runs of all objects.
        added: Target IoU in percent → by how many clicks that is more than with the deepest points.
        spread: Target IoU in percent → standard deviation of the clicks of one object from run to
            run, averaged over objects.
        iou_at: Number of clicks → mean IoU.
        ious: IoU after each click, by object and run: models are compared object by object.
    """

    runs: int
    noc: dict[int, Estimate]
    added: dict[int, Estimate]
    spread: dict[int, float]
    iou_at: dict[int, Estimate]
    ious: tuple[tuple[tuple[float, ...], ...], ...]


def summarise_jitter(
    standard: Sequence[Trace], runs: Sequence[Sequence[Trace]], rules: Rules
) -> Jitter:
    """Compute the figures; intervals are over objects, each the mean of its runs.

    Args:
        standard: Traces with clicks on the deepest points, one for each object; at least one.
        runs: Traces with jittered clicks, of the same objects in the same order; at least two runs.
        rules: Rules that all were made by.
    """
    targets = targets_of(rules)
    clicks = {
        percent: np.array(
            [[trace.clicks_to(target, rules.max_clicks) for trace in run] for run in runs]
        )
        for percent, target in targets.items()
    }
    before = {
        percent: np.array([trace.clicks_to(target, rules.max_clicks) for trace in standard])
        for percent, target in targets.items()
    }
    noc = [each.mean(axis=0) for each in clicks.values()]
    added = [clicks[percent].mean(axis=0) - before[percent] for percent in targets]
    ious = [np.mean([[t.iou_at(count) for t in run] for run in runs], axis=0) for count in COUNTS]
    found = iter(estimates(np.array([*noc, *added, *ious], dtype=np.float64)))
    return Jitter(
        runs=len(runs),
        noc={percent: next(found) for percent in targets},
        added={percent: next(found) for percent in targets},
        spread={
            percent: float(each.std(axis=0, ddof=1).mean()) for percent, each in clicks.items()
        },
        iou_at={count: next(found) for count in COUNTS},
        ious=tuple(zip(*([trace.ious for trace in run] for run in runs), strict=True)),
    )
