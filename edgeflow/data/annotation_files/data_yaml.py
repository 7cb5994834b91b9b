"""``data.yaml``, the table of contents of a YOLO dataset as Ultralytics describes it.

Of YAML, what such files hold is read: scalars, plain or quoted, and lists and maps of them, in
lines or in brackets. Nothing in the file is executed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple, TypeAlias

from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes
from edgeflow.label_studio.values import whole_number

NAME = "data.yaml"
SUFFIXES = (".yaml", ".yml")
SPLITS = ("train", "val", "test")
MAX_BYTES = 1 << 22

Value: TypeAlias = str | list[str] | dict[str, str]

_KEY = re.compile(r"(\w+)\s*:(?:\s+(.*))?")
_ENTRY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:]+)\s*:\s+(.*)""")
_TOKEN = re.compile(
    r"""\s*(?:(?P<double>"(?:[^"\\]|\\.)*")|(?P<single>'(?:[^']|'')*')|(?P<sign>[\[\]{},:])"""
    r"""|(?P<plain>(?:[^\s\[\]{},:#]|:(?=\S)|(?<=\S)#|(?<=\S)[ \t]+(?=[^\s\[\]{},:#]))+))"""
)

_COMMENT = re.compile(r"(?<!\s)\s+#")
"""Begins only where blanks begin: otherwise long runs of them take their square of time."""


class DataYaml(NamedTuple):
    """What the file says.

    Attributes:
        folder: ``path``, as written; empty if it is not given.
        splits: Where the images of each split are, as written.
        names: Class names by number.
        keypoints: Whether labels hold a skeleton's keypoints.
    """

    folder: str
    splits: dict[str, tuple[str, ...]]
    names: dict[int, str]
    keypoints: bool


def read_data_yaml(path: Path) -> DataYaml:
    """Read the file.

    Raises:
        DatasetError: It is missing, not UTF-8, or not as Ultralytics describes it.
    """
    try:
        return parse_data_yaml(read_bytes(path, MAX_BYTES).decode("utf-8-sig"))
    except ValueError as error:
        raise DatasetError(
            f"{path} is not a table of contents for YOLO: {error}",
            hint="it needs train and val, folders of images, and names, the classes by number",
        ) from error


def parse_data_yaml(text: str) -> DataYaml:
    """What the text says.

    Raises:
        ValueError: A part that counts cannot be read.
    """
    values = {key: _value(lines) for key, lines in _blocks(text).items()}
    folder, names = values.get("path", ""), values.get("names", {})
    splits = {split: values[split] for split in SPLITS if values.get(split)}
    if not isinstance(folder, str) or any(isinstance(each, dict) for each in splits.values()):
        raise ValueError("its paths are not texts")
    if isinstance(names, str):
        raise ValueError("its names are neither a list nor a map")  # noqa: TRY004 - of the text
    pairs = names.items() if isinstance(names, dict) else enumerate(names)
    numbered = {whole_number(key): name for key, name in pairs}
    return DataYaml(
        folder,
        {key: (each,) if isinstance(each, str) else tuple(each) for key, each in splits.items()},
        {key: name for key, name in numbered.items() if key is not None},
        "kpt_shape" in values,
    )


def _blocks(text: str) -> dict[str, list[str]]:
    """The lines of each key that counts: what stands behind it, then the lines below."""
    blocks: dict[str, list[str]] = {}
    key = ""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if match := _KEY.fullmatch(line.rstrip()):
            key = match[1]
            blocks[key] = [match[2] or ""]
        elif key:
            blocks[key].append(line.strip())
    wanted = ("path", "names", "kpt_shape", *SPLITS)
    return {key: lines for key, lines in blocks.items() if key in wanted}


def _value(lines: list[str]) -> Value:
    first, *rest = lines
    if first.startswith(("[", "{")):
        return _bracketed(" ".join(lines))
    if first and not first.startswith("#"):
        return _scalar(first)
    if all(line.startswith("- ") for line in rest):
        return [_scalar(line[2:]) for line in rest]
    entries = [_ENTRY.fullmatch(line) for line in rest]
    if None in entries:
        raise ValueError(f"{rest[entries.index(None)][:80]!a} is neither an item nor an entry")
    return {_scalar(entry[1]): _scalar(entry[2]) for entry in entries if entry}


def _scalar(text: str) -> str:
    tokens = _tokens(text)
    # A plain text may hold signs that are special in brackets only.
    if tokens and tokens[0][0] in {"double", "single"}:
        return tokens[0][1]
    return _COMMENT.split(text.strip(), maxsplit=1)[0]


def _tokens(text: str) -> list[tuple[str, str]]:
    """Kinds and values of the tokens up to a comment."""
    found: list[tuple[str, str]] = []
    at = 0
    while match := _TOKEN.match(text, at):
        at, kind = match.end(), match.lastgroup or ""
        raw = match[kind]
        if kind == "double":
            raw = str(json.loads(raw))
        elif kind == "single":
            raw = raw[1:-1].replace("''", "'")
        found.append((kind, raw))
    return found


def _bracketed(text: str) -> Value:
    """A list or a map in brackets; nothing is nested in it."""
    opening, *tokens = _tokens(text)
    closing = {"[": "]", "{": "}"}[opening[1]]
    if not tokens or ("sign", closing) not in tokens:
        raise ValueError(f"{text[:80]!a} is not closed")
    tokens = tokens[: tokens.index(("sign", closing))]
    items: list[list[tuple[str, str]]] = [[]]
    for token in tokens:
        if token == ("sign", ","):
            items.append([])
        else:
            items[-1].append(token)
    items = [item for item in items if item]
    if closing == "]":
        if any(len(item) != 1 or item[0][0] == "sign" for item in items):
            raise ValueError(f"{text[:80]!a} is not a list of texts")
        return [item[0][1] for item in items]
    if any(len(item) != 3 or item[1] != ("sign", ":") for item in items):
        raise ValueError(f"{text[:80]!a} is not a map of texts")
    return {item[0][1]: item[2][1] for item in items}
