"""Objects cut out of their pictures, on a transparent ground.

One PNG an object in a folder of its class, as classifiers are trained with, or one a picture with
all of its objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np

from edgeflow.annotated import mask_of
from edgeflow.arrays import BoolMask, RGBAImage, RGBImage
from edgeflow.data.left_out import LeftOut
from edgeflow.export.flat import BOXES
from edgeflow.export.format import Page, Plan
from edgeflow.export.formats.label_names import told_apart
from edgeflow.export.formats.parts import lines, of_part
from edgeflow.export.formats.png_files import pixels_png
from edgeflow.export.names import safe_name
from edgeflow.export.output import File, Record, Written
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch, bounding_box
from edgeflow.matting import cutout

TABLE = "metadata.jsonl"
"""Of all cut-outs: what each shows, and where it was."""

MARGIN = 1 / 4
"""Part of an object's longer side that is looked at around it, to make its edge of."""

OPAQUE = 127
"""More than this, of 255, is the object to readers of cut-outs."""

LEAST_MARGIN = 32
"""In pixels."""


def image_files(page: Page, plan: Plan) -> Written:
    """An image's cut-outs; boxes have none.

    Raises:
        DatasetError: The picture is not at hand, or cannot be read.
    """
    masks = [
        (number, each, mask)
        for number, each in enumerate(page.image.objects, start=1)
        if (mask := mask_of(each.shape)) is not None
    ]
    left_out = (LeftOut(BOXES),) * (len(page.image.objects) - len(masks))
    rgb, choices, names = page.rgb(), plan.choices, plan.classes.names
    files: list[File] = []
    entries: list[Record] = []

    def add(path: str, pixels: RGBAImage, box: Box, **about: object) -> None:
        cropped = not choices.whole_images if choices.crop is None else choices.crop
        if cropped:
            about["box"] = [box.left, box.top, *box.size[::-1]]
        else:
            pixels = _at_place(pixels, box, page.image.size)
        files.append(File(str(PurePosixPath(page.split, path)), pixels_png(pixels)))
        entries.append({"file_name": path, "picture": page.image.file_name, **about})

    if choices.whole_images:
        if masks:
            every = np.zeros(page.image.size, dtype=np.bool_)
            for _, _, mask in masks:
                every[mask.box.slices] |= mask.pixels
            labels = [plan.classes.name(each.label) for _, each, _ in masks]
            pixels, box = _cropped(rgb, MaskPatch.of(every), soft=choices.soft)
            add(f"{page.name}.png", pixels, box, labels=labels)
    else:
        folders = told_apart((TABLE, *names), safe_name, ignore_case=True)
        for number, each, mask in masks:
            pixels, box = _cropped(rgb, mask, soft=choices.soft)
            of_class = plan.classes.number(each.label)
            path = f"{folders[of_class]}/{page.name}_{number}.png"
            add(path, pixels, box, label=names[of_class - 1])
    return Written(tuple(files), {"split": page.split, "cutouts": entries}, left_out)


def whole_files(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """A table for each part, one line a cut-out."""
    for split in plan.splits:
        entries = (each for record in of_part(records, split) for each in record["cutouts"])
        yield File(str(PurePosixPath(split, TABLE)), lines(entries))


def _cropped(rgb: RGBImage, mask: MaskPatch, *, soft: bool) -> tuple[RGBAImage, Box]:
    """An object's cut-out, and which part of the picture it is."""
    (top, left, bottom, right), size = mask.box, mask.image_size
    margin = max(LEAST_MARGIN, round(MARGIN * max(mask.box.size)))
    around = Box(top - margin, left - margin, bottom + margin, right + margin)
    frame = around.intersection(Box.whole(size))
    within = np.zeros(frame.size, dtype=np.bool_)
    within[mask.box.shifted(-frame.top, -frame.left).slices] = mask.pixels
    pixels = _cut(rgb[frame.slices], within, soft=soft)
    seen = bounding_box(pixels[..., 3] > 0) or Box.whole(frame.size)
    return pixels[seen.slices], seen.shifted(frame.top, frame.left)


def _at_place(pixels: RGBAImage, box: Box, size: Size) -> RGBAImage:
    """A part of a picture at its place, in the picture's size, with nothing around."""
    whole = np.zeros((*size, 4), dtype=np.uint8)
    whole[box.slices] = pixels
    return whole


def _cut(rgb: RGBImage, mask: BoolMask, *, soft: bool) -> RGBAImage:
    """A cut-out; with a hard edge if none of the object is opaque by a soft one, as of a line."""
    pixels = cutout(rgb, mask, soft=soft)
    return pixels if (pixels[..., 3] > OPAQUE).any() else cutout(rgb, mask, soft=False)
