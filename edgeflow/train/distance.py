"""Exact Euclidean distance transform of many masks at once, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

FAR = 1 << 12
"""More than any side, so that a line without background is never the nearest."""


def distance_transform(mask: Tensor) -> Tensor:
    """Distance of every mask pixel to the nearest pixel outside; beyond the image is outside.

    Two passes (Felzenszwalb and Huttenlocher's decomposition, with the inner minimum taken over
    all lines at once, which a GPU does faster than their envelope): along rows, then down columns.

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
    best = torch.minimum(best.expand_as(squared), squared).clone()
    for shift in range(1, height // 2 + 1):  # farther than the image's edge is never nearer
        if shift * shift >= float(best.max()) and not best.is_cuda:
            break
        cost = float(shift * shift)
        best[:, shift:] = torch.minimum(best[:, shift:], squared[:, :-shift] + cost)
        best[:, :-shift] = torch.minimum(best[:, :-shift], squared[:, shift:] + cost)
    return best.sqrt_() * mask


def _line_distance(mask: Tensor, width: int) -> Tensor:
    """Distance along the row to the nearest pixel outside: N×H×W int32, 0 outside."""
    cols = torch.arange(width, device=mask.device, dtype=torch.int32)
    last = torch.where(mask, -1, cols).cummax(dim=-1).values
    following = torch.where(mask, width, cols).flip(-1).cummin(dim=-1).values.flip(-1)
    return torch.minimum(cols - last, following - cols)
