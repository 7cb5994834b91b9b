"""The figures of trials, each with its interval over images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeflow.data.base import set_of
from edgeflow.evaluate.similar.matching import Counts
from edgeflow.evaluate.similar.trials import Trial
from edgeflow.evaluate.summary import Estimate, Mean, estimates, resampled_means

FOUND_FROM = {50: 0.5, 75: 0.75}
"""IoUs, by percent, from which on a suggestion is right."""

ACTION_SECONDS = 1.0
"""Time that an action of an annotator takes; an assumption, for the time that is saved."""


@dataclass(frozen=True)
class Accuracy:
    """What is found, from an IoU on.

    Attributes:
        precision: Share of the suggestions that are right; trials without any are left out.
        recall: Share of the other objects that are found.
        f1: Harmonic mean of the two, of each trial.
        all_precision: Share of all suggestions of all trials that are right.
        all_recall: Share of all objects of all trials that are found.
    """

    precision: Mean
    recall: Mean
    f1: Mean
    all_precision: Mean
    all_recall: Mean


@dataclass(frozen=True)
class Saving:
    """An annotator's cost.

    Attributes:
        actions: Actions with suggestions.
        share: The same over the actions of clicking each object.
        time: The same of time, each action taking :data:`ACTION_SECONDS`, and waiting.
    """

    actions: Mean
    share: Mean
    time: Mean


@dataclass(frozen=True)
class Savings:
    """Costs against clicking each object.

    Attributes:
        clicked: Actions of clicking each object to an IoU of .8.
        as_found: With suggestions left as they are.
        corrected: With suggestions corrected to an IoU of .8, too.
    """

    clicked: Mean
    as_found: Saving
    corrected: Saving


@dataclass(frozen=True)
class Several:
    """Figures of images with several objects of a kind.

    A mean is over images, of each of which it is over its trials, unless it says otherwise.

    Attributes:
        images: Their number.
        trials: Examples, in all.
        objects: Other objects of the kind.
        accuracy: By the IoU in percent from which on a suggestion is right.
        iou: Mean IoU of right suggestions (from an IoU of .5 on).
        example_iou: IoU of the masks that searches were given.
        seconds: Time of a search.
        steps: Network steps of a search.
        cut_short: Searches that time or a limit ended.
        savings: Costs; None if objects were not clicked.
    """

    images: int
    trials: int
    objects: Mean
    accuracy: dict[int, Accuracy]
    iou: Mean
    example_iou: Mean
    seconds: Mean
    steps: Mean
    cut_short: int
    savings: Savings | None


@dataclass(frozen=True)
class Alone:
    """Figures of images that show one object alone: each suggestion is wrong.

    Attributes:
        images: Their number.
        false: Suggestions, mean of an image.
        with_any: Images with a suggestion.
        seconds: Time of a search.
    """

    images: int
    false: Mean
    with_any: int
    seconds: Mean


@dataclass(frozen=True)
class Group:
    """Figures of a set of images; None for a sort that it has none of."""

    several: Several | None
    alone: Alone | None


def by_set(trials: Sequence[Trial]) -> dict[str, Group]:
    """The figures of each set, by its name; empty for images of none."""
    names = sorted({set_of(trial.sample) for trial in trials})
    return {
        name: summarise([trial for trial in trials if set_of(trial.sample) == name])
        for name in names
    }


def summarise(trials: Sequence[Trial]) -> Group:
    """Compute the figures of trials. Intervals are the same at every call."""
    several = [trial for trial in trials if trial.others]
    alone = [trial for trial in trials if not trial.others]
    return Group(
        several=_several(several) if several else None, alone=_alone(alone) if alone else None
    )


def mean(images: Sequence[Sequence[float | None]]) -> Mean:
    """Mean over images of the mean of each, with its 95 % interval; None counts nowhere."""
    given = [[value for value in image if value is not None] for image in images]
    means = [np.mean(values) for values in given if values]
    return estimates(np.array([means]))[0] if means else None


def ratio(above: npt.ArrayLike, below: npt.ArrayLike) -> Mean:
    """A sum over images over another, with its 95 % interval (percentiles, images resampled).

    Args:
        above: Of each image; at least one.
        below: Of each image, 0 or more.
    """
    pairs = np.stack([np.asarray(above, np.float64), np.asarray(below, np.float64)])
    if not pairs[1].any():
        return None
    means = resampled_means(pairs)
    means = means[:, means[1] > 0]
    low, high = np.percentile(means[0] / means[1], (2.5, 97.5))
    total = pairs.sum(axis=1)
    return Estimate(float(total[0] / total[1]), float(low), float(high))


def _several(trials: Sequence[Trial]) -> Several:
    return Several(
        images=len(_by_image(trials)),
        trials=len(trials),
        objects=_mean(trials, lambda trial: len(trial.others)),
        accuracy={percent: _accuracy(trials, least) for percent, least in FOUND_FROM.items()},
        iou=_mean(trials, lambda trial: trial.matching.mean_iou(FOUND_FROM[50])),
        example_iou=_mean(trials, lambda trial: trial.example_iou),
        seconds=_mean(trials, lambda trial: trial.seconds),
        steps=_mean(trials, lambda trial: trial.steps),
        cut_short=sum(not trial.complete for trial in trials),
        savings=_savings(trials),
    )


def _alone(trials: Sequence[Trial]) -> Alone:
    return Alone(
        images=len(_by_image(trials)),
        false=_mean(trials, lambda trial: len(trial.matching.suggestions)),
        with_any=sum(bool(trial.matching.suggestions) for trial in trials),
        seconds=_mean(trials, lambda trial: trial.seconds),
    )


def _accuracy(trials: Sequence[Trial], least: float) -> Accuracy:
    def counts(trial: Trial) -> Counts:
        return trial.matching.counts(least)

    images = [[counts(trial) for trial in image] for image in _by_image(trials)]
    right, suggested, objects = (
        [sum(getattr(each, what) for each in image) for image in images]
        for what in ("right", "suggested", "objects")
    )
    return Accuracy(
        precision=_mean(trials, lambda trial: counts(trial).precision),
        recall=_mean(trials, lambda trial: counts(trial).recall),
        f1=_mean(trials, lambda trial: counts(trial).f1),
        all_precision=ratio(right, suggested),
        all_recall=ratio(right, objects),
    )


def _savings(trials: Sequence[Trial]) -> Savings | None:
    if any(trial.example_clicked is None for trial in trials):
        return None
    return Savings(
        clicked=_mean(trials, lambda trial: trial.cost(corrected=False).clicked.actions),
        as_found=_saving(trials, corrected=False),
        corrected=_saving(trials, corrected=True),
    )


def _saving(trials: Sequence[Trial], *, corrected: bool) -> Saving:
    def share(trial: Trial) -> float:
        cost = trial.cost(corrected=corrected)
        return cost.suggested.actions / cost.clicked.actions

    def share_of_time(trial: Trial) -> float:
        cost = trial.cost(corrected=corrected)
        return cost.suggested.seconds(ACTION_SECONDS) / cost.clicked.seconds(ACTION_SECONDS)

    return Saving(
        actions=_mean(trials, lambda trial: trial.cost(corrected=corrected).suggested.actions),
        share=_mean(trials, share),
        time=_mean(trials, share_of_time),
    )


def _mean(trials: Sequence[Trial], of: Callable[[Trial], float | None]) -> Mean:
    return mean([[of(trial) for trial in image] for image in _by_image(trials)])


def _by_image(trials: Sequence[Trial]) -> list[list[Trial]]:
    images: dict[str, list[Trial]] = {}
    for trial in trials:
        images.setdefault(trial.sample, []).append(trial)
    return list(images.values())
