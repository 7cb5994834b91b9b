"""A contact sheet of the first batch: look at it before hours of training."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from edgeflow.arrays import RGBImage
from edgeflow.evaluate.tiles import tile
from edgeflow.geometry import ImagePoint
from edgeflow.overlay import draw_overlay
from edgeflow.prompts.click import Click
from edgeflow.train.augment import Batch
from edgeflow.train.simulate import Prompt

VIEWS = 24
UNKNOWN = 128


def save_sheet(path: Path, batch: Batch, prompt: Prompt) -> None:
    """Draw views with their objects in blue, clicks numbered, and ignored pixels in grey.

    Args:
        path: PNG file.
        batch: Batch, of which the first 24 views are drawn.
        prompt: Clicks of the batch.

    Raises:
        OSError: The file cannot be written.
    """
    cells = [_cell(batch, prompt, index) for index in range(min(len(batch.image), VIEWS))]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(tile(cells)).save(path)


def _cell(batch: Batch, prompt: Prompt, index: int) -> RGBImage:
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
