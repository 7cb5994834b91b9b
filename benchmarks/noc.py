"""Number of clicks on GrabCut and Berkeley, after RITM's protocol (arXiv:2102.06583, section 5).

Usage: ``python -m benchmarks.noc FOLDER …``, each with ``images/`` and ``masks/`` (0 background, 1
object, 255 ignore). The next click falls on the deepest point of the larger error; prediction
threshold .49; 20 clicks at most; float32.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.cleanup import UNTOUCHED
from edgeflow.geometry import ImagePoint
from edgeflow.images import decode_image
from edgeflow.predictor import Predictor, load_predictor
from edgeflow.prompts import Click

THRESHOLD = 0.49
MAX_CLICKS = 20
STOP_AT = 0.9
IGNORE = 255

BoolMask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Result:
    """IoU after each click, one list an object, up to the click that reached ``STOP_AT``."""

    ious: list[list[float]]
    seconds: float

    def noc(self, target: float) -> float:
        """Mean number of clicks to an IoU of ``target``; 20 where it was never reached."""
        return float(np.mean([self._clicks(ious, target) for ious in self.ious]))

    def failures(self, target: float) -> int:
        """Objects whose IoU never reached ``target``."""
        return sum(max(ious) < target for ious in self.ious)

    def iou_at(self, count: int) -> float:
        """Mean IoU after ``count`` clicks; objects that were done earlier count as they ended."""
        return float(np.mean([ious[min(count, len(ious)) - 1] for ious in self.ious]))

    @staticmethod
    def _clicks(ious: list[float], target: float) -> int:
        return next((n for n, iou in enumerate(ious, start=1) if iou >= target), MAX_CLICKS)


def next_click(predicted: BoolMask, truth: BoolMask, valid: BoolMask, free: BoolMask) -> Click:
    """The deepest point of the larger error region; ties are negative, first row-major.

    Args:
        predicted: H×W mask.
        truth: H×W mask.
        valid: H×W, false where the ground truth says ignore.
        free: H×W, false where a click fell already.
    """
    missed, excess = (_depth(m & valid) * free for m in (truth & ~predicted, predicted & ~truth))
    positive = bool(missed.max() > excess.max())
    depth = missed if positive else excess
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return Click(ImagePoint(float(col), float(row)), positive)


def _depth(mask: BoolMask) -> npt.NDArray[np.float32]:
    padded = np.pad(mask.astype(np.uint8), 1)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 0)[1:-1, 1:-1].astype(np.float32)


def measure_object(
    predictor: Predictor, rgb: npt.NDArray[np.uint8], truth: BoolMask, valid: BoolMask
) -> list[float]:
    """Click one object until its IoU reaches ``STOP_AT``; return the IoU after each click."""
    image = predictor.encode(rgb)
    state = predictor.start(image)
    predicted = np.zeros_like(truth)
    free = np.ones_like(truth)
    ious: list[float] = []
    while len(ious) < MAX_CLICKS and (not ious or ious[-1] < STOP_AT):
        click = next_click(predicted, truth, valid, free)
        free[int(click.point.y), int(click.point.x)] = False
        state, probability = predictor.step(image, state, click)
        predicted = (probability > THRESHOLD).cpu().numpy()
        union = ((predicted | truth) & valid).sum()
        ious.append(float((predicted & truth & valid).sum() / union))
    return ious


def measure(predictor: Predictor, folder: Path) -> Result:
    """Measure every object of a benchmark."""
    started = time.perf_counter()
    ious = []
    for mask_path in sorted((folder / "masks").glob("*.png")):
        (image_path,) = (folder / "images").glob(f"{mask_path.stem}.*")
        labels = np.asarray(Image.open(mask_path))
        rgb = decode_image(image_path.read_bytes())
        ious.append(measure_object(predictor, rgb, labels == 1, labels != IGNORE))
    return Result(ious, time.perf_counter() - started)


def main() -> None:
    """Measure the folders given and print a table."""
    predictor = load_predictor(cleanup=UNTOUCHED)  # the network itself is measured
    print(f"{predictor.version}, {predictor.runtime.name}, zoom-in, no flip, threshold {THRESHOLD}")
    for name in sys.argv[1:]:
        result = measure(predictor, Path(name))
        steps = sum(map(len, result.ious))
        noc = "  ".join(f"NoC@{t} {result.noc(t / 100):.2f}" for t in (80, 85, 90))
        iou = " / ".join(f"{result.iou_at(n):.3f}" for n in (1, 3, 5))
        print(
            f"{Path(name).name}: {len(result.ious)} objects  {noc}  IoU after 1/3/5 {iou}  "
            f"over 20: {result.failures(0.9)}  {result.seconds / steps * 1000:.0f} ms a click"
        )


if __name__ == "__main__":
    main()
