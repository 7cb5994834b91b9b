"""Errors of soft borders on composites whose alpha is known, beside simpler ways.

Usage: ``python -m benchmarks.cutouts``. Shapes with the textures of the demo's photos lie on parts
of the others, 512×512 pixels. Masks are those of the shipped network, from a box and three clicks,
and ones that are blurred and bent as networks do. What is compared, per image: SAD (sum of absolute
differences of alpha, in 1000 pixels), MSE (in thousandths), gradient error (after Rhemann et al.,
CVPR 2009), and on magenta the error of the colours that are seen and the old background among them
(halo), both in 1000 pixels; milliseconds per megapixel are processor time.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatArray, FloatMap, RGBAImage, RGBImage
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Box, ImagePoint
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.matting import cut, cutout
from edgeflow.matting.alpha import GUESS_SMOOTHNESS, soft_alpha
from edgeflow.matting.local_colours import fit
from edgeflow.matting.scale import in_unit_range
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline

PHOTOS = Path(__file__).parents[1] / "demo" / "photos"
SIDE = 512
FINE = 4
"""Shapes are drawn at this scale, so that their borders have real alpha."""

MAGENTA = np.array((255, 0, 255), np.float32)
GLASS = "glass"

TEXTURES = {
    "suit": ("astronaut", 330, 420, 40, 110),
    "fur": ("cat", 20, 90, 160, 250),
    "hair": ("astronaut", 30, 60, 170, 280),
    "coat": ("cameraman", 160, 260, 60, 140),
    "cup": ("coffee", 230, 280, 150, 190),
    "coin": ("coins", 25, 60, 300, 340),
    "wood": ("coffee", 250, 400, 0, 90),
    "sky": ("rocket", 0, 300, 120, 260),
    "wall": ("astronaut", 0, 200, 270, 370),
    "grass": ("cameraman", 260, 500, 330, 500),
    "flag": ("astronaut", 0, 250, 0, 95),
    "city": ("cameraman", 100, 260, 220, 512),
    "blur": ("cat", 0, 300, 330, 451),
}
"""Photo, then top, bottom, left and right of the part."""

SCENES = {
    "hair": "hair-wall hair-sky hair-city coat-grass",
    "fur": "fur-blur fur-grass fur-flag fur-wood",
    "legs": "coat-grass coat-sky suit-wood coin-wall",
    "hole": "cup-wood suit-flag coin-grass",
    "defocus": "cup-wood suit-city fur-sky",
    "person": "hair-wall coat-city suit-flag",
    GLASS: "coin-wood cup-wall",
}
"""By shape: object and background."""

Drawing = npt.NDArray[np.uint8]
Random = np.random.Generator


class Scene(NamedTuple):
    """A composite and what it was made of; ``solid`` is the mask that one wants."""

    shape: str
    image: RGBImage
    alpha: FloatMap
    own: FloatArray
    behind: FloatArray
    solid: BoolMask


class Found(NamedTuple):
    """A mask, and the network's probability where there is one."""

    mask: BoolMask
    probability: FloatMap | None


def _at(x: float, y: float) -> tuple[int, int]:
    return round(x * SIDE * FINE), round(y * SIDE * FINE)


def _strands(
    drawn: Drawing, random: Random, y: float, radius: float, count: int, length: float
) -> None:
    """A disk with curved hairs of about a pixel; all lengths as parts of the side."""
    cv2.circle(drawn, _at(0.5, y), round(radius * SIDE * FINE), 255, -1)
    for _ in range(count):
        angle = random.uniform(0, 2 * np.pi)
        place = np.array((0.5 + radius * 0.98 * np.cos(angle), y + radius * 0.98 * np.sin(angle)))
        heading, turn = angle + random.normal(0, 0.5), random.normal(0, 0.06)
        step = length * random.uniform(0.4, 1.3) / 12
        path = [place]
        for _ in range(12):
            heading += turn
            place = place + step * np.array((np.cos(heading), np.sin(heading)))
            path.append(place)
        points = np.array([_at(float(px), float(py)) for px, py in path], np.int32)
        width = max(1, round(FINE * random.uniform(0.5, 1.2)))
        cv2.polylines(drawn, [points], False, 255, width, cv2.LINE_AA)


