"""Which objects of which images are cut out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeflow.cli.cutting.prompt_list import Listed, read_prompt_list
from edgeflow.data.files import IMAGES, MASKS, files_by_stem
from edgeflow.errors import EdgeFlowError

STANDARD = Path("-")
"""Standard input as an image, standard output as a file."""


@dataclass(frozen=True)
class Job:
    """One object to cut out.

    Attributes:
        image: Its file; :data:`STANDARD` for standard input.
        name: Where in the output folder it goes, without ending.
        prompt: Clicks and box.
        mask: A mask's file; None without one.
    """

    image: Path
    name: Path
    prompt: Listed
    mask: Path | None


def jobs_of(
    images: Sequence[str], prompt: Listed, mask: Path | None, list_file: Path | None
) -> list[Job]:
    """The objects that a command line names.

    Args:
        images: Files, folders, or ``-``.
        prompt: Clicks and box, the same in each image.
        mask: A mask, or a folder of masks.
        list_file: Names the images and where their objects are, instead of all these.

    Raises:
        EdgeFlowError: It is not clear what to cut out, or a list cannot be read.
    """
    prompted = bool(prompt.clicks or prompt.box or mask)
    if list_file is not None:
        if images or prompted:
            raise EdgeFlowError(
                "--list names the images and where to click",
                hint="leave out the images, --click, --box and --mask",
            )
        return [_listed_job(each, list_file.parent) for each in read_prompt_list(list_file)]
    if not images:
        raise EdgeFlowError(
            "no image is named", hint="name files or folders, - for standard input, or a --list"
        )
    if not prompted:
        raise EdgeFlowError(
            "it is not said where the object is",
            hint="click on it with --click X,Y, or draw a --box, or name a --mask",
        )
    if images.count("-") > 1:
        raise EdgeFlowError("standard input is named twice", hint="name it once")
    masks = files_by_stem(mask, MASKS) if mask is not None and mask.is_dir() else None
    jobs = []
    for path in (each for name in images for each in _expanded(Path(name))):
        if masks is not None and path.stem not in masks:
            raise EdgeFlowError(
                f"{mask} has no mask for {path}", hint=f"name it {path.stem}.png, or leave it out"
            )
        name = Path("image" if path == STANDARD else path.stem)
        jobs.append(Job(path, name, prompt, mask if masks is None else masks[path.stem]))
    return jobs


def _listed_job(each: Listed, folder: Path) -> Job:
    name = Path(each.image)
    if name.name in {"", ".."}:
        raise EdgeFlowError(f"{each.image!r} in the list is no file", hint="name an image")
    # A folder in the list is a folder of the output, unless it leads elsewhere.
    inside = not name.is_absolute() and ".." not in name.parts
    if not (each.clicks or each.box or each.mask):
        raise EdgeFlowError(
            f"the list does not say where the object of {each.image} is",
            hint="add clicks, a box or a mask to its line",
        )
    return Job(
        folder / each.image,
        name.with_suffix("") if inside else Path(name.stem),
        each,
        None if each.mask is None else folder / each.mask,
    )


def _expanded(path: Path) -> list[Path]:
    """The images of a folder, or the path itself."""
    if not path.is_dir():
        return [path]
    found = sorted(
        each
        for each in path.iterdir()
        if each.suffix.lower() in IMAGES and not each.name.startswith(".") and each.is_file()
    )
    if not found:
        raise EdgeFlowError(f"{path} holds no image", hint=f"known endings: {', '.join(IMAGES)}")
    return found
