"""Values of a scan to the grey that is shown: windows, tables and presets.

Formulas: DICOM PS3.3, C.11.2.1.2 (windows) and C.11.2.1.1 (tables).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import ByteMap, FloatMap
from edgeflow.errors import EdgeFlowError

Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


class Shown(Protocol):
    """A rule that makes grey of values."""

    def grey(self, values: FloatMap) -> ByteMap:
        """H×W uint8, 0 to 255, of H×W float32."""
        ...


@dataclass(frozen=True)
class Window:
    """A window of values, from black to white.

    Attributes:
        centre: In the values' unit.
        width: Above 0; of LINEAR at least 1.
        function: As in DICOM's VOI LUT Function.
    """

    centre: float
    width: float
    function: Function = "LINEAR"

    def grey(self, values: FloatMap) -> ByteMap:
        """See :class:`Shown`."""
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):
                part = 1 / (1 + np.exp(-4 * (values - self.centre) / self.width))
        elif self.function == "LINEAR" and self.width <= 1:  # a threshold, as the formula has it
            part = (values > self.centre - 0.5).astype(np.float32)
        elif self.function == "LINEAR":
            part = (values - (self.centre - 0.5)) / (self.width - 1) + 0.5
        else:
            part = (values - self.centre) / self.width + 0.5
        return _bytes(part)


@dataclass(frozen=True, eq=False)
class Table:
    """A look-up table; values beyond its ends have the entry there.

    Attributes:
        first: The value of the first entry.
        entries: N float32.
        highest: The entry that is white.
    """

    first: int
    entries: npt.NDArray[np.float32]
    highest: float

    def look_up(self, values: FloatMap) -> FloatMap:
        """The entries of H×W values."""
        places = np.clip(np.nan_to_num(values) - self.first, 0, len(self.entries) - 1)
        return self.entries[places.astype(np.intp)]

    def grey(self, values: FloatMap) -> ByteMap:
        """See :class:`Shown`."""
        return _bytes(self.look_up(values) / np.float32(self.highest))


def _bytes(part: FloatMap) -> ByteMap:
    grey = np.clip(np.nan_to_num(part), 0, 1) * 255
    return np.rint(grey).astype(np.uint8)


PRESETS = {
    "soft-tissue": Window(40, 400),
    "lung": Window(-600, 1500),
    "bone": Window(400, 1800),
    "brain": Window(40, 80),
    "mediastinum": Window(50, 350),
    "liver": Window(60, 160),
    "subdural": Window(75, 215),
    "angio": Window(300, 600),
}
"""Windows for CT in Hounsfield units, those that radiologists' viewers commonly offer."""

OWN, FULL = "own", "full"
"""The file's own window, or else its values' range; that range whatever the file says."""

_NUMBERS = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*")


def parse_window(text: str) -> Window | Literal["own", "full"]:
    """A preset's name, ``own``, ``full``, or ``CENTRE,WIDTH``.

    Raises:
        EdgeFlowError: It is anything else.
    """
    if text == OWN:
        return "own"
    if text == FULL:
        return "full"
    if text in PRESETS:
        return PRESETS[text]
    match = _NUMBERS.fullmatch(text)
    if match is None or float(match[2]) <= 0 or not math.isfinite(float(match[1])):
        raise EdgeFlowError(
            f"{text!r} is no window",
            hint=f"choose {OWN}, {FULL}, {', '.join(PRESETS)}, or CENTRE,WIDTH such as 40,400",
        )
    return Window(float(match[1]), float(match[2]))


def range_window(low: float, high: float) -> Window:
    """The window from a least to a highest value."""
    return Window((low + high) / 2, max(high - low, 1e-6), "LINEAR_EXACT")
