"""The protocol once more, written from its description alone: slow, in plain loops, with scipy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

BoolMask = npt.NDArray[np.bool_]
Point = tuple[int, int]
Predict = Callable[[list[tuple[Point, bool]]], npt.NDArray[np.float32]]


def click_until(
    predict: Predict, labels: npt.NDArray[np.uint8], *, target: float, most: int
) -> tuple[list[tuple[Point, bool]], list[float]]:
    """Clicks ((row, col), positive?) and IoUs, with labels 0 background, 1 object, 255 ignore."""
    height, width = labels.shape
    clicks: list[tuple[Point, bool]] = []
    ious: list[float] = []
    mask = np.zeros(labels.shape, dtype=np.bool_)
    while len(clicks) < most and (not ious or ious[-1] < target):
        best: list[tuple[float, Point]] = []
        for kind in (1, 0):
            wrong = np.zeros((height + 2, width + 2), dtype=np.bool_)
            for row in range(height):
                for col in range(width):
                    is_wrong = labels[row, col] == kind and bool(mask[row, col]) != bool(kind)
                    wrong[row + 1, col + 1] = is_wrong
            depth = distance_transform_edt(wrong)[1:-1, 1:-1].astype(np.float32)
            for (row, col), _ in clicks:
                depth[row, col] = 0
            top = float(depth.max())
            rows, cols = np.where(depth == top)
            best.append((top, (int(rows[0]), int(cols[0]))))
        positive = best[0][0] > best[1][0]
        clicks.append((best[0][1] if positive else best[1][1], positive))
        mask = predict(clicks) > 0.49
        inter = union = 0
        for row in range(height):
            for col in range(width):
                if labels[row, col] == 255:
                    continue
                inter += bool(labels[row, col] == 1 and mask[row, col])
                union += bool(labels[row, col] == 1 or mask[row, col])
        ious.append(inter / union)
    return clicks, ious
