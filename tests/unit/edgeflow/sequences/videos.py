"""Small videos, made by code."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIZE = (96, 64)
"""Width and height of their frames."""


def write_video(path: Path, frames: int = 20, rate: float = 10, codec: str = "mp4v") -> Path:
    """A video in which a bright square moves to the right, two pixels a frame."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate, SIZE)
    assert writer.isOpened()
    for number in range(frames):
        frame = np.full((SIZE[1], SIZE[0], 3), 40, dtype=np.uint8)
        frame[20:40, 10 + 2 * number : 30 + 2 * number] = (30, 160, 230)
        writer.write(frame)
    writer.release()
    return path
