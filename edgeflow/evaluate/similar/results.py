"""An evaluation of suggestions as a JSON file: the figures, their circumstances, every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeflow.errors import EdgeFlowError
from edgeflow.evaluate.results_file import check_format, write_results
from edgeflow.evaluate.similar.cost import Clicked
from edgeflow.evaluate.similar.summary import ACTION_SECONDS, by_set, summarise
from edgeflow.evaluate.similar.trials import Conditions, Trial

FORMAT = "similar-1"

DIGITS = 4
"""Decimals of IoUs and seconds of trials."""


class SimilarResultsError(EdgeFlowError):
    """A file that is not the result of an evaluation of suggestions."""

    code = "similar_results"


@dataclass(frozen=True)
class SimilarEvaluation:
    """One model on one dataset.

    Attributes:
        dataset: Name of the dataset.
        model: Version of the weights: name and digest.
        zoom: Name of the zoom policy.
        machine: Description from :func:`edgeflow.evaluate.machine.describe_machine`.
        conditions: What held for all trials.
        trials: At least one.
    """

    dataset: str
    model: str
    zoom: str
    machine: Mapping[str, Any]
    conditions: Conditions
    trials: Sequence[Trial]


def to_json(evaluation: SimilarEvaluation) -> dict[str, Any]:
    """The content of the file; IoUs and shares are 0 to 1, an estimate has mean, low and high."""
    trials = evaluation.trials
    return {
        "format": FORMAT,
        "dataset": evaluation.dataset,
        "model": evaluation.model,
        "zoom": evaluation.zoom,
        "machine": dict(evaluation.machine),
        "conditions": asdict(evaluation.conditions),
        "action_seconds": ACTION_SECONDS,
        "all": asdict(summarise(trials)),
        "sets": {name: asdict(group) for name, group in by_set(trials).items()},
        "trials": [_trial(trial) for trial in trials],
    }


def write_json(evaluation: SimilarEvaluation, path: Path) -> None:
    """Write the file.

    Raises:
        FileWriteError: The file cannot be written.
    """
    write_results(path, to_json(evaluation))


def check_results(path: Path) -> None:
    """Make sure that a file is the result of such an evaluation.

    Raises:
        SimilarResultsError: It is something else, or cannot be read.
    """
    check_format(path, FORMAT, "suggestions", "edgeflow evaluate-similar", SimilarResultsError)


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "sample": trial.sample,
        "label": trial.label,
        "example": trial.example,
        "example_iou": round(trial.example_iou, DIGITS),
        "example_clicks": trial.example_clicked and trial.example_clicked.clicks,
        "others": trial.others,
        "suggestion_ious": _rounded(trial.matching.suggestions),
        "object_ious": _rounded(trial.matching.objects),
        "object_clicks": _clicks(trial.others_clicked),
        "correcting_clicks": _clicks(trial.others_corrected),
        "steps": trial.steps,
        "seconds": round(trial.seconds, DIGITS),
        "complete": trial.complete,
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, DIGITS) for value in values]


def _clicks(objects: Sequence[Clicked]) -> list[int]:
    return [each.clicks for each in objects]
