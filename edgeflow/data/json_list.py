"""The elements of a JSON list that is too large for memory, one at a time."""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from edgeflow.data.base import DatasetError
from edgeflow.data.files import is_there

BOM = b"\xef\xbb\xbf"

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
"""What tells where an element ends: strings, which may hold anything, and brackets."""


def list_elements(path: Path) -> Iterator[Any]:
    """The elements of a file's list, in order, each parsed when it is asked for.

    Args:
        path: JSON file, perhaps larger than memory.

    Raises:
        DatasetError: The file is missing or unreadable, is no list, is not JSON or was cut off.
    """
    if not is_there(path):
        raise DatasetError(f"{path} is missing", hint="check the path")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            yield from _elements(text)
    except OSError as error:
        raise DatasetError(
            f"cannot read {path}: {error.strerror}", hint="check its permissions"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"{path} is no list in JSON: {error}", hint="check that it was downloaded completely"
        ) from error


def _elements(text: mmap.mmap) -> Iterator[Any]:
    depth, start, end = 0, 0, len(BOM) if text[: len(BOM)] == BOM else 0
    first = True
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in (b"[", b"{"):
            depth += 1
            if depth == 1:
                if sign == b"{" or text[end : token.start()].strip():
                    raise ValueError("it does not begin as a list")
                end = token.end()
            elif depth == 2:
                yield from _simple(text[end : token.start()], first=first, last=False)
                start, first = token.start(), False
        elif sign in (b"]", b"}"):
            depth -= 1
            if depth == 1:
                end = token.end()
                yield _parsed(text[start:end])
            elif depth == 0:
                if sign == b"}":
                    raise ValueError("it does not end as a list")
                yield from _simple(text[end : token.start()], first=first, last=True)
                end = token.end()
            elif depth < 0:
                break
    if depth != 0 or text[end:].strip():
        raise ValueError("it ends too early" if depth > 0 else "something follows it")


def _simple(text: bytes, *, first: bool, last: bool) -> list[Any]:
    """What stands between containers, with the commas on both sides: numbers, texts and the like.

    Args:
        text: From the end of one container to the start of the next.
        first: Whether the list begins before it.
        last: Whether the list ends behind it.
    """
    within = text.strip()
    if not within and (last or first):
        return []
    if within == b"," and not (first or last):
        return []
    if not first:
        if not within.startswith(b","):
            raise ValueError("a comma is missing")
        within = within[1:]
    if not last:
        if not within.endswith(b","):
            raise ValueError("a comma is missing")
        within = within[:-1]
    found: list[Any] = _parsed(b"[" + within + b"]")
    if not found:
        raise ValueError("there is nothing between two commas")
    return found


def _parsed(text: bytes) -> Any:  # noqa: ANN401 - any document
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)  # Python's own writer, and so Label Studio, may write NaN