def _alpha(shape: str, random: Random) -> FloatMap:
    drawn: Drawing = np.zeros((SIDE * FINE, SIDE * FINE), np.uint8)
    blur = 0.0
    if shape == "hair":
        _strands(drawn, random, 0.5, 0.27, 350, 0.12)
    elif shape == "fur":
        _strands(drawn, random, 0.5, 0.33, 1500, 0.035)
    elif shape == "person":
        _strands(drawn, random, 0.35, 0.16, 250, 0.06)
        cv2.ellipse(drawn, _at(0.5, 0.97), _at(0.28, 0.47), 0, 0, 360, 255, -1)
    elif shape == "legs":
        cv2.rectangle(drawn, _at(0.4, 0.15), _at(0.6, 0.32), 255, -1)
        for x, width in ((0.3, 0.012), (0.42, 0.008), (0.58, 0.005), (0.72, 0.010)):
            cv2.line(drawn, _at(0.5, 0.3), _at(x, 0.92), 255, round(width * SIDE * FINE))
        cv2.line(drawn, _at(0.36, 0.75), _at(0.66, 0.75), 255, 2 * FINE)
        blur = 0.6
    elif shape == "hole":
        cv2.ellipse(drawn, _at(0.42, 0.5), _at(0.22, 0.3), 0, 0, 360, 255, -1)
        cv2.ellipse(drawn, _at(0.66, 0.5), _at(0.11, 0.14), 0, 0, 360, 255, _at(0.035, 0)[0])
        blur = 1.0
    elif shape == "defocus":
        cv2.ellipse(drawn, _at(0.5, 0.5), _at(0.25, 0.33), 20, 0, 360, 255, -1)
        blur = 4.0
    else:
        body = np.array([_at(0.32, 0.2), _at(0.68, 0.2), _at(0.62, 0.7), _at(0.38, 0.7)], np.int32)
        cv2.fillPoly(drawn, [body], 90)
        cv2.polylines(drawn, [body], True, 220, 6 * FINE)
        cv2.rectangle(drawn, _at(0.3, 0.7), _at(0.7, 0.85), 255, -1)
        blur = 0.7
    alpha = cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), blur) if blur else alpha, np.float32)


def _texture(name: str, random: Random) -> FloatArray:
    photo, top, bottom, left, right = TEXTURES[name]
    part = decode_image((PHOTOS / f"{photo}.jpg").read_bytes())[top:bottom, left:right]
    wide = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    noisy = wide + random.normal(0, 3, (SIDE, SIDE, 1))
    return np.asarray(np.clip(noisy, 0, 255), np.float32)


def scenes() -> Iterator[Scene]:
    """All composites, the same at each call."""
    for shape, pairs in SCENES.items():
        for number, pair in enumerate(pairs.split()):
            random = np.random.default_rng(number)
            alpha = _alpha(shape, random)
            own, behind = (_texture(name, random) for name in pair.split("-"))
            mixed = own * alpha[..., None] + behind * (1 - alpha[..., None])
            solid = alpha > (0.2 if shape == GLASS else 0.5)
            yield Scene(shape, np.rint(mixed).astype(np.uint8), alpha, own, behind, solid)


def bent(scene: Scene) -> Found:
    """A mask that errs by a blur of two pixels and by bends of about one."""
    random = np.random.default_rng(5)
    whole = scene.solid.astype(np.float32) if scene.shape == GLASS else scene.alpha
    places = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    rows, columns = (
        place + 1.4 * cv2.resize(random.normal(size=(21, 21)), (SIDE, SIDE)).astype(np.float32)
        for place in places
    )
    low = cv2.GaussianBlur(whole, (0, 0), 2)
    return Found(cv2.remap(low, columns, rows, cv2.INTER_LINEAR) > 0.5, None)


def clicked(predictor: Predictor, scene: Scene) -> Found:
    """The network's mask, from a box around the object and clicks on the worst errors."""
    image = predictor.encode(scene.image)
    top, left, width, height = (
        value for value in np.array(cv2.boundingRect(scene.solid.view(np.uint8)))[[1, 0, 2, 3]]
    )
    box = Box(int(top), int(left), int(top + height), int(left + width))
    clicks: list[Click] = []
    prediction = predictor.predict(image, clicks, start=Outline(box))
    for _ in range(3):
        missed, wrong = (
            cv2.distanceTransform(np.pad(part, 1).view(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
            for part in (scene.solid & ~prediction.mask, prediction.mask & ~scene.solid)
        )
        positive = bool(missed.max() >= wrong.max())
        worst = missed if positive else wrong
        row, column = np.unravel_index(worst.argmax(), worst.shape)
        clicks.append(Click(ImagePoint(float(column), float(row)), positive))
        prediction = predictor.predict(image, clicks, start=Outline(box))
    probability = predictor.probability(image, prediction.state).cpu().numpy()
    return Found(prediction.mask, probability)


def _slope(alpha: FloatMap) -> FloatMap:
    smooth = cv2.GaussianBlur(alpha, (0, 0), 1.4)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *way, ksize=3) for way in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(across, down) / 8, np.float32)


