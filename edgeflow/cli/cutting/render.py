"""From an object's image and prompts to the bytes of its cut-out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from PIL import ImageColor

from edgeflow.arrays import BoolMask, FloatMap, RGBImage
from edgeflow.cli.cutting.jobs import STANDARD, Job
from edgeflow.cli.image_output import encode_cutout, encode_overlay
from edgeflow.errors import EdgeFlowError, ImageTooLargeError, PromptError, no_object
from edgeflow.geometry import Size
from edgeflow.images import decode_image, quiet_decoders
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import check_shape
from edgeflow.matting import cutout
from edgeflow.matting.compose import covering, laid_on, object_box
from edgeflow.prompts.notation import box_on
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import Start

MAX_BYTES = 1 << 30
"""Largest image file; a pipe may have no end."""

MASK_LEVEL = 127
"""What is brighter than this, in any colour, is the object in a mask's file."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """How cut-outs look.

    Attributes:
        soft: Whether borders are soft; otherwise alpha is 0 or 255.
        crop: Whether the empty space around the object is cut away.
        margin: Pixels of it that stay on each side.
        background: Image or colour behind the object; None leaves it transparent.
    """

    soft: bool
    crop: bool
    margin: int
    background: RGBImage | Colour | None


class ImageReader:
    """Decodes images upright, and keeps the last one: it may have several objects.

    Args:
        max_pixels: Larger images are refused.
    """

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self.read = lru_cache(maxsize=1)(self._read)

    def _read(self, path: Path) -> RGBImage:
        if path == STANDARD:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ImageTooLargeError(
                f"more than {MAX_BYTES} bytes", hint="check that it is an image"
            )
        with quiet_decoders():
            return decode_image(data, max_pixels=self._max_pixels)


class Renderer:
    """Cuts objects out, one after the other.

    Args:
        look: How.
        images: Reads them.
        load: Loads the network; called once, and only if a prompt needs it.
    """

    def __init__(self, look: Look, images: ImageReader, load: Callable[[], Predictor]) -> None:
        self._look = look
        self._images = images
        self._load = load
        self._encoded = lru_cache(maxsize=1)(self._encode)

    def render(self, job: Job, path: Path) -> bytes:
        """The file of an object's cut-out.

        Args:
            job: The object.
            path: Its ending decides the format.

        Raises:
            EdgeFlowError: The image or a mask cannot be read, a prompt does not fit the image, no
                object was found, or the format cannot hold the cut-out.
            OSError: A file cannot be read.
        """
        rgb = self._images.read(job.image)
        mask, probability = self._mask(job, rgb)
        rgba = cutout(rgb, mask, soft=self._look.soft, probability=probability)
        box = object_box(rgba, self._look.margin) if self._look.crop else None
        if box is not None:
            rgba = rgba[box.slices]
        background = self._look.background
        if background is None:
            return encode_cutout(rgba, path)
        if not isinstance(background, tuple):
            background = covering(background, Size(*rgba.shape[:2]))
        return encode_overlay(laid_on(rgba, background), path)

    def _mask(self, job: Job, rgb: RGBImage) -> tuple[BoolMask, FloatMap | None]:
        """The object's mask, and its probability where the network alone found it."""
        size = Size(*rgb.shape[:2])
        start: Start | None = None
        if job.mask is not None:
            if job.prompt.box is not None:
                raise PromptError(
                    "a mask and a box are both named", hint="name one of them; clicks go with both"
                )
            mask = read_mask(job.mask, size)
            if not job.prompt.clicks:
                return mask, None
            start = PriorMask(mask)
        elif job.prompt.box is not None:
            start = Outline(box_on(job.prompt.box, size))
        image = self._encoded(job.image)
        prediction = self._predictor.predict(image, job.prompt.clicks, start=start)
        if prediction.patch.empty:
            raise no_object()
        if job.mask is not None:
            return prediction.mask, None
        probability = self._predictor.probability(image, prediction.state)
        return prediction.mask, probability.cpu().numpy()

    @cached_property
    def _predictor(self) -> Predictor:
        return self._load()

    def _encode(self, path: Path) -> EncodedImage:
        return self._predictor.encode(self._images.read(path))


def read_mask(path: Path, size: Size) -> BoolMask:
    """Read a mask's file: what is brighter than :data:`MASK_LEVEL` is the object.

    Args:
        path: Image file.
        size: Of the image that it belongs to.

    Raises:
        EdgeFlowError: It cannot be read, has another size, or is empty.
        OSError: The file cannot be read.
    """
    try:
        levels = ImageReader(size.height * size.width).read(path)
    except ImageTooLargeError as error:
        raise PromptError(
            f"the mask {path} is larger than the image ({size.width}×{size.height})",
            hint="save it at the image's size",
        ) from error
    mask: BoolMask = levels.max(axis=2) > MASK_LEVEL
    check_shape(f"mask {path}", mask, size)
    if not mask.any():
        raise PromptError(
            f"the mask {path} is empty", hint=f"the object has to be brighter than {MASK_LEVEL}"
        )
    return mask


def background_of(
    text: str | None, file: Path | None, images: ImageReader
) -> RGBImage | Colour | None:
    """The background that a command line names.

    Args:
        text: A colour, or the path of an image; None for none.
        file: The image, where ``text`` names one.
        images: Reads it.

    Raises:
        EdgeFlowError: The text is neither a colour nor a file, or the colour is not opaque.
    """
    if file is not None:
        return images.read(file)
    if text is None:
        return None
    try:
        red, green, blue, *alpha = ImageColor.getrgb(text)
    except ValueError as error:
        raise EdgeFlowError(
            f"the background {text!r} is neither a colour nor a file",
            hint="write white, #00b140, rgb(0,177,64), or the path of an image",
        ) from error
    if alpha and alpha[0] != 255:
        raise EdgeFlowError(
            f"the background {text!r} is transparent", hint="leave --background out"
        )
    return red, green, blue
