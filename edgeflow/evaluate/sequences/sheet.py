"""A contact sheet of the worst sequences: a row of pages each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.evaluate.sequences.sequence import AnnotatedPage, PageSequence
from edgeflow.evaluate.sequences.trials import SequenceTrial
from edgeflow.evaluate.tiles import COLUMNS, tile
from edgeflow.geometry import Size
from edgeflow.overlay import tint_mask

CELL, CAPTION = 288, 38

FIRST = (255, 255, 255)
FOUND = (32, 200, 64)
TRUTH = (255, 214, 0)


def worst_of(trials: Sequence[SequenceTrial], count: int) -> list[SequenceTrial]:
    """The trials of the lowest mean IoU, the worst first."""

    def fault(trial: SequenceTrial) -> float:
        return float(np.mean([page.iou for page in trial.pages]))

    return sorted(trials, key=fault)[:count]


def contact_sheet(
    trials: Sequence[SequenceTrial], sequences: Mapping[str, PageSequence]
) -> RGBImage:
    """Draw trials below each other: the first page, and five of those behind it.

    What was carried is green, the truth outlined in yellow; the first page's object is white.

    Args:
        trials: At least one.
        sequences: Theirs, by name.

    Returns:
        H×W×3 uint8 RGB.

    Raises:
        DatasetError: A page cannot be read any more.
    """
    cells = []
    for trial in trials:
        sequence = sequences[trial.sequence]
        shown = np.linspace(0, len(trial.pages), COLUMNS).round().astype(int)
        cells += [_cell(sequence[index], trial, index) for index in shown.tolist()]
    return tile(cells)


def _cell(page: AnnotatedPage, trial: SequenceTrial, index: int) -> RGBImage:
    size = Size(*page.truth.shape)
    scale = CELL / max(size)
    shape = (max(1, round(size.width * scale)), max(1, round(size.height * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = cv2.resize(page.rgb, shape, interpolation=kind).astype(np.uint8)
    if index == 0:
        tint_mask(drawn, _resized(page.truth, shape), FIRST)
        words = f"IoU {trial.first_iou:.2f}, {trial.first_clicks} clicks"
    else:
        carried = trial.pages[index - 1]
        tint_mask(drawn, _resized(carried.mask(size), shape), FOUND)
        tint_mask(drawn, _resized(page.truth, shape), TRUTH, opacity=0)
        words = f"+{index}: IoU {carried.iou:.2f}, score {carried.score:.2f}"
    cell = np.full((CELL + CAPTION, CELL, 3), 255, dtype=np.uint8)
    cell[: shape[1], : shape[0]] = drawn
    for row, text in enumerate((trial.sequence[-34:], words)):
        cv2.putText(
            cell, text.encode("ascii", "replace").decode(), (4, CELL + 14 + 17 * row),
            cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA,
        )  # fmt: skip
    return cell


def _resized(mask: BoolMask, shape: tuple[int, int]) -> BoolMask:
    return cv2.resize(mask.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST).astype(
        np.bool_
    )
