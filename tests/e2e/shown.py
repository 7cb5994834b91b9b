"""Images with one object of a strong colour, and where it and its mask are on the screen."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Page

BoolMask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.int16]

MEADOW = (30, 90, 40)
RED = (230, 60, 50)
YELLOW = (240, 220, 30)
TOLERANCE = 45
"""Of each channel: lossy formats and the browser's scaling blur colours."""

ORIENTATION = 0x0112


def picture(colour: tuple[int, int, int] = RED) -> Image.Image:
    """320×240, an ellipse left of the middle and above it: no turn maps it onto itself."""
    rows, cols = np.mgrid[:240, :320]
    pixels = np.full((240, 320, 3), MEADOW, dtype=np.uint8)
    pixels[((rows - 80) / 45) ** 2 + ((cols - 95) / 60) ** 2 < 1] = colour
    return Image.fromarray(pixels)


def uri(kind: str, image: Image.Image, *, exif: int | None = None, xmp: bytes = b"") -> str:
    """An image as a ``data:`` URI; ``kind`` is Pillow's name of the format."""
    options: dict[str, object] = {"quality": 95} if kind in ("JPEG", "AVIF") else {}
    if kind == "WEBP":
        options["lossless"] = True
    if exif is not None:
        tags = Image.Exif()
        tags[ORIENTATION] = exif
        options["exif"] = tags
    if xmp:
        options["xmp"] = xmp
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


@dataclass(frozen=True)
class Screen:
    """What a page shows: H×W×3, 0 to 255."""

    pixels: Pixels

    @classmethod
    def of(cls, page: Page) -> Screen:
        """A screenshot with the mouse out of the way."""
        page.mouse.move(2, 2)
        page.wait_for_timeout(300)
        png = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        return cls(np.asarray(png).astype(np.int16))

    def where(self, colour: tuple[int, int, int]) -> BoolMask:
        """The pixels of a colour."""
        near: BoolMask = (np.abs(self.pixels - np.array(colour)) < TOLERANCE).all(axis=2)
        return near

    def middle(self, colour: tuple[int, int, int]) -> tuple[float, float]:
        """x and y of the middle of what has a colour."""
        rows, cols = np.nonzero(self.where(colour))
        assert len(rows) > 500, "the object is not on the screen"
        return float(cols.mean()), float(rows.mean())

    def changed(self, later: Screen, colour: tuple[int, int, int]) -> BoolMask:
        """What changed within the image that has an object of a colour."""
        differs: BoolMask = np.abs(self.pixels - later.pixels).sum(axis=2) > 40
        image = self.where(MEADOW) | self.where(colour)
        rows, cols = np.nonzero(image)
        inside = np.zeros_like(differs)
        inside[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1] = True
        return differs & inside


def overlap(a: BoolMask, b: BoolMask) -> float:
    """Intersection over union."""
    return float((a & b).sum() / max((a | b).sum(), 1))
