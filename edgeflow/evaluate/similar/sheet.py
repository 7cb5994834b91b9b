"""Contact sheets of trials: the example, what was suggested, and what was missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.base import Dataset, Sample
from edgeflow.evaluate.similar.cost import KEPT
from edgeflow.evaluate.similar.trials import Trial
from edgeflow.evaluate.tiles import tile
from edgeflow.overlay import tint_mask

CELL = 448
CAPTION = 42

EXAMPLE = (255, 255, 255)
RIGHT = (32, 200, 64)
WRONG = (230, 32, 32)
MISSED = (255, 214, 0)


def worst_of(trials: Iterable[Trial], count: int) -> list[Trial]:
    """The worst trial of each image, the worst first.

    Of images with several objects of a kind, those of the lowest F1; of others, those with the
    most suggestions, if they have any.
    """

    def fault(trial: Trial) -> tuple[float, int]:
        counts = trial.matching.counts(KEPT)
        return 1 - (counts.f1 if counts.f1 is not None else 1.0), counts.wrong + counts.missed

    worst: dict[str, Trial] = {}
    for trial in trials:
        known = worst.get(trial.sample)
        if (trial.others or trial.matching.suggestions) and (
            known is None or fault(trial) > fault(known)
        ):
            worst[trial.sample] = trial
    return sorted(worst.values(), key=fault, reverse=True)[:count]


def contact_sheet(trials: Sequence[Trial], dataset: Dataset) -> RGBImage:
    """Draw trials side by side.

    Right suggestions are green, wrong ones red, missed objects outlined in yellow; the example, as
    the search was given it, is white.

    Args:
        trials: At least one.
        dataset: Dataset that they are of.

    Returns:
        H×W×3 uint8 RGB.
    """
    place = {name: index for index, name in enumerate(dataset.sample_names)}
    return tile([_cell(dataset[place[trial.sample]], trial) for trial in trials])


def _cell(sample: Sample, trial: Trial) -> RGBImage:
    scale = CELL / max(trial.size)
    size = (max(1, round(trial.size.width * scale)), max(1, round(trial.size.height * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = cv2.resize(sample.rgb, size, interpolation=kind).astype(np.uint8)
    for number in np.unique(trial.numbers[trial.numbers > 0]).tolist():
        mask = _enlarged(trial.numbers == number, size)
        if number == 1:
            tint_mask(drawn, mask, EXAMPLE)
        else:
            right = trial.matching.suggestions[number - 2] >= KEPT
            tint_mask(drawn, mask, RIGHT if right else WRONG)
    for index in trial.matching.missed(KEPT):
        truth = sample.objects[trial.others[index] - 1]
        tint_mask(drawn, _enlarged(truth, size), MISSED, opacity=0)
    cell = np.full((CELL + CAPTION, CELL, 3), 255, dtype=np.uint8)
    cell[: size[1], : size[0]] = drawn
    for row, text in enumerate((f"{trial.sample[-44:]} #{trial.example}", _caption(trial))):
        cv2.putText(
            cell, text.encode("ascii", "replace").decode(), (4, CELL + 15 + 19 * row),
            cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA,
        )  # fmt: skip
    return cell


def _caption(trial: Trial) -> str:
    counts = trial.matching.counts(KEPT)
    return (
        f"{counts.right} of {counts.objects}, {counts.wrong} wrong, "
        f"example IoU {trial.example_iou:.2f}, {trial.seconds:.1f} s"
    )


def _enlarged(mask: BoolMask, size: tuple[int, int]) -> BoolMask:
    return cv2.resize(mask.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)
