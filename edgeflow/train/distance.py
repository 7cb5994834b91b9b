"""Exact Euclidean distance transform of many masks at once, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 1 << 26
"""Distances that a GPU compares at a time; as float32 they take four bytes each."""


def distance_transform(mask: Tensor) -> Tensor:
    """Distance of every mask pixel to the nearest pixel outside; beyond the image is outside.

    Two passes (Felzenszwalb and Huttenlocher's decomposition, with the inner minimum taken over
    all lines at once, which a GPU does faster than their envelope): along rows, then down columns.
    On a GPU nothing waits for a result, so that the host can prepare what follows.

    Args:
        mask: N×H×W bool; sides under 4096.

    Returns:
        N×H×W float32, 0 outside the masks.
    """
    height, width = mask.shape[-2:]
    along = _line_distance(mask, width)
    squared = (along * along).float()
    rows = torch.arange(height, device=mask.device, dtype=torch.float32)
    best = torch.minimum(rows + 1, height - rows)[None, :, None] ** 2
    best = torch.minimum(best, squared)
    down = down_columns_at_once if mask.is_cuda else down_columns
    return down(best, squared).sqrt_() * mask


def down_columns(best: Tensor, squared: Tensor) -> Tensor:
    """The least squared distance down columns, by ever longer shifts: few where objects are thin.

    Args:
        best: N×H×W float32, the best known; overwritten.
        squared: N×H×W float32, along rows.
    """
    for shift in range(1, best.shape[1] // 2 + 1):  # farther than the image's edge is never nearer
        cost = float(shift * shift)
        if cost >= float(best.max()):
            break
        best[:, shift:] = torch.minimum(best[:, shift:], squared[:, :-shift] + cost)
        best[:, :-shift] = torch.minimum(best[:, :-shift], squared[:, shift:] + cost)
    return best


def down_columns_at_once(best: Tensor, squared: Tensor) -> Tensor:
    """The same as :func:`down_columns` in few steps, each with all shifts of some rows."""
    rows = torch.arange(best.shape[1], device=best.device, dtype=torch.float32)
    away = (rows[:, None] - rows) ** 2
    parts = torch.split(away, max(1, CHUNK // max(1, squared.numel())))
    found = [(squared[:, None] + part[None, :, :, None]).amin(dim=2) for part in parts]
    return torch.minimum(best, torch.cat(found, dim=1))


def _line_distance(mask: Tensor, width: int) -> Tensor:
    """Distance along the row to the nearest pixel outside: N×H×W int32, 0 outside."""
    cols = torch.arange(width, device=mask.device, dtype=torch.int32)
    last = torch.where(mask, -1, cols).cummax(dim=-1).values
    following = torch.where(mask, width, cols).flip(-1).cummin(dim=-1).values.flip(-1)
    return torch.minimum(cols - last, following - cols)
