"""A folder of index masks, a file a frame, with a JSON file of their scores."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.cli.image_output import encode_numbers
from edgeflow.cli.sequences.run_folder import RunFolder
from edgeflow.files import write_atomically
from edgeflow.similar.numbered import MOST_IN_A_BYTE, NumberMap

SCORES = "scores.json"
DIGITS = 4
"""Decimals of scores."""


class MaskFolder:
    """Writes masks as they come. Where objects overlap, a pixel has the lowest number.

    Args:
        run: Where they go; only files that were written by this are read again.
        frames: Names of the frames' files, in order.
        highest: Highest number of an object; above 254 masks have 16 bits.
    """

    def __init__(self, run: RunFolder, frames: list[str], highest: int) -> None:
        self._run, self._frames = run, frames
        self._kind = np.uint8 if highest <= MOST_IN_A_BYTE else np.uint16
        self._scores: dict[int, dict[int, float | None]] = {}
        (run.folder / SCORES).unlink(missing_ok=True)  # of an earlier run's masks

    @property
    def written(self) -> int:
        """How many frames have a mask."""
        return len(self._scores)

    def add(self, frame: int, number: int, mask: BoolMask, score: float | None) -> None:
        """Write an object of a frame.

        Args:
            frame: Number of the frame.
            number: Of the object, from 1.
            mask: H×W, at least one pixel.
            score: Of a mask that was found, 0 to 1; None for one that was given.
        """
        name = self._name(frame)
        if frame in self._scores:
            with Image.open(io.BytesIO((self._run.folder / name).read_bytes())) as image:
                numbers: NumberMap = np.asarray(image).astype(self._kind)
        else:
            numbers = np.zeros(mask.shape, dtype=self._kind)
        numbers[mask & ((numbers == 0) | (numbers > number))] = number
        self._run.write(name, encode_numbers(numbers))
        self._scores.setdefault(frame, {})[number] = score

    def finish(self, model: str) -> None:
        """Write the scores, and delete what an earlier run alone found.

        A frame with a mask that was given says so by ``null``.
        """
        frames: list[dict[str, Any]] = [
            {
                "frame": self._frames[frame],
                "mask": self._name(frame),
                "scores": {
                    str(number): None if score is None else round(score, DIGITS)
                    for number, score in sorted(scores.items())
                },
            }
            for frame, scores in sorted(self._scores.items())
        ]
        document = {"model": model, "frames": frames}
        data = json.dumps(document, indent=1).encode() + b"\n"
        self._run.finish()
        write_atomically(self._run.folder / SCORES, data)

    def _name(self, frame: int) -> str:
        return mask_name(Path(self._frames[frame]))


def mask_name(frame: Path) -> str:
    """What a frame's mask is called."""
    return f"{frame.stem}.png"
