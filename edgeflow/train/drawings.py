"""Plain drawings as training images: shapes on grounds, made from nothing but their number.

Photographs teach a network where things end; people also try it on coloured shapes, diagrams and
scans, where an error is plainest. A part of these drawings asks for what nothing in the image
shows: a bite off a shape, a spot inside one. Only clicks can tell, as in
:attr:`edgeflow.train.config.Views.cut`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from edgeflow.arrays import BoolMask, ByteMap, RGBImage
from edgeflow.data.base import Sample, set_of
from edgeflow.train.drawn_shapes import KINDS, Canvas, Floats, Point, disk, ellipse, shape
from edgeflow.train.image_store import ImageStore

SET = "drawings"
"""Set of the drawings: the first part of their names."""

VERSION = "1"
"""Changes whenever a drawing does, so that none is taken from an old cache."""

SIDES = (96, 320)
"""Least and greatest side of a drawing, pixels."""


@dataclass(frozen=True)
class Drawings:
    """Drawings by number; a :class:`edgeflow.data.base.Dataset`.

    Attributes:
        count: How many there are.
    """

    count: int
    name: str = SET

    @property
    def sample_names(self) -> tuple[str, ...]:
        """Names of the drawings, in order."""
        return tuple(f"{SET}/{number:05}" for number in range(self.count))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        rgb, labels = draw(np.random.default_rng(index))
        numbers = (int(number) for number in np.unique(labels) if number)
        masks = tuple(labels == number for number in numbers)
        return Sample(self.sample_names[index], rgb, masks)


def of(store: ImageStore) -> Tensor:
    """Which objects of a store are drawings': O bool on its device."""
    drawn = torch.tensor([set_of(name) == SET for name in store.names])
    chosen: Tensor = drawn.to(store.objects.device)[store.objects[:, 0].long()]
    return chosen


def draw(rng: Generator) -> tuple[RGBImage, ByteMap]:
    """Make a drawing.

    Args:
        rng: Source of randomness; from the same state comes the same drawing.

    Returns:
        H×W×3 uint8 RGB, and H×W uint8 labels: 0 ground, from 1 the objects, at least one.
    """
    height, width = (
        round(side) for side in np.exp(rng.uniform(np.log(SIDES[0]), np.log(SIDES[1]), 2))
    )
    canvas = Canvas(np.zeros((height, width, 3)), np.zeros((height, width), dtype=np.uint8))
    _ground(rng, canvas)
    scenes, shares = zip(*SCENES, strict=True)
    scene = scenes[rng.choice(len(scenes), p=shares)]
    scene(rng, canvas)
    if scene in (_several, _nested, _rows) and rng.random() < 0.2:  # what is left is clicked, too
        canvas.labels[canvas.labels == 0] = canvas.labels.max() + 1
    if not canvas.labels.any():
        canvas.labels[disk(canvas, (height / 2, width / 2), canvas.small / 3)] = 1
    rgb = canvas.rgb
    if rng.random() < 0.5:  # as drawn with smooth borders, else with hard ones
        rgb = cv2.GaussianBlur(rgb, (3, 3), 0).astype(np.float64)
    if rng.random() < 0.5:
        rgb = rgb + rng.normal(0, rng.uniform(1, 16), (height, width, rng.choice((1, 3))))
    return np.round(rgb).clip(0, 255).astype(np.uint8), canvas.labels


def _ground(rng: Generator, canvas: Canvas) -> None:
    """Of one colour, of one that changes across the canvas, or with soft spots."""
    canvas.rgb[:] = _colour(rng)
    kind = rng.random()
    if kind < 0.25:
        angle = rng.uniform(0, 2 * np.pi)
        slope = canvas.slope(np.sin(angle), np.cos(angle))
        canvas.rgb += slope[..., None] * rng.uniform(-40, 40, 3)
    elif kind < 0.4:
        coarse = rng.normal(0, rng.uniform(5, 25), (6, 6, rng.choice((1, 3))))
        soft = cv2.resize(coarse, canvas.size[::-1], interpolation=cv2.INTER_CUBIC)
        canvas.rgb += soft.reshape(*canvas.size, -1)


def _colour(rng: Generator) -> Floats:
    grey = rng.random() < 0.3
    return np.full(3, rng.uniform(0, 256)) if grey else rng.uniform(0, 256, 3)


def _unlike(rng: Generator, other: Floats) -> Floats:
    """A colour that can be told from another: sometimes just, more often easily."""
    least = rng.choice((25.0, 60.0, 100.0))
    colour = _colour(rng)
    while np.abs(colour - other).max() < least:
        colour = _colour(rng)
    return colour


def _place(rng: Generator, canvas: Canvas, radius: float) -> Point:
    """A place where most of something of that radius is seen."""
    row, col = (rng.uniform(min(radius, side / 2), max(side - radius, side / 2))
                for side in canvas.size)  # fmt: skip
    return row, col


def _paint(rng: Generator, canvas: Canvas, mask: BoolMask, colour: Floats) -> None:
    canvas.rgb[mask] = colour
    if rng.random() < 0.2:  # shaded
        slope = canvas.slope(*rng.uniform(-1, 1, 2)) * rng.uniform(0, 40)
        canvas.rgb[mask] += slope[mask][:, None]


def _several(rng: Generator, canvas: Canvas) -> None:
    """Shapes of all kinds, apart, touching, or one over another; some all of one colour."""
    of_one = rng.random() < 0.2
    colour = _unlike(rng, canvas.rgb[0, 0])
    for number in range(1, int(rng.integers(1, 6)) + 1):
        radius = canvas.small * rng.uniform(0.08, 0.4)
        place = _place(rng, canvas, 0.7 * radius)
        mask = shape(rng, canvas, place, radius, rng.choice(KINDS))
        if of_one:
            mask &= canvas.labels == 0
        else:
            colour = _unlike(rng, colour)
        _paint(rng, canvas, mask, colour)
        canvas.labels[mask] = number


