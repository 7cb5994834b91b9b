"""Where the image is that an annotation names, or is named after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from edgeflow.data.files import IMAGES, is_there


def find_pictures(written: Mapping[str, Sequence[str]], folders: Sequence[Path]) -> dict[str, Path]:
    """The images that an annotation file names, each in the first folder that has it.

    One that is not there is looked for by its last part alone, if no other image's path ends so:
    masks must not come onto a namesake.

    Args:
        written: By any key, the relative paths that an image may have, checked, the preferred
            one first.
        folders: Where they are looked for.

    Returns:
        By key, those that are found.
    """
    lasts = {key: PurePosixPath(names[-1]).name for key, names in written.items()}
    shared = Counter(lasts.values())
    found: dict[str, Path] = {}
    for key, names in written.items():
        bare = [lasts[key]] if shared[lasts[key]] == 1 else []
        places = (folder / name for name in (*names, *bare) for folder in folders)
        if (image := next(filter(is_there, places), None)) is not None:
            found[key] = image
    return found


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
