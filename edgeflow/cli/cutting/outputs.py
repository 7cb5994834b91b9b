"""Into which files cut-outs go."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from edgeflow.cli.cutting.jobs import STANDARD, Job
from edgeflow.cli.image_output import check_cutout_ending
from edgeflow.errors import EdgeFlowError, FileWriteError
from edgeflow.files import check_outputs, is_special

FORMATS = ("png", "webp", "jpg")
"""Those of a folder's files and of standard output."""

FOLDER = Path("cutouts")
"""Where cut-outs go if nothing else is said."""


def output_files(
    jobs: Sequence[Job], output: Path | None, format: str, *, opaque: bool
) -> list[Path]:
    """The file of each job.

    Args:
        jobs: Objects, at least one.
        output: A file or folder, or :data:`.STANDARD`; None for :data:`FOLDER`, or standard output
            where the image came from standard input.
        format: One of :data:`FORMATS`.
        opaque: Whether the cut-outs are laid on a background.

    Raises:
        EdgeFlowError: They cannot be written there, or not in this format.
    """
    if format not in FORMATS:
        raise EdgeFlowError(f"unknown format {format!r}", hint=f"choose {', '.join(FORMATS)}")
    if output is None:
        output = STANDARD if jobs[0].image == STANDARD and len(jobs) == 1 else FOLDER
    single = output == STANDARD or (
        not output.is_dir() and bool(output.suffix or is_special(output))
    )
    if single and len(jobs) > 1:
        raise FileWriteError(
            f"{len(jobs)} cut-outs do not go into one file, {output}", hint="name a folder"
        )
    if single and output != STANDARD:
        check_cutout_ending(output, opaque=opaque)
        return [output]
    check_cutout_ending(Path(f"cutout.{format}"), opaque=opaque)
    if single:
        if sys.stdout.isatty():
            raise FileWriteError(
                "an image is no text for a terminal", hint="redirect it, or name a file with -o"
            )
        return [STANDARD]
    folders = {job.image.resolve().parent for job in jobs if job.image != STANDARD}
    if output.resolve() in folders:
        raise FileWriteError(
            f"the images are in the folder {output} themselves", hint="name another folder"
        )
    return [output / f"{name}.{format}" for name in _names(jobs)]


def _names(jobs: Sequence[Job]) -> list[Path]:
    """A name for each job that no other has, in any case of its letters.

    Images that differ in their ending keep it, and further objects of an image are numbered.
    """
    images: dict[str, set[Path]] = {}
    for job in jobs:
        images.setdefault(str(job.name).casefold(), set()).add(job.image)
    numbers: Counter[Path] = Counter()
    taken: set[str] = set()
    names = []
    for job in jobs:
        shared = len(images[str(job.name).casefold()]) > 1
        base = job.name.with_name(job.name.name + job.image.suffix) if shared else job.name
        name = base
        while str(name).casefold() in taken:
            numbers[base] += 1
            name = base.with_name(f"{base.name}-{numbers[base] + 1}")
        taken.add(str(name).casefold())
        names.append(name)
    return names


def check_inputs_stay(
    files: Collection[Path], jobs: Collection[Job], others: Collection[Path]
) -> None:
    """Refuse to write over what is read, and what cannot be written.

    Args:
        files: Files to be written.
        jobs: Their images and masks are read.
        others: What else is read.

    Raises:
        FileWriteError: A file is read, is a folder, or is write-protected.
    """
    read = {each for job in jobs for each in (job.image, job.mask) if each is not None}
    # By their number in the file system: comparing each with each would take long for many.
    inputs = {_identity(path): path for path in sorted(read | set(others)) if path.exists()}
    for path in files:
        if path != STANDARD:
            same = inputs.get(_identity(path)) if path.exists() else None
            check_outputs({"cut-out": path}, [] if same is None else [same])


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
