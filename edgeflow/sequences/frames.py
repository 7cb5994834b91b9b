"""Frames of videos and folders as files that a browser shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import RGBImage
from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes
from edgeflow.errors import EdgeFlowError
from edgeflow.export.pictures import encoded
from edgeflow.files import write_atomically
from edgeflow.geometry import Size
from edgeflow.images import MAX_PIXELS, decode_image
from edgeflow.images.formats import format_of
from edgeflow.preannotation.importing import reason_of
from edgeflow.preannotation.tasks import Report
from edgeflow.sequences.selection import Selection, Stamp, clock
from edgeflow.sequences.video import Video, VideoError

Kind = Literal["JPEG", "PNG"]

ENDINGS: dict[str, Kind] = {"jpg": "JPEG", "png": "PNG"}
"""Formats of frames, by the ending of their names."""

SHOWN = frozenset({"AVIF", "BMP", "GIF", "JPEG", "PNG", "WEBP"})
"""Formats that every browser shows; files of them are copied as they are."""

MISSING_SHARE = 0.02
"""Of the frames that a header claims; headers of sound videos are off by less."""


@dataclass(frozen=True)
class FrameForm:
    """What frames are to be like.

    Attributes:
        ending: One of :data:`ENDINGS`.
        long_side: Longer sides are scaled down to so many pixels; None leaves them.
        most: Frames at most.
        max_pixels: Larger pictures are refused.
    """

    ending: str = "jpg"
    long_side: int | None = None
    most: int = 10_000
    max_pixels: int = MAX_PIXELS


class Frame(NamedTuple):
    """A frame that was written.

    Attributes:
        name: Of its file.
        size: In pixels.
        stamp: Its place in the sequence.
    """

    name: str
    size: Size
    stamp: Stamp


def fit_side(rgb: RGBImage, long_side: int | None) -> RGBImage:
    """Scale an H×W×3 image down so that its longer side fits; itself if it does."""
    height, width = rgb.shape[:2]
    if long_side is None or max(height, width) <= long_side:
        return rgb
    scale = long_side / max(height, width)
    fitted = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(rgb, fitted, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def video_frames(
    video: Video, selection: Selection, folder: Path, form: FrameForm, report: Report
) -> Iterator[Frame]:
    """Write the chosen frames of a video, one after another.

    Args:
        video: An open one.
        selection: Which are taken.
        folder: Where they go.
        form: What they are like.
        report: Told what is lost.

    Yields:
        Each, after it was written.

    Raises:
        VideoError: No frame can be read.
        FileWriteError: A file cannot be written.
    """
    seen = written = 0
    last: Stamp | None = None

    def counted() -> Iterator[Stamp]:
        nonlocal seen, last
        for stamp in video.stamps():
            seen, last = stamp.number + 1, stamp
            yield stamp
        claimed = video.claimed or 0
        if 0 < seen < claimed * (1 - MISSING_SHARE) - 1:
            report.lose("the video is damaged or cut off", f"{seen} of about {claimed} frames")

    for stamp in selection.chosen(counted()):
        if written >= form.most:
            report.lose(
                "the limit of frames: raise --most, or take fewer with --every or --per-second",
                f"after {written} frames, at {clock(stamp.seconds)}",
            )
            return
        rgb = video.image()
        if rgb is None:
            report.lose("frames that cannot be decoded", f"frame {stamp.number}")
            continue
        rgb = fit_side(rgb, form.long_side)
        name = f"frame-{stamp.number:06}.{form.ending}"
        write_atomically(folder / name, encoded(rgb, ENDINGS[form.ending]))
        written += 1
        yield Frame(name, Size(*rgb.shape[:2]), stamp)
    if not written:
        raise _nothing(last, selection)


def folder_frames(
    pictures: list[Path], selection: Selection, folder: Path, form: FrameForm, report: Report
) -> Iterator[Frame]:
    """Write the chosen pictures of a folder; what browsers show is copied as it is.

    Args:
        pictures: In order; a second of them is one picture.
        selection: Which are taken.
        folder: Where they go.
        form: What they are like, unless they are copied.
        report: Told what is lost.

    Yields:
        Each, after it was written.

    Raises:
        DatasetError: No picture can be read.
        FileWriteError: A file cannot be written.
    """
    stamps = [Stamp(index, float(index)) for index in range(len(pictures))]
    chosen = list(selection.chosen(stamps))
    written = 0
    for stamp in chosen:
        path = pictures[stamp.number]
        if written >= form.most:
            report.lose("the limit of frames: raise --most", f"{path.name} and all behind it")
            return
        try:
            data = read_bytes(path)
            rgb = decode_image(data, max_pixels=form.max_pixels)
        except EdgeFlowError as error:
            report.lose(reason_of(error), path.name)
            continue
        fitted, kind = fit_side(rgb, form.long_side), format_of(data)
        name = path.name
        if fitted is not rgb or kind is None or kind.name not in SHOWN:
            name = f"{path.stem}.{form.ending}"
            data = encoded(fitted, ENDINGS[form.ending])
        write_atomically(folder / name, data)
        written += 1
        yield Frame(name, Size(*fitted.shape[:2]), stamp)
    if not written:
        raise DatasetError("no picture can be read", hint="check the folder, --start and --end")


def _nothing(last: Stamp | None, selection: Selection) -> VideoError:
    if last is None:
        return VideoError(
            "no frame of the video can be decoded: it is damaged, cut off, or holds sound alone",
            hint="check that a player shows it, and convert it with ffmpeg",
        )
    return VideoError(
        f"no frame was taken: the video ends at {clock(last.seconds)}"
        if last.seconds < selection.start
        else "no frame was taken",
        hint="check --start and --end",
    )
