"""JSON of unknown origin and any length."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes

MAX_BYTES = 4 << 30
HEAD = 1 << 16
BOM = b"\xef\xbb\xbf"

_BLANK = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


class Element(NamedTuple):
    """An element of a list in a JSON text.

    Attributes:
        key: Key of the list.
        value: Parsed element.
        start: Index of its first character in the text.
        stop: Index after its last.
    """

    key: str
    value: Any
    start: int
    stop: int


def objects_in(values: object) -> list[dict[str, Any]]:
    """The objects of a parsed list, or nothing if it is no list."""
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def read_text(path: Path) -> str:
    """A file's text.

    Raises:
        DatasetError: The file is missing, longer than ``MAX_BYTES`` or not UTF-8.
    """
    try:
        return read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_json(path, error) from error


def read_json(path: Path) -> Any:  # noqa: ANN401 - any document
    """A file's document.

    Raises:
        DatasetError: The file is missing, longer than ``MAX_BYTES``, too deeply nested or not JSON.
    """
    data = read_bytes(path, MAX_BYTES).removeprefix(BOM)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass  # perhaps only strict: Python's own writer, and so Label Studio, may write NaN
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _not_json(path, error) from error


def elements(text: str, lists: Collection[str]) -> Iterator[Element]:
    """The elements of some lists of a JSON object, each parsed when its turn comes.

    Once parsed, a document of numbers takes ten times the memory of its text.

    Args:
        text: JSON object.
        lists: Keys of the lists in it.

    Raises:
        ValueError: The text is not an object, or one of these is not a list.
        RecursionError: The text is too deeply nested.
    """
    at, end = _open(text, 0, "{}")
    while not end:
        key, at = _decode(text, at)
        at = _expect(text, at, ":")
        if key in lists:
            at, closed = _open(text, at, "[]")
            while not closed:
                value, stop = _decode(text, at)
                yield Element(key, value, at, stop)
                at, closed = _next(text, stop, "]")
        else:
            _, at = _decode(text, at)
        at, end = _next(text, at, "}")


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _expect(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if not text.startswith(sign, at):
        raise json.JSONDecodeError(f"Expecting {sign!r}", text, at)
    return _skip(text, at + 1)


def _open(text: str, at: int, signs: str) -> tuple[int, bool]:
    """Step into a container: the index inside and false, or if it is empty, behind it and true."""
    at = _expect(text, at, signs[0])
    return (_skip(text, at + 1), True) if text.startswith(signs[1], at) else (at, False)


def _next(text: str, at: int, closing: str) -> tuple[int, bool]:
    """Step to the next member: its index and false, or after the last, behind them and true."""
    at = _skip(text, at)
    if text.startswith(closing, at):
        return _skip(text, at + 1), True
    return _expect(text, at, ","), False


def is_list(path: Path) -> bool:
    """Whether a file begins as a JSON list does."""
    return _head(path).startswith(b"[")


def is_object(path: Path, *keys: str) -> bool:
    """Whether a file begins as a JSON object does and soon names one of these keys."""
    head = _head(path)
    return head.startswith(b"{") and any(f'"{key}"'.encode() in head for key in keys)


def _head(path: Path) -> bytes:
    if path.suffix.lower() != ".json" or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD).removeprefix(BOM).lstrip()


def _not_json(path: Path, error: Exception) -> DatasetError:
    return DatasetError(
        f"{path} is not JSON: {error}", hint="check that it was downloaded completely"
    )
