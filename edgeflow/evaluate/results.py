"""An evaluation as a JSON file: the figures, their circumstances, and every object's clicks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from edgeflow.errors import EdgeFlowError
from edgeflow.evaluate.jitter.summary import Jitter
from edgeflow.evaluate.summary import Estimate, Summary
from edgeflow.evaluate.traces import Rules, Trace
from edgeflow.files import write_atomically

FORMAT = 1

JITTER_KIND = "drawn from the largest error, in proportion to depth"


class ResultsError(EdgeFlowError):
    """A file that is not the result of an evaluation."""

    code = "results"


@dataclass(frozen=True)
class Evaluation:
    """One model on one dataset.

    Attributes:
        dataset: Name of the dataset.
        model: Version of the weights: name and digest.
        zoom: Name of the zoom policy.
        machine: Description from :func:`edgeflow.evaluate.machine.describe_machine`;
            names runtime and precision.
        rules: Numbers of the protocol.
        summary: Figures.
        traces: Traces, one for each object.
        as_served: Whether masks are cleaned up, as annotators get them.
        start_masks: What clicks began from; None for nothing.
        jitter: Figures with jittered clicks; None if none were made.
    """

    dataset: str
    model: str
    zoom: str
    machine: Mapping[str, Any]
    rules: Rules
    summary: Summary
    traces: Sequence[Trace]
    as_served: bool = False
    start_masks: str | None = None
    jitter: Jitter | None = None


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """The content of the file; keys are strings, IoUs 0 to 1, coordinates image pixels (x, y)."""
    summary = evaluation.summary
    return {
        "format": FORMAT,
        "dataset": evaluation.dataset,
        "model": evaluation.model,
        "zoom": evaluation.zoom,
        "as_served": evaluation.as_served,
        "machine": dict(evaluation.machine),
        "protocol": asdict(evaluation.rules),
        "objects": summary.objects,
        "clicks": summary.clicks,
        "noc": _means(summary.noc),
        "noc_interval": _intervals(summary.noc),
        "failures": {str(key): count for key, count in summary.failures.items()},
        "iou_at": _means(summary.iou_at),
        "iou_at_interval": _intervals(summary.iou_at),
        "boundary_iou_at": _means(summary.boundary_iou_at),
        "boundary_iou_at_interval": _intervals(summary.boundary_iou_at),
        "seconds_per_click": summary.seconds_per_click,
        "start_masks": _start_masks(evaluation),
        "jitter": None if evaluation.jitter is None else _jitter(evaluation.jitter),
        "per_object": [_object(trace) for trace in evaluation.traces],
    }


def write_json(evaluation: Evaluation, path: Path) -> None:
    """Write the file.

    Raises:
        FileWriteError: The file cannot be written.
    """
    write_atomically(path, orjson.dumps(to_json(evaluation), option=orjson.OPT_INDENT_2))


@dataclass(frozen=True)
class Curve:
    """Mean IoU after 1, 2, … clicks, under a label."""

    label: str
    ious: tuple[float, ...]


def curve_of(evaluation: Evaluation) -> Curve:
    """The curve of an evaluation."""
    return _curve(
        evaluation.model, [trace.ious for trace in evaluation.traces], evaluation.rules.max_clicks
    )


def read_curve(path: Path) -> Curve:
    """The curve of an earlier evaluation, from its JSON file.

    Raises:
        ResultsError: The file cannot be read, or is something else.
    """
    try:
        data = orjson.loads(path.read_bytes())
        ious = [[float(iou) for iou in entry["ious"]] for entry in data["per_object"]]
        return _curve(f"{data['model']} ({path.stem})", ious, int(data["protocol"]["max_clicks"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ResultsError(
            f"{path} is not the result of an evaluation ({type(error).__name__}: {error})",
            hint="give a file that `edgeflow evaluate --json` wrote",
        ) from error


def _curve(label: str, ious: Sequence[Sequence[float]], length: int) -> Curve:
    after = [[each[min(n, len(each) - 1)] for each in ious] for n in range(length)]
    return Curve(label, tuple(float(np.mean(row)) for row in after))


def _means(estimates: Mapping[int, Estimate]) -> dict[str, float]:
    return {str(key): estimate.mean for key, estimate in estimates.items()}


def _intervals(estimates: Mapping[int, Estimate]) -> dict[str, list[float]]:
    return {str(key): [estimate.low, estimate.high] for key, estimate in estimates.items()}


def _start_masks(evaluation: Evaluation) -> dict[str, Any] | None:
    iou = evaluation.summary.start_iou
    if iou is None:
        return None
    return {"kind": evaluation.start_masks, "iou": iou.mean, "iou_interval": [iou.low, iou.high]}


def _jitter(jitter: Jitter) -> dict[str, Any]:
    return {
        "kind": JITTER_KIND,
        "runs": jitter.runs,
        "noc": _means(jitter.noc),
        "noc_interval": _intervals(jitter.noc),
        "noc_added": _means(jitter.added),
        "noc_added_interval": _intervals(jitter.added),
        "noc_spread": {str(key): spread for key, spread in jitter.spread.items()},
        "iou_at": _means(jitter.iou_at),
        "iou_at_interval": _intervals(jitter.iou_at),
        "per_object": [{"ious": ious} for ious in jitter.ious],
    }


def _object(trace: Trace) -> dict[str, Any]:
    return {
        "sample": trace.sample,
        "number": trace.number,
        "clicks": [[click.point.x, click.point.y, click.positive] for click in trace.clicks],
        "ious": trace.ious,
        "boundary_ious": trace.boundary_ious,
        "start_iou": trace.start_iou,
    }
