"""A contact sheet of what the network is about to be shown: look at it before hours of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.geometry import ImagePoint
from edgeflow.overlay import draw_overlay
from edgeflow.prompts.click import Click
from edgeflow.train.augment import Batch
from edgeflow.train.simulate import Prompt

COLUMNS = 6
ROWS = 4
UNKNOWN = 128


def save_sheet(path: Path, batch: Batch, prompt: Prompt) -> None:
    """Draw views with their objects in blue, clicks numbered, and what is ignored in grey.

    Args:
        path: a PNG file.
        batch: the first 24 views are drawn.
        prompt: its clicks.

    Raises:
        OSError: it cannot be written.
    """
    cells = [_cell(batch, prompt, index) for index in range(min(len(batch.image), COLUMNS * ROWS))]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[start : start + COLUMNS]) for start in range(0, len(cells), COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(path)


def _cell(batch: Batch, prompt: Prompt, index: int) -> npt.NDArray[np.uint8]:
    rgb = (batch.image[index].permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    rgb[~batch.valid[index, 0].cpu().numpy()] = UNKNOWN
    signs = prompt.clicks.signs[index].tolist()
    points = prompt.clicks.points[index].tolist()
    clicks = [
        Click(ImagePoint(float(col), float(row)), sign > 0)
        for (row, col), sign in zip(points, signs, strict=True)
        if sign
    ]
    return draw_overlay(rgb, batch.truth[index, 0].cpu().numpy(), clicks)
