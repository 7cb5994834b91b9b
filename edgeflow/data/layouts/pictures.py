"""Where the image is that an annotation names, or is named after."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from edgeflow.data.files import IMAGES, is_there
from edgeflow.data.listed import check_name


def find_picture(written: str, folders: Iterable[Path]) -> Path | None:
    """The image of a name: in the first folder that has it, else by its last part alone.

    Args:
        written: Relative path, as an annotation file has it.
        folders: Where it is looked for.

    Raises:
        DatasetError: The path could lead out of the folders.
    """
    check_name(written, "an image")
    places = list(folders)
    for name in dict.fromkeys((written, PurePosixPath(written).name)):
        for folder in places:
            if is_there(folder / name):
                return folder / name
    return None


def picture_named(stem: str, folders: Iterable[Path], but: tuple[str, ...] = ()) -> Path | None:
    """The image of a name without extension, in the first folder that has it.

    Args:
        stem: The name.
        folders: Where it is looked for.
        but: Extensions that no image has there.
    """
    for folder in folders:
        for extension in IMAGES:
            for written in (extension, extension.upper()):
                if extension not in but and is_there(folder / f"{stem}{written}"):
                    return folder / f"{stem}{written}"
    return None
