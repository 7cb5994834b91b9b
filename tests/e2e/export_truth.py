"""Generated pictures with all that makes exports go wrong, and what an export has to give back."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size

LABELS = ("Coin", "never drawn", "a/b é")
WIDE = Size(120, 200)
TALL = Size(200, 120)
MEGAPIXEL = Size(1000, 1000)
SHAPE_LABELS = {"ring": "Coin", "parts": "a/b é", "line": "Coin", "over": "a/b é"}

EXIF_ORIENTATION = 0x0112
TURNED = 6
"""Value of the orientation: what is stored has to be turned right by 90° to be shown."""


class Drawn(NamedTuple):
    """An object as an annotator drew it.

    Attributes:
        kind: Of control: ``Brush``, ``Bitmask`` or ``Polygon``.
        label: Its class; None where the annotator chose none.
        mask: H×W bool.
    """

    kind: str
    label: str | None
    mask: BoolMask


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and the annotation of it that counts.

    Attributes:
        name: Its file's.
        size: As it is shown.
        drawn: In the order of drawing.
        uploaded: Whether Label Studio has the file; otherwise it is at a signed address elsewhere.
    """

    name: str
    size: Size
    drawn: tuple[Drawn, ...] = ()
    uploaded: bool = False

    @property
    def content(self) -> bytes:
        """The file: coloured noise, in ``.tif`` grey of 16 bits, stored lying in ``turned.jpg``."""
        random = np.random.default_rng(sum(self.name.encode()))
        coarse = random.integers(0, 256, (-(-self.size.height // 8), -(-self.size.width // 8), 3))
        shown = np.kron(coarse, np.ones((8, 8, 1)))[: self.size.height, : self.size.width]
        pixels = shown.astype(np.uint8)
        kind = Image.registered_extensions()[f".{self.name.rpartition('.')[2]}"]
        buffer, exif = io.BytesIO(), Image.Exif()
        if kind == "TIFF":
            grey: npt.NDArray[np.uint16] = pixels[:, :, 0].astype(np.uint16) * 257
            Image.fromarray(grey).save(buffer, kind)
            return buffer.getvalue()
        if self.name == "turned.jpg":
            pixels, exif[EXIF_ORIENTATION] = np.rot90(pixels), TURNED
        Image.fromarray(pixels).save(buffer, kind, exif=exif)
        return buffer.getvalue()


def shapes(size: Size = WIDE) -> dict[str, BoolMask]:
    """A ring, an object of two parts, a line of one pixel, and one that covers some of the ring."""
    ring, parts, line, over = (np.zeros(size, dtype=np.bool_) for _ in range(4))
    ring[10:60, 20:90] = True
    ring[25:40, 40:60] = False
    parts[80:95, 5:50] = parts[70:110, 56:110] = True
    line[5, 3 : size.width - 10] = True
    over[30:70, 70:115] = True
    return {"ring": ring, "parts": parts, "line": line, "over": over}


def draw(kind: str, *names: str, size: Size = WIDE) -> tuple[Drawn, ...]:
    """The named shapes, or all of them, drawn with a kind of control."""
    made = shapes(size)
    return tuple(Drawn(kind, SHAPE_LABELS[name], made[name]) for name in names or made)


def draw_many() -> tuple[Drawn, ...]:
    """Six discs with holes on a million pixels, brushes and bitmasks, some over others."""
    random = np.random.default_rng(15)
    rows, cols = np.mgrid[: MEGAPIXEL.height, : MEGAPIXEL.width]
    found = []
    for number in range(6):
        middle, centre, radius = random.integers((200, 200, 90), (800, 800, 190))
        distance = np.hypot(rows - middle, cols - centre)
        mask = (distance < radius) & (distance > radius // 3)
        found.append(Drawn(("Brush", "Bitmask")[number % 2], ("Coin", "a/b é")[number // 3], mask))
    return tuple(found)


BY_SECOND = draw("Brush", "over")
"""What the second annotator drew on ``both.png``."""


@cache
def pictures() -> dict[str, Picture]:
    """By name: the pictures that an export has to hold."""
    unlabelled = Drawn("Brush", None, shapes()["parts"])
    return {
        picture.name: picture
        for picture in (
            Picture("brushes.png", WIDE, draw("Brush"), uploaded=True),
            Picture("bitmasks.jpg", WIDE, draw("Bitmask"), uploaded=True),
            Picture("turned.jpg", TALL, draw("Brush", size=TALL), uploaded=True),
            Picture("polygons.png", WIDE, draw("Polygon")),
            Picture("deep.tif", WIDE, draw("Bitmask", "line", "ring")),
            Picture("x.webp", WIDE, (*draw("Brush", "over"), unlabelled)),
            Picture("large.png", MEGAPIXEL, draw_many()),
            Picture("both.png", WIDE, draw("Brush", "ring")),
            Picture("book-1.png", WIDE, draw("Brush", "parts")),
            Picture("book-2.webp", TALL, draw("Brush", "ring", "over", size=TALL)),
            Picture("sheet-1.jpg", WIDE, draw("Brush", "line")),
            Picture("sheet-3.png", WIDE, draw("Brush", "over")),
            Picture("plain.png", WIDE, (*draw("Brush", "ring"), unlabelled)),
        )
    }


CANCELLED = Picture("cancelled.png", WIDE, draw("Brush", "ring"))
"""Its only annotation was cancelled."""

BARE = Picture("sheet-2.png", WIDE)
"""Nothing is drawn on it."""


@cache
def files() -> dict[str, bytes]:
    """Every picture's file, by name."""
    return {each.name: each.content for each in (*pictures().values(), CANCELLED, BARE)}
