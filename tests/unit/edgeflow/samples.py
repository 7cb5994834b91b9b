"""Images and stand-ins that several of these tests use."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgeflow.geometry import ImagePoint, NetworkPoint, Size
from edgeflow.nn.interface import Feedback
from edgeflow.prompts.click import Click
from edgeflow.prompts.disks import DISK_RADIUS, disk_pixels
from edgeflow.runtime.base import StepOutput

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"
PHOTOS = ROOT / "demo" / "photos"

RGB = npt.NDArray[np.uint8]


def click(x: float, y: float) -> Click:
    return Click(ImagePoint(x, y))


def negative(x: float, y: float) -> Click:
    return Click(ImagePoint(x, y), positive=False)


def disk_image(height: int, width: int, shade: int = 220) -> RGB:
    """A bright disk in the middle of a dark, slightly structured ground."""
    rows, cols = np.mgrid[:height, :width]
    image = np.stack((rows % 40, cols % 40, (rows + cols) % 40), axis=-1).astype(np.uint8)
    far = np.hypot(rows - height / 2, cols - width / 2)
    image[far < min(height, width) / 4] = (shade, 180, 40)
    return image


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def manifest_entry(
    file: str, sha256: str, architecture: str = "edgeflow_lite"
) -> dict[str, object]:
    return {
        "file": file,
        "sha256": sha256,
        "architecture": architecture,
        "feedback": "edge",
        "input": "any",
        "use": "tests",
        "licence": "none",
        "trained_on": "nothing",
        "metrics": {},
        "metrics_note": "none",
    }


def write_manifest(folder: Path, **models: dict[str, object]) -> None:
    document = {"format": 1, "models": models}
    (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")


class FakeRuntime:
    """Answers every step with the same maps, or with ones made from the prompt, and takes notes."""

    name = "fake"
    device = torch.device("cpu")
    feedback: Feedback = "edge"

    def __init__(self, mask: float | Tensor = 0.0, edge: float | Tensor = 0.0) -> None:
        self.mask = mask
        self.edge = edge
        self.images: list[Tensor] = []
        self.prompts: list[Tensor] = []

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        self.images.append(image.clone())
        self.prompts.append(prompt.clone())
        blank = prompt[:, :1]
        return StepOutput(self._map(self.mask, blank), self._map(self.edge, blank))

    @staticmethod
    def _map(value: float | Tensor, like: Tensor) -> Tensor:
        return value.clone() if isinstance(value, Tensor) else torch.full_like(like, value)


def disk_maps(
    points: Sequence[tuple[NetworkPoint, bool]], size: Size, radius: float = DISK_RADIUS
) -> npt.NDArray[np.float32]:
    """Clicks as the 2×H×W maps that a network sees: positive disks, negative disks."""
    maps: npt.NDArray[np.float32] = np.zeros((2, *size), np.float32)
    maps.reshape(-1)[disk_pixels(points, size, radius)] = 1.0
    return maps
