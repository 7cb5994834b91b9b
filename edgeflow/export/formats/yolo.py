"""YOLO as Ultralytics reads it: a text file an image, a line an object, and ``data.yaml``.

Read off Ultralytics 8.4: label files are looked for by replacing the last ``/images/`` of a
picture's path by ``/labels/``; outlines become masks by ``cv2.fillPoly`` of coordinates without
their decimals; a file may hold outlines or boxes, not both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from edgeflow.annotated import AnnotatedObject, box_of, mask_of
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import PolygonError
from edgeflow.export.flat import BOXES
from edgeflow.export.format import Page, Plan
from edgeflow.export.output import File, Record, Written
from edgeflow.geometry import Size

PICTURES = "images/{split}"
TABLE = "data.yaml"

TRAIN, VAL = "train", "val"
"""The parts that Ultralytics demands."""

VALIDATION = (VAL, "valid", "validation")
"""What users call the latter."""

DECIMALS = 6
"""Of a coordinate in [0, 1]: to 1/20 pixel on pictures of up to 50,000 pixels a side."""


def outlines(page: Page, plan: Plan) -> Written:
    """An outline for each object with a mask."""
    # Only who writes outlines pays for importing Shapely; training does without.
    from edgeflow.export.formats.joined_ring import joined_ring  # noqa: PLC0415

    lines, left_out = [], []
    for each in page.image.objects:
        mask = mask_of(each.shape)
        if mask is None:
            left_out.append(LeftOut(BOXES))
            continue
        try:
            ring = joined_ring(mask.pixels)
        except PolygonError as error:
            left_out.append(LeftOut(f"{error.message}; {error.hint}", page.image.file_name))
            continue
        # From the frame of pixels' centres to that of the image's corner.
        corner = np.array([mask.box.left, mask.box.top]) + 0.5
        lines.append(_line(each, plan, (ring + corner).ravel().tolist(), page.image.size))
    return _written(page, lines, left_out)


def boxes(page: Page, plan: Plan) -> Written:
    """The upright box around each object: its centre, its width and its height."""
    lines = []
    for each in page.image.objects:
        left, top, width, height = box_of(each.shape)
        values = [left + width / 2, top + height / 2, width, height]
        lines.append(_line(each, plan, values, page.image.size))
    return _written(page, lines, [])


def table(records: Iterable[Record], plan: Plan) -> Iterator[File]:
    """Where the pictures of each part are, and the classes, from 0.

    Without ``path``, they are looked for beside the file; with a relative one, in Ultralytics' own
    folder of datasets. Both ``train`` and ``val`` must be there and hold pictures: otherwise the
    first part that does stands in.
    """
    present = {_part(record["split"]) for record in records}
    parts = [part for part in map(_part, plan.splits) if part in present] or [TRAIN]
    places = {
        TRAIN: TRAIN if TRAIN in parts else parts[0],
        VAL: next((part for part in parts if part in VALIDATION), parts[0]),
    }
    places |= {part: part for part in parts}
    lines = [f"{name}: {PICTURES.format(split=part)}" for name, part in places.items()]
    lines.append("names:" if plan.classes.names else "names: {}")
    lines += [f"  {number}: {_quoted(name)}" for number, name in enumerate(plan.classes.names)]
    yield File(TABLE, "".join(f"{line}\n" for line in lines).encode())


def _quoted(text: str) -> str:
    """A text in YAML's double quotes, which are JSON's; what is not to be seen is escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in quoted)


def _written(page: Page, lines: Sequence[str], left_out: Sequence[LeftOut]) -> Written:
    text = "".join(f"{line}\n" for line in lines).encode()
    return Written((File(_label_path(page), text),), {"split": page.split}, tuple(left_out))


def _label_path(page: Page) -> str:
    """Where Ultralytics looks for an image's labels."""
    picture = f"/{PICTURES.format(split=_part(page.split))}/{page.name}"
    before, _, after = picture.rpartition("/images/")
    return f"{before}/labels/{after}.txt".removeprefix("/")


def _part(split: str) -> str:
    return split or TRAIN


def _line(each: AnnotatedObject, plan: Plan, values: Sequence[float], size: Size) -> str:
    """A line: the class from 0, then x, y, x, y … in [0, 1]."""
    sides = (size.width, size.height)
    fractions = [
        f"{min(max(value / sides[place % 2], 0.0), 1.0):.{DECIMALS}f}"
        for place, value in enumerate(values)
    ]
    return " ".join([str(plan.classes.number(each.label) - 1), *fractions])
