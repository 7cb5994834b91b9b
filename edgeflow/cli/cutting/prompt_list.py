"""A list of images with the clicks and boxes of their objects, as CSV or JSON lines.

CSV has a header line with ``image`` and any of ``clicks``, ``box`` and ``mask``; clicks are
separated by blanks. JSON lines have the same keys; clicks may also be lists of ``[x, y]`` or
``[x, y, positive]``, a box ``[left, top, right, bottom]``. ``docs/cutouts.md`` has examples.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes
from edgeflow.errors import PromptError, brief
from edgeflow.geometry import ImagePoint
from edgeflow.prompts.click import Click
from edgeflow.prompts.notation import Corners, check_corners, click_of, corners_of

MAX_BYTES = 1 << 28
KEYS = ("image", "clicks", "box", "mask")
JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Listed:
    """One object of an image.

    Attributes:
        image: As the list names it.
        clicks: In order; may be empty.
        box: Drawn around the object; None without one.
        mask: A mask's file, as the list names it; None without one.
    """

    image: str
    clicks: tuple[Click, ...] = ()
    box: Corners | None = None
    mask: str | None = None


def read_prompt_list(path: Path) -> list[Listed]:
    """Read a list; its ending says which form it has: ``.csv``, or ``.jsonl`` and ``.ndjson``.

    Raises:
        DatasetError: Another ending, or a line that cannot be read; the message has its number.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", *JSON_LINES):
        raise DatasetError(
            f"{path} is no known kind of list",
            hint="name it .csv or .jsonl; docs/cutouts.md has examples",
        )
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8: {error}", hint="save it as UTF-8") from error
    listed = []
    for number, row in _rows(text, path, as_json=suffix in JSON_LINES):
        try:
            listed.append(_listed(row))
        except PromptError as error:
            raise DatasetError(
                f"{path}, line {number}: {error.message}", hint=error.hint
            ) from error
    if not listed:
        raise DatasetError(f"{path} lists no image", hint="write one line for each object")
    return listed


def _rows(text: str, path: Path, *, as_json: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and content of each line that is not empty."""
    if as_json:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, _json_object(line, f"{path}, line {number}")
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if "image" not in (reader.fieldnames or ()):
            raise DatasetError(
                f"{path} has no column `image`",
                hint=f"begin with a header line, such as {','.join(KEYS[:3])}",
            )
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(
            f"{path}, line {reader.line_num}: {error}", hint="check its quotation marks"
        ) from error


def _json_object(line: str, source: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"{source}: not JSON: {error}", hint="write one object a line"
        ) from error
    if not isinstance(row, dict):
        raise DatasetError(f"{source}: not a JSON object", hint="write one object a line")
    return row


def _listed(row: dict[str, Any]) -> Listed:
    unknown = [str(key) for key in row if key not in KEYS]
    if unknown:
        raise PromptError(
            f"unknown: {brief(', '.join(unknown))}",
            hint=f"use {', '.join(KEYS)}; in CSV, put clicks and boxes in quotation marks",
        )
    image = _text(row, "image")
    if image is None:
        raise PromptError("it names no image", hint="complete the line, or remove it")
    box = row.get("box")
    corners = corners_of(box) if isinstance(box, str) and box.strip() else None
    if box and not isinstance(box, str):
        left, top, right, bottom = _numbers(box, (4,))
        corners = check_corners((left, top, right, bottom))
    return Listed(image, tuple(_clicks(row.get("clicks"))), corners, _text(row, "mask"))


def _text(row: dict[str, Any], key: str) -> str | None:
    value = row.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or "\0" in value:
        raise PromptError(f"{key} is {brief(value)!r}", hint="write a path")
    return value


def _clicks(value: object) -> Iterator[Click]:
    if value is None:
        return
    if isinstance(value, str):
        yield from map(click_of, value.split())
        return
    if not isinstance(value, list):
        raise PromptError(f"clicks are {brief(value)!r}", hint="write a list of [x, y]")
    for each in value:
        if isinstance(each, str):
            yield click_of(each)
        else:
            x, y, *positive = _numbers(each, (2, 3))
            yield Click(ImagePoint(x, y), not positive or positive[0] > 0)


def _numbers(value: object, counts: tuple[int, ...]) -> list[float]:
    if (
        not isinstance(value, list)
        or len(value) not in counts
        or not all(isinstance(each, int | float) and abs(each) < 1e9 for each in value)
    ):
        raise PromptError(
            f"{brief(value)!r} is no list of {' or '.join(map(str, counts))} numbers",
            hint="write clicks as [x, y] or [x, y, 0], a box as [left, top, right, bottom]",
        )
    return [float(each) for each in value]
