"""XML of unknown origin: without document types, entities and references to other files."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_bytes

MAX_BYTES = 1 << 30
MAX_DEPTH = 100
"""Tags inside each other; the formats that are read have half a dozen."""


def read_xml(path: Path) -> Element:
    """The outermost tag of a file.

    Raises:
        DatasetError: The file is missing, longer than ``MAX_BYTES``, not well-formed, too deeply
            nested, or has a document type or entities.
    """
    depth = 0
    root: Element | None = None
    try:
        for event, tag in iterparse(
            io.BytesIO(read_bytes(path, MAX_BYTES)), events=("start", "end"), forbid_dtd=True
        ):
            depth += 1 if event == "start" else -1
            root = tag if root is None else root
            if depth > MAX_DEPTH:
                raise _not_xml(path, f"more than {MAX_DEPTH} tags inside each other")
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        reason = "a document type" if isinstance(error, DefusedXmlException) else str(error)
        raise _not_xml(path, reason) from error
    if root is None:
        raise _not_xml(path, "it is empty")
    return root


def text_of(tag: Element, path: str) -> str | None:
    """The text of a tag inside, without blanks around it; None if there is none."""
    text = (tag.findtext(path) or "").strip()
    return text or None


def _not_xml(path: Path, reason: str) -> DatasetError:
    return DatasetError(
        f"{path} is not XML that is read: {reason}",
        hint="check that it was downloaded completely; document types and entities are refused",
    )
