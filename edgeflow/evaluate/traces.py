"""What happened to each object: every click, and how good the mask was after it."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.base import Dataset
from edgeflow.data.left_out import LeftOut
from edgeflow.evaluate.boundary import BoundaryIoU
from edgeflow.evaluate.clicker import Clicker
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.prompts.click import Click


@dataclass(frozen=True)
class Rules:
    """The protocol's numbers.

    Attributes:
        threshold: Probability above which a pixel belongs to the mask (RITM: .49).
        max_clicks: Number of clicks at which an object is given up.
        stop_at: IoU at which an object is done; figures beyond it cannot be read off a trace.
    """

    threshold: float = 0.49
    max_clicks: int = 20
    stop_at: float = 0.95


@dataclass(frozen=True)
class Trace:
    """One object's clicks.

    Attributes:
        sample: Name of the image.
        number: Number of the object within its image, from 1.
        clicks: Clicks in order; one or more.
        ious: IoU after each click, 0 to 1.
        boundary_ious: Boundary IoU after each click, 0 to 1.
        seconds: Time from each click to its mask on the CPU, without the simulated annotator.
        shape: Height and width of the image.
        packed: Last mask, compressed; see :attr:`mask`.
    """

    sample: str
    number: int
    clicks: tuple[Click, ...]
    ious: tuple[float, ...]
    boundary_ious: tuple[float, ...]
    seconds: tuple[float, ...]
    shape: tuple[int, int]
    packed: bytes

    @property
    def mask(self) -> BoolMask:
        """The mask after the last click, H×W."""
        height, width = self.shape
        bits = np.frombuffer(zlib.decompress(self.packed), dtype=np.uint8)
        return np.unpackbits(bits, count=height * width).reshape(height, width).astype(np.bool_)

    def iou_at(self, count: int) -> float:
        """IoU after ``count`` clicks; an object that was done earlier stays as it was."""
        return self.ious[min(count, len(self.ious)) - 1]

    def boundary_iou_at(self, count: int) -> float:
        """Boundary IoU after ``count`` clicks, counted in the same way."""
        return self.boundary_ious[min(count, len(self.boundary_ious)) - 1]

    def clicks_to(self, target: float, max_clicks: int) -> int:
        """Clicks until the IoU was at least ``target``; ``max_clicks`` if it never was."""
        return next((n for n, iou in enumerate(self.ious, 1) if iou >= target), max_clicks)


def click_object(
    predictor: Predictor,
    image: EncodedImage,
    truth: BoolMask,
    ignore: BoolMask | None,
    rules: Rules,
    *,
    sample: str = "",
    number: int = 1,
) -> Trace:
    """Click one object until it is done.

    Args:
        predictor: Predictor; with the clean-up :data:`edgeflow.masks.cleanup.UNTOUCHED` the network
            alone is measured.
        image: Image from the predictor's ``encode``.
        truth: H×W mask of the object, with at least one pixel outside ``ignore``.
        ignore: H×W, true where the annotation does not say; None for nowhere.
        rules: Rules that say when to stop.
        sample: Name of the image, for the trace.
        number: Number of the object, for the trace.

    Raises:
        ValueError: The object has no pixel that counts.
    """
    clicker = Clicker(truth, ignore)
    if not clicker.truth.any():
        raise ValueError(f"{sample}: object {number} has no pixel that counts")
    rim_iou = BoundaryIoU(clicker.truth, clicker.valid)
    state = predictor.start(image)
    predicted = np.zeros_like(truth)
    clicks: list[Click] = []
    figures: list[tuple[float, float, float]] = []
    while len(clicks) < rules.max_clicks and (not figures or figures[-1][0] < rules.stop_at):
        click = clicker.next_click(predicted)
        if click is None:
            break
        began = time.perf_counter()
        state, probability = predictor.step(image, state, click)
        predicted = (probability > rules.threshold).cpu().numpy()
        took = time.perf_counter() - began
        clicks.append(click)
        figures.append((clicker.iou(predicted), rim_iou(predicted), took))
    ious, boundary_ious, seconds = zip(*figures, strict=True)
    height, width = truth.shape
    return Trace(
        sample=sample,
        number=number,
        clicks=tuple(clicks),
        ious=ious,
        boundary_ious=boundary_ious,
        seconds=seconds,
        shape=(height, width),
        packed=zlib.compress(np.packbits(predicted).tobytes(), 1),
    )


def click_dataset(
    predictor: Predictor,
    dataset: Dataset,
    rules: Rules,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    tell: Callable[[tuple[LeftOut, ...]], None] = lambda _left_out: None,
) -> Iterator[Trace]:
    """Click every object of a dataset, in order.

    Args:
        predictor: Predictor; see :func:`click_object`.
        dataset: Dataset; its objects without a pixel that counts are passed over.
        rules: Rules that say when to stop.
        progress: Called after each image with images done and images in all.
        tell: Called for each image with what is not among its objects.

    Raises:
        DatasetError: A sample cannot be read.
    """
    for index in range(len(dataset)):
        sample = dataset[index]
        tell(sample.left_out)
        image: EncodedImage | None = None
        for number, truth in enumerate(sample.objects, start=1):
            if sample.ignore is not None and not (truth & ~sample.ignore).any():
                continue
            image = image or predictor.encode(sample.rgb)
            yield click_object(
                predictor, image, truth, sample.ignore, rules, sample=sample.name, number=number
            )
        progress(index + 1, len(dataset))
