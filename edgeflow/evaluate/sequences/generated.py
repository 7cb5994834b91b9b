"""Sequences made by code: moving shapes, bodies in slices, cells in slices. No files, no licences.

Each follows from its kind and number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatMap, RGBImage
from edgeflow.evaluate.chance import chance
from edgeflow.evaluate.sequences.sequence import AnnotatedPage, MadeSequence
from edgeflow.geometry import Size

PAGES = 20
SIZE = Size(240, 320)
LEAST_AREA = 200
"""Pixels that an object has on each page; a sequence ends before it has less."""

Random = np.random.Generator
FloatMaps = npt.NDArray[np.float32]


def generated(kinds: tuple[str, ...], count: int, pages: int = PAGES) -> Iterator[MadeSequence]:
    """Make sequences.

    Args:
        kinds: Of :data:`KINDS`.
        count: Of each kind.
        pages: Most pages of a sequence; the object may be out of sight earlier.
    """
    for kind in kinds:
        for number in range(count):
            made = KINDS[kind](chance("sequence", kind, number), pages)
            yield MadeSequence(f"{kind}/{number:03d}", made)


def moving_shapes(rng: Random, pages: int) -> list[AnnotatedPage]:
    """A textured shape that moves, turns and bends over moving ground, with another of its kind."""
    ground = _texture(rng, Size(SIZE.height * 2, SIZE.width * 2), coarse=rng.uniform(5, 14))
    skin = _texture(rng, SIZE, coarse=rng.uniform(4, 10))
    skin = (0.75 * skin + rng.uniform(0, 64, 3)).astype(np.float32)
    pan = rng.uniform(-3, 3, 2)
    shapes = [_Shape(rng, np.array((rng.uniform(100, 220), rng.uniform(80, 160)))) for _ in "ab"]
    aside = rng.choice(np.array((-1.0, 1.0)), 2) * rng.uniform(50, 90, 2)
    shapes[1].place = shapes[0].place + aside
    made: list[AnnotatedPage] = []
    for _ in range(pages):
        top, left = (round(float(value)) for value in np.array((120, 160)) + pan * len(made))
        page = np.roll(ground, (-top, -left), (0, 1))[: SIZE.height, : SIZE.width].copy()
        truth = np.zeros(SIZE, dtype=np.bool_)
        for number, shape in enumerate(reversed(shapes)):
            mask = shape.drawn()
            worn = shape.worn(skin)
            page = np.where(mask[..., None], worn, page)
            truth = mask if number else truth
            shape.move()
        if np.count_nonzero(truth) < LEAST_AREA:
            break
        made.append(AnnotatedPage(_photographed(rng, page), truth))
    return made


class _Shape:
    """A star-shaped body in motion."""

    def __init__(self, rng: Random, place: npt.NDArray[np.float64]) -> None:
        self.place, self.angle, self.size = place, rng.uniform(0, 6.3), rng.uniform(22, 46)
        self._speed, self._spin = rng.uniform(-4, 4, 2), rng.uniform(-0.08, 0.08)
        self._growth = rng.uniform(0.985, 1.015)
        self._waves = rng.uniform(0, 0.16, 4)
        self._phases, self._drift = rng.uniform(0, 6.3, 4), rng.uniform(-0.12, 0.12, 4)

    def move(self) -> None:
        self.place = self.place + self._speed
        for axis, side in enumerate((SIZE.width, SIZE.height)):
            if not 30 < self.place[axis] < side - 30:
                self._speed[axis] *= -1
        self.angle += self._spin
        self.size *= self._growth
        self._phases += self._drift

    def drawn(self) -> BoolMask:
        around = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        orders = np.arange(2, 6)[:, None]
        waves = self._waves[:, None] * np.cos(orders * around + self._phases[:, None])
        radius = self.size * (1 + waves.sum(axis=0))
        turned = around + self.angle
        points = self.place + radius[:, None] * np.stack((np.cos(turned), np.sin(turned)), axis=1)
        canvas = np.zeros(SIZE, dtype=np.uint8)
        cv2.fillPoly(canvas, [np.round(points).astype(np.int32)], (1,))
        return canvas > 0

    def worn(self, skin: FloatMaps) -> FloatMaps:
        """The skin as it lies on the body."""
        centre = (SIZE.width / 2, SIZE.height / 2)
        turn = cv2.getRotationMatrix2D(centre, -np.degrees(self.angle), self.size / 34)
        turn[:, 2] = turn[:, 2] + self.place - centre
        shape = (SIZE.width, SIZE.height)
        worn = cv2.warpAffine(skin, turn, shape, borderMode=cv2.BORDER_REFLECT)
        return worn.astype(np.float32, copy=False)


def bodies(rng: Random, pages: int) -> list[AnnotatedPage]:
    """Slices through soft bodies in a noisy ground, as of CT or MR: some touch, all swell."""
    count = 9
    centres = np.column_stack((rng.uniform(30, 290, count), rng.uniform(30, 210, count)))
    depth, half = rng.uniform(0, pages, count), rng.uniform(0.5, 1.2, count) * pages
    radius, grey = rng.uniform(18, 42, count), rng.uniform(95, 190, count)
    centres[0], depth[0], half[0] = (160, 120), rng.uniform(0.3, 0.7) * pages, 1.1 * pages
    radius[0] = rng.uniform(30, 50)
    lean, bend = rng.uniform(-1.4, 1.4, (count, 2)), rng.uniform(-0.14, 0.14, count)
    rows, cols = _grid()
    made: list[AnnotatedPage] = []
    shadow = _noise(rng, SIZE, 40) * 14
    for number in range(pages):
        page = np.full(SIZE, 70, dtype=np.float32) + shadow
        truth = np.zeros(SIZE, dtype=np.bool_)
        for body in reversed(range(count)):
            away = (number - depth[body]) / half[body]
            if abs(away) >= 1:
                continue
            x, y = centres[body] + lean[body] * (number - depth[body])
            size = radius[body] * np.sqrt(1 - away * away)
            turned = np.arctan2(rows - y, cols - x)
            edge = size * (
                1
                + 0.2 * np.cos(2 * turned + body + bend[body] * number)
                + 0.08 * np.cos(3 * turned - bend[body] * number)
            )
            inside = np.hypot(rows - y, cols - x) < edge
            page[inside] = grey[body] + shadow[inside]
            truth = inside if body == 0 else truth & ~inside
        if np.count_nonzero(truth) < LEAST_AREA:
            if made:
                break
            continue
        page = cv2.GaussianBlur(page, (0, 0), 1.2) + rng.normal(0, 9, SIZE)
        made.append(AnnotatedPage(_as_grey(page), truth))
    return made


def cells(rng: Random, pages: int) -> list[AnnotatedPage]:
    """Slices through cells with dark membranes, as of an electron microscope.

    Cells fill the volume, look alike, and change from slice to slice; slices are not quite aligned,
    nor equally bright.
    """
    count, step = 420, rng.uniform(1.0, 2.4)
    points = rng.uniform((-60, -60, -80), (380, 300, step * pages + 80), (count, 3))
    grey = rng.normal(168, 10, count)
    rows, cols = _grid()
    bend = [_noise(rng, SIZE, 26) * 7 for _ in range(4)]
    drift = np.cumsum(rng.normal(0, 0.6, (pages, 2)), axis=0)
    labels, pictures = [], []
    for number in range(pages):
        turn = 2 * np.pi * number / 90
        x = cols + bend[0] * np.cos(turn) + bend[1] * np.sin(turn) + drift[number, 0]
        y = rows + bend[2] * np.cos(turn) + bend[3] * np.sin(turn) + drift[number, 1]
        nearest, gap = _nearest(points, x, y, number * step)
        page = grey[nearest].astype(np.float32)
        page = page + _noise(rng, SIZE, 2) * 12 + _noise(rng, SIZE, 6) * 8
        page = page * (1 - 0.62 * np.exp(-((gap / 3.2) ** 2)))
        page = cv2.GaussianBlur(page, (0, 0), 0.8) * rng.uniform(0.93, 1.07)
        pictures.append(_as_grey(page + rng.normal(0, 6, SIZE)))
        labels.append(np.where(gap > 2.5, nearest, -1))
    return _of_one_cell(pictures, labels, rng)


def _of_one_cell(
    pictures: list[RGBImage], labels: list[npt.NDArray[np.int64]], rng: Random
) -> list[AnnotatedPage]:
    """The pages of a cell that lasts, from the one in the middle on."""
    best: list[AnnotatedPage] = []
    middle = labels[0][40:-40, 60:-60]
    for cell in rng.permutation(np.unique(middle[middle >= 0])).tolist():
        pages = []
        for picture, page in zip(pictures, labels, strict=True):
            truth = _largest(page == cell)
            if np.count_nonzero(truth) < LEAST_AREA:
                break
            pages.append(AnnotatedPage(picture, truth))
        best = max(best, pages, key=len)
        if len(best) == len(pictures):
            break
    return best


KINDS: dict[str, Callable[[Random, int], list[AnnotatedPage]]] = {
    "shapes": moving_shapes,
    "bodies": bodies,
    "cells": cells,
}
"""Kinds of generated sequences."""


def _nearest(
    points: npt.NDArray[np.float64], x: FloatMap, y: FloatMap, z: float
) -> tuple[npt.NDArray[np.int64], FloatMap]:
    """Number of the nearest point at each pixel, and how much farther the second one is."""
    close = np.argsort(np.abs(points[:, 2] - z))[:160]
    first = np.full(SIZE, np.inf, dtype=np.float32)
    second, which = first.copy(), np.zeros(SIZE, dtype=np.int64)
    for number in close.tolist():
        px, py, pz = points[number]
        away = np.sqrt((x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2, dtype=np.float32)
        nearer = away < first
        second = np.minimum(np.maximum(away, first), second)
        first = np.minimum(away, first)
        which[nearer] = number
    return which, (second - first) / 2


def _largest(mask: BoolMask) -> BoolMask:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if len(stats) < 2:
        return np.zeros_like(mask)
    largest: BoolMask = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return largest


def _grid() -> tuple[FloatMap, FloatMap]:
    rows, cols = np.mgrid[0 : SIZE.height, 0 : SIZE.width].astype(np.float32)
    return rows, cols


def _noise(rng: Random, size: Size, grain: float) -> FloatMap:
    """Smooth noise of unit deviation: h×w float32."""
    small = Size(*(max(4, round(side / grain)) for side in size))
    values = rng.normal(0, 1, small).astype(np.float32)
    smooth = cv2.resize(values, (size.width, size.height), interpolation=cv2.INTER_CUBIC)
    noise: FloatMap = (smooth / max(float(smooth.std()), 1e-6)).astype(np.float32)
    return noise


def _texture(rng: Random, size: Size, coarse: float) -> FloatMaps:
    """Coloured texture: h×w×3 float32, 0 to 255."""
    tone = rng.uniform(70, 180, 3)
    common = _noise(rng, size, coarse) * 22 + _noise(rng, size, coarse * 4) * 18
    colours = [common + _noise(rng, size, coarse * 3) * 10 + value for value in tone]
    texture: FloatMaps = np.clip(np.stack(colours, axis=-1), 0, 255).astype(np.float32)
    return texture


def _photographed(rng: Random, page: FloatMaps) -> RGBImage:
    blurred = cv2.GaussianBlur(page, (0, 0), 0.8) * rng.uniform(0.96, 1.04)
    return np.clip(blurred + rng.normal(0, 4, page.shape), 0, 255).astype(np.uint8)


def _as_grey(page: npt.NDArray[np.floating]) -> RGBImage:
    return np.repeat(np.clip(page, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)
