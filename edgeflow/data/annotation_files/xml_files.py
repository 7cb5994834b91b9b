"""XML of unknown origin: without document types, entities and references to other files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes

MAX_BYTES = 2 << 30
MAX_DEPTH = 100
"""Tags inside each other; the formats that are read have half a dozen."""

HEAD = 1 << 12


def read_xml(path: Path) -> Element:
    """The outermost tag of a file.

    Raises:
        DatasetError: The file is missing, longer than ``MAX_BYTES``, not well-formed, too deeply
            nested, or has a document type or entities.
    """
    for depth, tag in _finished(path):
        if depth == 0:
            return tag
    raise _not_xml(path, "it is empty")


def children(path: Path, root: str) -> Iterator[Element]:
    """The tags right inside the outermost one, each when it is complete, and gone with the next.

    Args:
        path: The file.
        root: Name of the outermost tag.

    Raises:
        DatasetError: As for :func:`read_xml`; or the outermost tag has another name.
    """
    if not begins_with(path, root):
        raise _not_xml(path, f"its outermost tag is not <{root}>")
    for depth, tag in _finished(path):
        if depth == 1:
            yield tag
            tag.clear()


def begins_with(path: Path, root: str) -> bool:
    """Whether a file is called XML, and begins with a tag."""
    if path.suffix.lower() != ".xml" or not path.is_file():
        return False
    with path.open("rb") as file:
        return f"<{root}".encode() in file.read(HEAD)


def text_of(tag: Element, path: str) -> str | None:
    """The text of a tag inside, without blanks around it; None if there is none."""
    text = (tag.findtext(path) or "").strip()
    return text or None


def _finished(path: Path) -> Iterator[tuple[int, Element]]:
    """The tags of a file when they end, and how many others they are in."""
    depth = 0
    try:
        for event, tag in iterparse(
            io.BytesIO(read_bytes(path, MAX_BYTES)), events=("start", "end"), forbid_dtd=True
        ):
            if event == "start":
                depth += 1
                if depth > MAX_DEPTH:
                    raise _not_xml(path, f"more than {MAX_DEPTH} tags inside each other")
            else:
                depth -= 1
                yield depth, tag
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        reason = "a document type" if isinstance(error, DefusedXmlException) else str(error)
        raise _not_xml(path, reason) from error


def _not_xml(path: Path, reason: str) -> DatasetError:
    return DatasetError(
        f"{path} is not XML that is read: {reason}",
        hint="check that it was downloaded completely; document types and entities are refused",
    )
