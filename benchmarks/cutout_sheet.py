"""Cut-outs to look at: hair, fur, a hole, thin legs, a lattice and glass, on loud backgrounds.

Usage: ``python -m benchmarks.cutout_sheet [PATH]``, by default the picture in ``docs/cutouts.md``.
Objects are those of ``demo/cutouts.csv``, and glass one of the composites of
:mod:`benchmarks.cutouts`, since none of the demo's photos has some. From left to right: the photo,
the bare mask on magenta, and the cut-out with soft borders on magenta, green and a checkerboard.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.cutouts import GLASS, PHOTOS, Found, clicked, scenes
from edgeflow.arrays import RGBImage
from edgeflow.cli.cutting.prompt_list import read_prompt_list
from edgeflow.geometry import Box, Size
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.matting import cutout
from edgeflow.matting.compose import laid_on

LIST = PHOTOS.parent / "cutouts.csv"
OUTPUT = PHOTOS.parents[1] / "docs" / "assets" / "cutouts.jpg"

SEEN = {
    "astronaut": Box(0, 100, 200, 310),
    "cat": Box(0, 230, 200, 440),
    "coffee": Box(170, 140, 370, 350),
    "cameraman": Box(76, 190, 476, 400),
    "rocket": Box(220, 225, 420, 435),
    GLASS: Box(80, 120, 455, 390),
}
"""What is seen of each photo."""

WIDTH = 240
"""Of a column, pixels."""

MAGENTA, GREEN = (255, 0, 255), (0, 200, 0)
SQUARE = 10


def found_objects(predictor: Predictor) -> Iterator[tuple[str, RGBImage, Found]]:
    """Names, photos, and the network's masks and probabilities."""
    for each in read_prompt_list(LIST):
        rgb = decode_image((LIST.parent / each.image).read_bytes())
        image = predictor.encode(rgb)
        prediction = predictor.predict(image, each.clicks)
        probability = predictor.probability(image, prediction.state).cpu().numpy()
        yield Path(each.image).stem, rgb, Found(prediction.mask, probability)
    scene = next(each for each in scenes() if each.shape == GLASS)
    yield GLASS, scene.image, clicked(predictor, scene)


def checkerboard(size: Size) -> RGBImage:
    """Light and dark grey squares, H×W×3."""
    rows, columns = np.indices(size) // SQUARE
    grey = np.where((rows + columns) % 2, 235, 145).astype(np.uint8)
    return np.dstack([grey] * 3)


def row_of(rgb: RGBImage, found: Found, seen: Box) -> RGBImage:
    """A row of the sheet."""
    hard = cutout(rgb, found.mask, soft=False)
    soft = cutout(rgb, found.mask, probability=found.probability)
    height = round(WIDTH * seen.size.height / seen.size.width)

    def scaled(image: RGBImage) -> RGBImage:
        part = np.ascontiguousarray(image[seen.slices])
        return np.asarray(cv2.resize(part, (WIDTH, height), interpolation=cv2.INTER_CUBIC))

    board = checkerboard(Size(*rgb.shape[:2]))
    shown = [
        rgb,
        laid_on(hard, MAGENTA),
        *(laid_on(soft, each) for each in (MAGENTA, GREEN, board)),
    ]
    return np.hstack([scaled(each) for each in shown])


def main() -> None:
    """Draw the sheet."""
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    rows = [row_of(rgb, found, SEEN[name]) for name, rgb, found in found_objects(load_predictor())]
    Image.fromarray(np.vstack(rows)).save(output, quality=85)
    print(output)


if __name__ == "__main__":
    main()
