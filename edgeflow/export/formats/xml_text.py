"""Any text in XML 1.0, which has no place for some characters."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def possible(text: str) -> str:
    """A text with the replacement character for what XML has no place for; never empty."""
    return _IMPOSSIBLE.sub("\ufffd", text) or "_"


def content(text: str) -> str:
    """A text between tags."""
    return escape(possible(text), {"\r": "&#13;"})


def attribute(text: str) -> str:
    """A text as the value of an attribute, with its quotes."""
    return quoteattr(possible(text))
