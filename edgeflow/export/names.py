"""Names of an export's files: safe on every system, and each for one image."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from edgeflow.data.listed import is_seen

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\ud800-\udfff\u200b-\u200f\u202a-\u202e]')
"""Refused by a file system, or not to be seen."""

_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
"""What Windows takes for a device."""

MAX_BYTES = 120
"""Of a part of a name, as UTF-8, so that what a format adds still fits into 255."""

MAX_SUFFIX = 6


def safe_name(text: str) -> str:
    """A text as the name of a file or a folder; never empty, ``.`` or ``..``."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", text))
    name = "".join(each if is_seen(each) else "_" for each in name).strip(" ").rstrip(" .")
    name = name.encode()[:MAX_BYTES].decode(errors="ignore").rstrip(" .")
    if name.startswith(".") or _DEVICES.fullmatch(name):
        name = f"_{name}"
    return name or "_"


class Names:
    """Gives each image of an export a name of its own.

    The first image of a name has it as it is; to the name of another the task's id is added, or the
    annotator, and then numbers. Names that differ in case or extension alone count as one, since
    files of formats are named without the picture's extension, and some file systems ignore case.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, file_name: str, key: str, annotation: str = "") -> tuple[str, str]:
        """The name without extension, and the extension.

        Args:
            file_name: The image's, a relative path with slashes.
            key: The image's; its first line tells images of one name apart.
            annotation: Behind the name, where each annotation is an image of its own.
        """
        parts = [safe_name(part) for part in file_name.split("/") if part not in {"", "."}] or ["_"]
        suffix = PurePosixPath(parts[-1]).suffix
        if not 1 < len(suffix) <= MAX_SUFFIX:
            suffix = ""
        stem = "/".join(parts).removesuffix(suffix)
        if annotation:
            stem = f"{stem}-{safe_name(annotation)}"
        name = stem
        if name.casefold() in self._taken:
            task = safe_name(key.partition("\n")[0])
            name = longer = f"{stem}-{task}"
            number = 1
            while name.casefold() in self._taken:
                number += 1
                name = f"{longer}-{number}"
        self._taken.add(name.casefold())
        return name, suffix
