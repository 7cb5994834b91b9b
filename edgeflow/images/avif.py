"""AVIF files without their EXIF.

Only an AVIF's own boxes turn it in a browser. Pillow reports these as an EXIF orientation, and
refuses the file if its EXIF is damaged; without any EXIF of its own neither goes wrong.
"""

from __future__ import annotations

import re

_EXIF_ITEM = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))Exif", re.DOTALL)
"""An entry of the table of items: version, flags, item and protection, then the item's type."""


def without_exif(data: bytes) -> bytes:
    """The file with its EXIF item under a type that nobody reads."""
    return _EXIF_ITEM.sub(rb"\1none", data)
