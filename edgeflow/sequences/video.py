"""Reads a video frame by frame, with one frame in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from edgeflow.arrays import RGBImage
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Size
from edgeflow.images.formats import MAX_PIXELS, describe
from edgeflow.sequences.selection import Stamp

_CONVERT = "convert it, for example with `ffmpeg -i VIDEO -c:v libx264 -pix_fmt yuv420p out.mp4`"

_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"<smil", b"[playlist]")
"""How files begin that name other files or hosts, which a video may not do."""

_HEAD_BYTES = 64
_MOST_FRAMES = 1 << 31


class VideoError(EdgeFlowError):
    """A file that cannot be read as a video."""

    code = "video_unreadable"


class Video:
    """A video file.

    Args:
        path: The file.
        max_pixels: Videos with larger frames are refused.

    Attributes:
        size: Of its frames, upright.
        claimed: How many frames its header says that it has; None if it does not.

    Raises:
        VideoError: It is empty, no file, no video, or its frames are too large.
    """

    def __init__(self, path: Path, *, max_pixels: int = MAX_PIXELS) -> None:
        self._name, self._max_pixels = path.name, max_pixels
        _check_head(path)
        # An absolute path is a file whatever its name looks like: no URL and no pattern of names.
        self._capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise VideoError(
                f"{path.name} is no video that can be read, or its beginning or end is missing",
                hint=_CONVERT,
            )
        self.size = Size(
            int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        )
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.claimed = int(count) if 0 < count < _MOST_FRAMES else None
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._rate = rate if math.isfinite(rate) and rate > 0 else None
        try:
            self._check_pixels(self.size)
        except VideoError:
            self._capture.release()
            raise

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()

    def stamps(self) -> Iterator[Stamp]:
        """Its frames, one after another; :meth:`image` reads the last one."""
        seconds, index = 0.0, 0
        while self._capture.grab():
            told = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if not told > 0 and self._rate is not None:  # some containers hold no times
                told = index / self._rate
            seconds = max(seconds, told) if math.isfinite(told) else seconds
            yield Stamp(index, seconds)
            index += 1

    def image(self) -> RGBImage | None:
        """The frame that was reached last, H×W×3 uint8; None if it is damaged.

        Raises:
            VideoError: It is too large.
        """
        read, frame = self._capture.retrieve()
        if not read or frame is None or frame.dtype != np.uint8 or not frame.size:
            return None
        self._check_pixels(Size(*frame.shape[:2]))
        if frame.ndim == 2:
            return cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)

    def _check_pixels(self, size: Size) -> None:
        if size.height * size.width > self._max_pixels:
            raise VideoError(
                f"the frames of {self._name} have {size.width}×{size.height} pixels, the limit is "
                f"{self._max_pixels}",
                hint="scale the video down, or raise --max-pixels",
            )


def _check_head(path: Path) -> None:
    if not path.is_file():
        raise VideoError(
            f"{path.name} is no file", hint="record a stream or device into a file first"
        )
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise VideoError(f"{path.name} is empty", hint="copy or record it again")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_PLAYLISTS):
        raise VideoError(
            f"{path.name} is no video, but a list that names others", hint="name one of those files"
        )
    what = describe(head)
    if what and what != "it is a video":
        raise VideoError(f"{path.name} is no video: {what}", hint="name a video, or a folder")
