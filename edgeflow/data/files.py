"""Files of a dataset: listed, read whole, and decoded as images."""

from __future__ import annotations

import os
from pathlib import Path

from edgeflow.arrays import RGBImage
from edgeflow.data.base import DatasetError
from edgeflow.data.listed import check_name
from edgeflow.errors import ImageError
from edgeflow.geometry import Size
from edgeflow.images import decode_image

IMAGES = (
    ".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff",
    ".webp",
)  # fmt: skip
"""Extensions of images, lower case."""

MASKS = (".bmp", ".png", ".tif", ".tiff")
"""Extensions of masks: lossless formats."""

MAX_BYTES = 1 << 30


def files_by_stem(folder: Path, extensions: tuple[str, ...]) -> dict[str, Path]:
    """The files of a folder by their name without extension, sorted by it, without hidden ones.

    Raises:
        DatasetError: The folder cannot be read, or two files differ in their extension alone.
    """
    files: dict[str, Path] = {}
    for path in files_in(folder, extensions):
        if path.stem in files:
            raise DatasetError(
                f"{files[path.stem]} and {path} have the same name",
                hint="keep one of them: samples are named without their extension",
            )
        files[path.stem] = path
    return dict(sorted(files.items()))


def files_in(folder: Path, extensions: tuple[str, ...]) -> list[Path]:
    """The files of a folder with these extensions, sorted by name, without hidden ones.

    Raises:
        DatasetError: The folder cannot be read.
    """
    try:
        with os.scandir(folder) as listing:
            names = sorted(each.name for each in listing if not each.name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error
    return [folder / name for name in names if Path(name).suffix.lower() in extensions]


def files_below(folder: Path, extensions: tuple[str, ...]) -> dict[str, Path]:
    """The files of a folder and the folders in it, by relative path without extension, sorted.

    Hidden ones are left out, and links to folders are not followed.

    Raises:
        DatasetError: The folder is missing, or two files differ in their extension alone.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder", hint="check the path of the dataset")
    files: dict[str, Path] = {}
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for path in (Path(root) / each for each in sorted(names) if not each.startswith(".")):
            if path.suffix.lower() not in extensions:
                continue
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in files:
                raise DatasetError(
                    f"{files[name]} and {path} have the same name",
                    hint="keep one of them: samples are named without their extension",
                )
            files[name] = path
    return dict(sorted(files.items()))


def first_files(folder: Path, extensions: tuple[str, ...], count: int) -> list[Path]:
    """Up to ``count`` files of a folder, or if it has none, of the folders right in it.

    Raises:
        DatasetError: A folder cannot be read.
    """
    direct = files_in(folder, extensions)
    if direct:
        return direct[:: -(-len(direct) // count)]
    found: list[Path] = []
    with os.scandir(folder) as listing:
        inside = sorted(each.name for each in listing if each.is_dir(follow_symlinks=False))
    for name in inside:
        if len(found) < count and not name.startswith("."):
            found += files_in(folder / name, extensions)[: count - len(found)]
    return found


def is_there(path: Path) -> bool:
    """Whether there is such a file; false for names that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """A file's content.

    Raises:
        DatasetError: The file is missing, unreadable, or larger than ``limit`` bytes.
    """
    try:
        if not path.is_file():
            raise DatasetError(
                f"{path} is missing", hint="complete the dataset, or remove the entry"
            )
        if (size := path.stat().st_size) > limit:
            raise DatasetError(
                f"{path} has {size} bytes, more than {limit}",
                hint="check that it is the right file",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def read_list(path: Path) -> list[list[str]]:
    """The lines of a text file that are not empty, each split at blanks.

    Raises:
        DatasetError: The file cannot be read, is not UTF-8, or a word is not a relative path.
    """
    try:
        text = read_bytes(path, 1 << 28).decode()
    except UnicodeDecodeError as error:
        raise _unreadable(path, error) from error
    lines = [line.split() for line in text.splitlines()]
    for line in lines:
        for word in line:
            check_name(word.lstrip("/"), str(path))
    return [line for line in lines if line]


def image_for(data: bytes, size: Size | None, image: str, annotation: str) -> RGBImage:
    """Decode an image in the orientation that its annotation was made in.

    That is upright, as browsers show it, unless only the stored orientation has the annotation's
    size: some published masks were made by tools that do not know EXIF.

    Args:
        data: Content of the image file.
        size: Size of the annotation; None takes the upright image.
        image: Source of the bytes, for the message.
        annotation: Source of the size, for the message.

    Returns:
        H×W×3 uint8 RGB.

    Raises:
        DatasetError: The image is not readable, or has another size.
    """
    try:
        upright = decode_image(data)
        if size is None or upright.shape[:2] == size:
            return upright
        stored = decode_image(data, as_stored=True)
    except ImageError as error:
        raise DatasetError(f"{image}: {error.message}", hint=error.hint) from error
    if stored.shape[:2] == size:
        return stored
    height, width = upright.shape[:2]
    raise DatasetError(
        f"{image} has {width}×{height} pixels, {annotation} has {size.width}×{size.height}",
        hint="annotations need the size of their image; save the image or the mask again",
    )


def _unreadable(path: Path, error: Exception) -> DatasetError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return DatasetError(f"cannot read {path}: {reason}", hint="check the path and its permissions")
