"""An evaluation of sequences as a JSON file: the figures, their circumstances, every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeflow.errors import EdgeFlowError
from edgeflow.evaluate.results_file import check_format, write_results
from edgeflow.evaluate.sequences.summary import Figures, by_set, summarise
from edgeflow.evaluate.sequences.trials import Conditions, SequenceTrial

FORMAT = "sequences-1"

DIGITS = 4
"""Decimals of IoUs, scores and seconds of pages."""


class SequenceResultsError(EdgeFlowError):
    """A file that is not the result of an evaluation of sequences."""

    code = "sequence_results"


@dataclass(frozen=True)
class SequenceEvaluation:
    """One model on some sequences.

    Attributes:
        name: Of the folder, or ``generated``.
        model: Version of the weights: name and digest.
        zoom: Name of the zoom policy.
        machine: Description from :func:`edgeflow.evaluate.machine.describe_machine`.
        conditions: What held for all trials.
        trials: At least one.
    """

    name: str
    model: str
    zoom: str
    machine: Mapping[str, Any]
    conditions: Conditions
    trials: Sequence[SequenceTrial]

    def figures(self) -> dict[str, Figures]:
        """The figures of each set by its name, and of all together if there are several."""
        sets = by_set(self.trials)
        groups = {name or self.name: trials for name, trials in sets.items()}
        if len(sets) > 1:
            groups["all"] = list(self.trials)
        conditions = self.conditions
        return {
            name: summarise(trials, least_score=conditions.least_score, target=conditions.target)
            for name, trials in groups.items()
        }


def to_json(evaluation: SequenceEvaluation) -> dict[str, Any]:
    """The content of the file; IoUs, scores and shares are 0 to 1."""
    return {
        "format": FORMAT,
        "name": evaluation.name,
        "model": evaluation.model,
        "zoom": evaluation.zoom,
        "machine": dict(evaluation.machine),
        "conditions": asdict(evaluation.conditions),
        "sets": {name: _figures(each) for name, each in evaluation.figures().items()},
        "trials": [_trial(trial) for trial in evaluation.trials],
    }


def write_json(evaluation: SequenceEvaluation, path: Path) -> None:
    """Write the file.

    Raises:
        FileWriteError: The file cannot be written.
    """
    write_results(path, to_json(evaluation))


def check_results(path: Path) -> None:
    """Make sure that a file is the result of such an evaluation.

    Raises:
        SequenceResultsError: It is something else, or cannot be read.
    """
    check_format(path, FORMAT, "sequences", "edgeflow evaluate-sequences", SequenceResultsError)


def _figures(figures: Figures) -> dict[str, Any]:
    iou = {
        distance: {"sequences": count, "iou": mean and asdict(mean)}
        for distance, (count, mean) in figures.iou.items()
    }
    return {**asdict(figures), "iou": iou}


def _trial(trial: SequenceTrial) -> dict[str, Any]:
    return {
        "sequence": trial.sequence,
        "first_iou": round(trial.first_iou, DIGITS),
        "first_clicks": trial.first_clicks,
        "ious": [round(page.iou, DIGITS) for page in trial.pages],
        "scores": [round(page.score, DIGITS) for page in trial.pages],
        "seconds": [round(page.seconds, DIGITS) for page in trial.pages],
        "stack": trial.stack and asdict(trial.stack),
    }
