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
from edgeflow.evaluate.clicker import Aim, Clicker, deepest
from edgeflow.evaluate.starts.sources import StartMasks
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.prompts.click import Click
from edgeflow.prompts.prior_mask import PriorMask

AimOf = Callable[[str, int], Aim]
"""From the name of a sample and the number of an object to where its clicks are aimed."""

FLAWLESS = "objects whose start mask has no error"


@dataclass(frozen=True)
class Rules:
    """The protocol's numbers.

    Attributes:
        threshold: Probability above which a pixel belongs to the mask (RITM: .49).
        max_clicks: Number of clicks at which an object is given up.
        stop_at: IoU at which an object is done; figures beyond it cannot be read off a trace. Above
            1 all clicks are made: where nothing is wrong, they confirm what is there.
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
        start_iou: IoU of the mask that the clicks began from; None if they began from nothing.
    """

    sample: str
    number: int
    clicks: tuple[Click, ...]
    ious: tuple[float, ...]
    boundary_ious: tuple[float, ...]
    seconds: tuple[float, ...]
    shape: tuple[int, int]
    packed: bytes
    start_iou: float | None = None

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
    start: BoolMask | None = None,
    aim: Aim = deepest,
) -> Trace:
    """Click one object until it is done; at least once, however good its start mask.

    Args:
        predictor: Predictor; with the clean-up :data:`edgeflow.masks.cleanup.UNTOUCHED` the network
            alone is measured.
        image: Image from the predictor's ``encode``.
        truth: H×W mask of the object, with at least one pixel outside ``ignore``.
        ignore: H×W, true where the annotation does not say; None for nowhere.
        rules: Rules that say when to stop.
        sample: Name of the image, for the trace.
        number: Number of the object, for the trace.
        start: H×W mask that clicks begin from, with at least one error that counts; None for
            nothing.
        aim: Where within an error the annotator clicks.

    Raises:
        ValueError: The object has no pixel that counts, or the start mask no error.
    """
    clicker = Clicker(truth, ignore, aim)
    if not clicker.truth.any():
        raise ValueError(f"{sample}: object {number} has no pixel that counts")
    if start is not None and clicker.iou(start) == 1:
        raise ValueError(f"{sample}: the start mask of object {number} has no error")
    rim_iou = BoundaryIoU(clicker.truth, clicker.valid)
    state = predictor.start(image, None if start is None else PriorMask(start))
    predicted = np.zeros_like(truth) if start is None else start
    clicks: list[Click] = []
    figures: list[tuple[float, float, float]] = []
    while len(clicks) < rules.max_clicks and (not figures or figures[-1][0] < rules.stop_at):
        click = clicker.next_click(predicted) or clicker.confirming_click()
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
        start_iou=None if start is None else clicker.iou(start),
    )


def click_dataset(
    predictor: Predictor,
    dataset: Dataset,
    rules: Rules,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    tell: Callable[[tuple[LeftOut, ...]], None] = lambda _left_out: None,
    *,
    starts: StartMasks | None = None,
    aim_of: AimOf = lambda _sample, _number: deepest,
) -> Iterator[Trace]:
    """Click every object of a dataset, in order.

    Args:
        predictor: Predictor; see :func:`click_object`.
        dataset: Dataset; its objects without a pixel that counts are passed over.
        rules: Rules that say when to stop.
        progress: Called after each image with images done and images in all.
        tell: Called for each image with what is not among its objects, and for each object whose
            start mask has no error, so that there is nothing to click.
        starts: Masks that clicks begin from; None for nothing.
        aim_of: The aim for each object.

    Raises:
        DatasetError: A sample or a start mask cannot be read.
    """
    for index in range(len(dataset)):
        sample = dataset[index]
        tell(sample.left_out)
        image: EncodedImage | None = None
        for number, truth in enumerate(sample.objects, start=1):
            if sample.ignore is not None and not (truth & ~sample.ignore).any():
                continue
            start = None if starts is None else starts.of(sample, number)
            if start is not None and Clicker(truth, sample.ignore).iou(start) == 1:
                tell((LeftOut(FLAWLESS),))
                continue
            image = image or predictor.encode(sample.rgb)
            yield click_object(
                predictor,
                image,
                truth,
                sample.ignore,
                rules,
                sample=sample.name,
                number=number,
                start=start,
                aim=aim_of(sample.name, number),
            )
        progress(index + 1, len(dataset))
