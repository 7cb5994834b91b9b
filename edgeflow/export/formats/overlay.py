"""Pictures with their objects drawn on them, to look at."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from unicodedata import combining, normalize

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edgeflow.annotated import DrawnBox, Shape, mask_of
from edgeflow.arrays import RGBImage
from edgeflow.data.base import DatasetError
from edgeflow.export.format import Page, Plan
from edgeflow.export.output import File, Record, Written
from edgeflow.masks.palette import RGB

OPACITY = 0.4
"""Of the tint."""

MOST_SIDE = 65_535
"""Pixels of a JPEG."""

QUALITY = 92
"""Of the JPEG."""

LONGEST_NAME = 40
"""Characters."""


def image_file(page: Page, plan: Plan) -> Written:
    """The picture with tints and outlines in the colours of the classes, and their names.

    Raises:
        DatasetError: The picture is not at hand, cannot be read, or is too long for a JPEG.
    """
    if max(page.image.size) > MOST_SIDE:
        raise DatasetError(
            f"it has more than {MOST_SIDE} pixels a side, and a JPEG has no place for them",
            hint="cut the image into tiles",
        )
    canvas = np.array(page.rgb())
    unit = max(1, round(max(page.image.size) / 600))
    numbers = [plan.classes.number(each.label) for each in page.image.objects]
    colours = [plan.classes.colour(number) for number in numbers]
    for each, colour in zip(page.image.objects, colours, strict=True):
        _draw(canvas, each.shape, colour, unit)
    picture = Image.fromarray(canvas)
    for each, number, colour in zip(page.image.objects, numbers, colours, strict=True):
        text = _legible(plan.classes.names[number - 1], number)
        _write(picture, text, _corner(each.shape), colour, unit)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    path = str(PurePosixPath(page.split, f"{page.name}.jpg"))
    return Written((File(path, buffer.getvalue()),))


def whole_files(_records: Iterable[Record], _plan: Plan) -> Iterator[File]:
    """None: each picture is complete in itself."""
    return iter(())


def _draw(canvas: RGBImage, shape: Shape, colour: RGB, unit: int) -> None:
    """Tint a mask, and draw the outline of a mask or a box, light around dark."""
    mask = mask_of(shape)
    if isinstance(shape, DrawnBox):
        x, y = round(shape.x), round(shape.y)
        for line, width in (((255, 255, 255), 4 * unit), (colour, 2 * unit)):
            end = (x + round(shape.width), y + round(shape.height))
            cv2.rectangle(canvas, (x, y), end, line, width)
    elif mask is not None:
        part = canvas[mask.box.slices]
        tinted = part[mask.pixels] * (1 - OPACITY) + np.array(colour) * OPACITY
        part[mask.pixels] = tinted.astype(np.uint8)
        padded = np.pad(mask.pixels, 1).view(np.uint8)
        contours, _ = cv2.findContours(padded, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        corner = (mask.box.left - 1, mask.box.top - 1)
        for line, width in (((255, 255, 255), 3 * unit), (colour, unit)):
            cv2.drawContours(canvas, contours, -1, line, width, cv2.LINE_AA, offset=corner)


def _corner(shape: Shape) -> tuple[int, int]:
    """Where an object's name goes, at the upper left of its box."""
    if isinstance(shape, DrawnBox):
        return round(shape.x), round(shape.y)
    mask = mask_of(shape)
    return (mask.box.left, mask.box.top) if mask is not None else (0, 0)


def _legible(name: str, number: int) -> str:
    """A name in ASCII, all that Pillow's own font has; of a name in another script its number."""
    plain = "".join(each for each in normalize("NFKD", name) if not combining(each))
    text = " ".join(plain.split())
    return text[:LONGEST_NAME] if text and text.isascii() and text.isprintable() else f"{number}"


def _write(
    picture: Image.Image, text: str, corner: tuple[int, int], colour: RGB, unit: int
) -> None:
    """Write a name on a tag in its colour, all of it in the picture where it has room."""
    draw = ImageDraw.Draw(picture)
    font, margin = ImageFont.load_default(12 * unit), 3 * unit
    left, top, right, bottom = draw.textbbox((0, 0), text, font)
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    x = max(min(corner[0], picture.width - width), 0)
    y = max(min(corner[1] - height, picture.height - height), 0)
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    red, green, blue = colour
    ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else "white"
    draw.text((x + margin - left, y + margin - top), text, ink, font)
