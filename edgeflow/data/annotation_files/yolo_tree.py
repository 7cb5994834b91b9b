"""The files of a YOLO dataset: ``labels/…`` beside ``images/…``, found from its ``data.yaml``."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import NamedTuple

from edgeflow.data.annotation_files.data_yaml import DataYaml
from edgeflow.data.base import DatasetError
from edgeflow.data.files import IMAGES, files_below, read_bytes
from edgeflow.data.listed import check_name

PICTURES, LABELS = "images", "labels"
MAX_LIST = 1 << 28


class Labelled(NamedTuple):
    """The files of an image.

    Attributes:
        image: Its file.
        labels: Its label file, which is missing where nothing is on the image.
    """

    image: Path
    labels: Path


def labelled_images(path: Path, data: DataYaml, split: str) -> dict[str, Labelled]:
    """The images of a split with their labels, by name below ``images`` without extension.

    Args:
        path: The ``data.yaml``.
        data: What it says.
        split: One of its splits.

    Raises:
        DatasetError: There is no such folder or list, it lies outside the dataset, or two images
            have one name.
    """
    found: dict[str, Labelled] = {}
    for written in data.splits[split]:
        place = _inside(path, data.folder, written)
        for image in (
            _listed(place) if place.suffix == ".txt" else files_below(place, IMAGES).values()
        ):
            name, labels = _named(image, path.parent)
            if name in found:
                raise DatasetError(
                    f"{found[name].image} and {image} have the same name",
                    hint="keep one of them: samples are named without their extension",
                )
            found[name] = Labelled(image, labels)
    return found


def _inside(path: Path, folder: str, written: str) -> Path:
    """Where a split is, in the dataset's own folder.

    Ultralytics' paths may be absolute, of the machine where the file was written, or begin with
    ``../`` for no reason, as Roboflow's do; what follows is looked for here.
    """
    root = path.parent
    relative = written.replace("\\", "/")
    while relative.startswith(("./", "../")):
        relative = relative.partition("/")[2]
    for home in (folder, str(root.resolve())):
        if Path(home).is_absolute():
            relative = relative.removeprefix(f"{home.rstrip('/')}/")
    relative = relative.rstrip("/")
    if relative in {"", "."}:
        return root
    check_name(relative, str(path))
    candidates = [root / relative]
    if folder and not Path(folder).is_absolute() and ".." not in PurePosixPath(folder).parts:
        candidates.insert(0, root / folder / relative)
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise DatasetError(
        f"{path}: {' and '.join(map(str, candidates))} missing",
        hint="images are looked for in the folder of data.yaml: correct its train, val and test",
    )


def _listed(path: Path) -> list[Path]:
    """The images that a list names, relative to its folder."""
    try:
        lines = read_bytes(path, MAX_LIST).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a text: {error}", hint="save it as UTF-8") from error
    names = [line.strip().removeprefix("./") for line in lines if line.strip()]
    for name in names:
        check_name(name, str(path))
    return [path.parent / name for name in names]


def _named(image: Path, root: Path) -> tuple[str, Path]:
    """An image's name, and its label file: the last folder ``images`` on its path is ``labels``."""
    relative = image.relative_to(root)
    parts = list(relative.parent.parts)
    places = [place for place, part in enumerate(parts) if part == PICTURES]
    labels = root.joinpath(*parts)
    if places:
        last = places[-1]
        labels = root.joinpath(*parts[:last], LABELS, *parts[last + 1 :])
        del parts[last]
    return "/".join([*parts, image.stem]), labels / f"{image.stem}.txt"