def _nested(rng: Generator, canvas: Canvas) -> None:
    """A shape with another in it, and perhaps one in that: each an object by itself."""
    colour = canvas.rgb[0, 0].copy()
    radius = canvas.small * rng.uniform(0.3, 0.48)
    row, col = _place(rng, canvas, 0.9 * radius)
    for number in range(1, int(rng.integers(2, 4)) + 1):
        mask = shape(rng, canvas, (row, col), radius, rng.choice(KINDS[:-1]))
        mask &= canvas.labels == number - 1
        colour = _unlike(rng, colour)
        _paint(rng, canvas, mask, colour)
        canvas.labels[mask] = number
        radius *= rng.uniform(0.4, 0.7)
        row, col = np.array((row, col)) + rng.uniform(-0.3, 0.3, 2) * radius


def _rows(rng: Generator, canvas: Canvas) -> None:
    """Like shapes in rows, as coins are laid out."""
    pitch = canvas.small / rng.uniform(1.2, 4)
    radius, kind = pitch * rng.uniform(0.3, 0.5), rng.choice(("disk", "disk", *KINDS[1:3], "ring"))
    colour = _unlike(rng, canvas.rgb[0, 0])
    number = 0
    for row in np.arange(pitch / 2, canvas.size[0], pitch):
        for col in np.arange(pitch / 2, canvas.size[1], pitch):
            number += 1
            middle = (row + rng.uniform(-0.05, 0.05) * pitch, col)
            mask = shape(rng, canvas, middle, radius, kind)
            _paint(rng, canvas, mask, colour + rng.uniform(-8, 8))
            canvas.labels[mask] = number


def _scan(rng: Generator, canvas: Canvas) -> None:
    """A grey body in dark air, and organs in it that differ little; or all of that inverted."""
    sides = np.array(canvas.size)
    canvas.rgb[:] = rng.choice((0.0, rng.uniform(0, 40)))
    across, down = sides[::-1] * rng.uniform(0.35, 0.49, 2)
    row, col = sides / 2
    body = ellipse(canvas, (row, col), (across, down), rng.uniform(-0.1, 0.1))
    tissue = rng.uniform(40, 180)
    canvas.rgb[body] = tissue
    for number in range(1, int(rng.integers(1, 5)) + 1):
        radius = canvas.small * rng.uniform(0.07, 0.3)
        row, col = sides * (0.5 + rng.uniform(-0.25, 0.25, 2))
        radii = (radius, radius * rng.uniform(0.5, 1))
        organ = ellipse(canvas, (row, col), radii, rng.uniform(0, np.pi))
        organ &= body & (canvas.labels == 0)
        canvas.rgb[organ] = tissue + rng.uniform(12, 80) * rng.choice((-1, 1, 1))
        canvas.labels[organ] = number
    if rng.random() < 0.15:
        canvas.labels[body & (canvas.labels == 0)] = canvas.labels.max() + 1
    canvas.rgb += rng.normal(0, rng.uniform(0, 8), (*canvas.size, 1))
    if rng.random() < 0.3:
        canvas.rgb[:] = 255 - canvas.rgb


def _bitten(rng: Generator, canvas: Canvas) -> None:
    """A plain shape; the object is all of it but a bite at its border, or a bit of ground more."""
    radius = canvas.small * rng.uniform(0.12, 0.42)
    middle = np.array(_place(rng, canvas, 0.9 * radius))
    kind = rng.choice(("disk", "disk", *KINDS[:5]))
    mask = shape(rng, canvas, (middle[0], middle[1]), radius, kind)
    _paint(rng, canvas, mask, _unlike(rng, canvas.rgb[0, 0]))
    canvas.labels[mask] = 1
    border = np.argwhere(mask & ~cv2.erode(mask.view(np.uint8), np.ones((3, 3))).astype(np.bool_))
    for spot in rng.permutation(border)[: rng.integers(1, 3)]:
        row, col = middle + (spot - middle) * rng.uniform(0.8, 1)
        bite = disk(canvas, (row, col), radius * rng.uniform(0.2, 0.6))
        canvas.labels[bite] = rng.random() < 0.2


def _spot(rng: Generator, canvas: Canvas) -> None:
    """A plain shape; the object is a small spot in it, so that clicks refuse most of it."""
    radius = canvas.small * rng.uniform(0.2, 0.45)
    place = _place(rng, canvas, 0.9 * radius)
    mask = shape(rng, canvas, place, radius, rng.choice(KINDS[:4]))
    _paint(rng, canvas, mask, _unlike(rng, canvas.rgb[0, 0]))
    for row, col in rng.permutation(np.argwhere(mask))[:1]:
        canvas.labels[disk(canvas, (row, col), canvas.small * rng.uniform(0.03, 0.09))] = 1


def _blank(rng: Generator, canvas: Canvas) -> None:
    """Nothing but the ground; the object is a disk of it."""
    radius = canvas.small * rng.uniform(0.1, 0.5)
    canvas.labels[disk(canvas, _place(rng, canvas, 0.7 * radius), radius)] = 1


Scene = Callable[[Generator, Canvas], None]

SCENES: tuple[tuple[Scene, float], ...] = (
    (_several, 0.22),
    (_nested, 0.1),
    (_rows, 0.1),
    (_scan, 0.2),
    (_bitten, 0.3),
    (_spot, 0.05),
    (_blank, 0.03),
)
"""What is drawn, and its share. In the last three only clicks tell what the object is."""
