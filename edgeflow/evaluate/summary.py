"""The figures of an evaluation: NoC, failures, IoU after so many clicks, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeflow.evaluate.traces import Rules, Trace

TARGETS = (0.80, 0.85, 0.90, 0.95)
COUNTS = (1, 2, 3, 5, 10)
RESAMPLES = 2_000
CHUNKS = 100
"""Parts that the resamples are drawn in, so that thousands of objects fit in memory."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over objects with its 95 % bootstrap interval (percentiles, objects resampled)."""

    mean: float
    low: float
    high: float


Mean = Estimate | None
"""None where there is nothing to average."""


@dataclass(frozen=True)
class Summary:
    """Figures of one model on one dataset.

    Attributes:
        objects: Number of objects that were clicked.
        clicks: Number of clicks in all.
        noc: Target IoU in percent → mean number of clicks; an object that never reached it counts
            as the most clicks allowed.
        failures: Target IoU in percent → objects that never reached it.
        iou_at: Number of clicks → mean IoU; an object that was done earlier counts as it ended.
        boundary_iou_at: Number of clicks → mean boundary IoU, counted in the same way.
        seconds_per_click: Mean time from click to mask.
        start_iou: Mean IoU of the start masks; None if clicks began from nothing.
    """

    objects: int
    clicks: int
    noc: dict[int, Estimate]
    failures: dict[int, int]
    iou_at: dict[int, Estimate]
    boundary_iou_at: dict[int, Estimate]
    seconds_per_click: float
    start_iou: Estimate | None = None


def summarise(traces: Sequence[Trace], rules: Rules) -> Summary:
    """Compute the figures of traces. Intervals are the same at every call.

    Args:
        traces: Traces, one for each object; at least one.
        rules: Rules that they were made by; targets above ``stop_at`` are left out.

    Raises:
        ValueError: There are no traces.
    """
    if not traces:
        raise ValueError("no object was clicked")
    targets = targets_of(rules)
    noc = [[t.clicks_to(target, rules.max_clicks) for t in traces] for target in targets.values()]
    iou = [[trace.iou_at(count) for trace in traces] for count in COUNTS]
    boundary = [[trace.boundary_iou_at(count) for trace in traces] for count in COUNTS]
    starts = [trace.start_iou for trace in traces if trace.start_iou is not None]
    found = iter(estimates(np.array([*noc, *iou, *boundary], dtype=np.float64)))
    seconds = [second for trace in traces for second in trace.seconds]
    return Summary(
        objects=len(traces),
        clicks=len(seconds),
        noc={percent: next(found) for percent in targets},
        failures={
            percent: sum(max(trace.ious) < target for trace in traces)
            for percent, target in targets.items()
        },
        iou_at={count: next(found) for count in COUNTS},
        boundary_iou_at={count: next(found) for count in COUNTS},
        seconds_per_click=float(np.mean(seconds)),
        start_iou=estimates(np.array([starts]))[0] if starts else None,
    )


def targets_of(rules: Rules) -> dict[int, float]:
    """Target IoUs by percent, those that traces made by these rules can tell of."""
    return {round(target * 100): target for target in TARGETS if target <= rules.stop_at}


def estimates(figures: npt.NDArray[np.float64]) -> list[Estimate]:
    """Mean and interval of each row of a figures×objects array."""
    low, high = np.percentile(resampled_means(figures), (2.5, 97.5), axis=1)
    return [Estimate(*map(float, row)) for row in zip(figures.mean(axis=1), low, high, strict=True)]


def resampled_means(figures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Means of a figures×objects array over objects drawn anew: figures×:data:`RESAMPLES`.

    The same at every call.
    """
    count = figures.shape[1]
    rng = np.random.default_rng(0)
    return np.concatenate(
        [
            figures[:, rng.integers(count, size=(RESAMPLES // CHUNKS, count))].mean(axis=2)
            for _ in range(CHUNKS)
        ],
        axis=1,
    )
