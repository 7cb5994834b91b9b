"""A project to be exported over the API, and what was exported, read with pycocotools."""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from pycocotools.coco import COCO

from edgeflow.annotated import AnnotatedImage
from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.left_out import LeftOut
from edgeflow.export.classes import Classes
from edgeflow.export.format import Choices, Plan
from edgeflow.export.formats.coco import PATH
from edgeflow.export.formats.table import FORMATS
from edgeflow.export.pictures import Bring
from edgeflow.export.run import Export
from edgeflow.export.splits import Splits
from tests.unit.edgeflow.label_studio.api.test_client import as_json
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply

NO_CHOICE, ONE_PART = Choices(), Splits()


def export(
    folder: Path,
    format: str,
    *images: AnnotatedImage,
    labels: tuple[str, ...] = ("a",),
    choices: Choices = NO_CHOICE,
    splits: Splits = ONE_PART,
    pictures: Bring = "auto",
) -> list[LeftOut]:
    """Export images to a folder, and what the files do not hold.

    Args:
        folder: The folder.
        format: Key of ``FORMATS``.
        images: In their order.
        labels: Declared classes; others that objects have come behind them.
        choices: As on the command line.
        splits: As on the command line.
        pictures: As on the command line.
    """
    used = {each.label for image in images for each in image.objects} - {None, *labels}
    classes = Classes((*labels, *sorted(map(str, used))), unlabelled=True)
    plan = Plan("p", classes, choices, splits.names)
    run = Export({folder: FORMATS[format]}, plan, splits, pictures)
    left_out = [each for image in images for each in run.add(image)]
    assert all(path.is_file() for path in run.finish())
    return left_out


@dataclass(frozen=True, eq=False)
class PixelPicture:
    """A picture in memory.

    Attributes:
        pixels: H×W×3 uint8 RGB.
    """

    pixels: RGBImage

    @property
    def path(self) -> None:
        return

    def file(self) -> None:
        return

    def rgb(self) -> RGBImage:
        return self.pixels

    def stamp(self) -> str:
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()


def load(folder: Path) -> COCO:
    """The file of an export folder."""
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(folder / PATH))


def categories(coco: COCO) -> list[tuple[int, str]]:
    """Id and name of each, in the file's order."""
    return [(each["id"], each["name"]) for each in coco.dataset["categories"]]


def drawn(coco: COCO, file_name: str) -> list[dict[str, Any]]:
    """The annotations of an image, in the file's order, each with the name of its category."""
    (image,) = (each for each in coco.dataset["images"] if each["file_name"] == file_name)
    return [
        {**each, "category": coco.cats[each["category_id"]]["name"]}
        for each in coco.dataset["annotations"]
        if each["image_id"] == image["id"]
    ]


def mask_of(coco: COCO, annotation: dict[str, Any]) -> BoolMask:
    """An annotation's mask, and a check of all that is said about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools and NumPy 2
        mask: BoolMask = coco.annToMask(annotation).astype(np.bool_)
    rows, cols = np.nonzero(mask)
    left, top = cols.min(), rows.min()
    box = [left, top, cols.max() - left + 1, rows.max() - top + 1]
    assert annotation["bbox"] == box
    assert annotation["area"] == mask.sum()
    assert annotation["iscrowd"] == 0
    return mask


def serve_project(host: Host, number: int, config: str, tasks: list[Any]) -> None:
    """Answer as Label Studio does for a project of one page of tasks."""
    described = {"id": number, "title": "Pets", "label_config": config}
    host.routes[f"/api/projects/{number}"] = as_json(described)

    def page(request: Received, _: BaseHTTPRequestHandler) -> Reply:
        first = parse_qs(urlsplit(request.path).query)["page"] == ["1"]
        return as_json({"tasks": tasks}) if first else as_json({"detail": "Invalid page."}, 404)

    host.routes["/api/tasks/"] = page