def errors(made: RGBAImage, scene: Scene) -> list[float]:
    """SAD, MSE, gradient, colours, halo; units as in the module's text."""
    alpha = made[..., 3].astype(np.float32) / np.float32(255)
    part, true = alpha[..., None], scene.alpha[..., None]
    seen = made[..., :3] * part + MAGENTA * (1 - part)
    off = seen - (scene.own * true + MAGENTA * (1 - true))
    edge = ((scene.alpha > 0.004) & (scene.alpha < 0.996)) | ((alpha > 0.004) & (alpha < 0.996))
    edge = cv2.dilate(edge.view(np.uint8), np.ones((3, 3))).view(np.bool_)
    towards = scene.behind - MAGENTA
    halo = np.maximum((off * towards).sum(axis=2) / (towards**2).sum(axis=2), 0)
    return [
        float(np.abs(alpha - scene.alpha).sum() / 1000),
        float(((alpha - scene.alpha) ** 2).mean() * 1000),
        float(((_slope(alpha) - _slope(scene.alpha)) ** 2).sum()),
        float(np.abs(off[edge]).mean(axis=1).sum() / 255 / 1000),
        float(halo[edge].sum() / 1000),
    ]


def _blurred(rgb: RGBImage, found: Found, sigma: float) -> RGBAImage:
    alpha = cv2.GaussianBlur(found.mask.astype(np.float32), (0, 0), sigma)
    return np.dstack([rgb, np.rint(alpha * 255).astype(np.uint8)])


def _guided(rgb: RGBImage, mask: BoolMask, radius: int, *_: object, **__: object) -> FloatMap:
    image = in_unit_range(rgb)
    found = fit(image, mask.astype(np.float32), radius, GUESS_SMOOTHNESS).at(image)
    return np.asarray(np.clip(found, 0, 1), np.float32)


def _patched(rgb: RGBImage, found: Found, alpha: Callable[..., FloatMap]) -> RGBAImage:
    with patch.object(cut, "soft_alpha", alpha):
        return cutout(rgb, found.mask, probability=found.probability)


def _old_colours(rgb: RGBImage, found: Found) -> RGBAImage:
    made = cutout(rgb, found.mask, probability=found.probability)
    return np.dstack([rgb, made[..., 3]])


METHODS: dict[str, Callable[[RGBImage, Found], RGBAImage]] = {
    "the mask itself": lambda rgb, found: cutout(rgb, found.mask, soft=False),
    "mask, blurred by 1 px": lambda rgb, found: _blurred(rgb, found, 1),
    "mask, blurred by 2 px": lambda rgb, found: _blurred(rgb, found, 2),
    "guided filter": lambda rgb, found: _patched(rgb, found, _guided),
    "closed form, old colours": _old_colours,
    "closed form": lambda rgb, found: _patched(rgb, found, soft_alpha),
}
"""The last is what ``edgeflow cutout`` does."""


def main() -> None:
    """Print one line per method: means over all shapes but glass, then SAD by shape."""
    predictor = load_predictor()
    print(describe_machine(predictor.runtime.name))
    cases = [
        (scene, found) for scene in scenes() for found in (bent(scene), clicked(predictor, scene))
    ]
    print(f"{'':26}   SAD   MSE   grad  colours  halo  ms/Mpx  SAD of {', '.join(SCENES)}")
    for name, method in METHODS.items():
        rows: dict[str, list[list[float]]] = defaultdict(list)
        began = time.process_time()
        made = [method(scene.image, found) for scene, found in cases]
        spent = (time.process_time() - began) * 1e9 / (len(cases) * SIDE**2)
        for (scene, _), each in zip(cases, made, strict=True):
            rows[scene.shape].append(errors(each, scene))
        solid = np.mean([row for shape in rows if shape != GLASS for row in rows[shape]], axis=0)
        sad = "  ".join(f"{np.mean([row[0] for row in rows[shape]]):5.2f}" for shape in SCENES)
        mean = "{:6.2f}{:6.2f}{:7.1f}{:8.2f}{:7.2f}".format(*solid)
        print(f"{name:26}{mean}{spent:8.0f}  {sad}", flush=True)


if __name__ == "__main__":
    main()
