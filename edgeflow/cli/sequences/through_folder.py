"""Carries objects through a folder of frames, into a folder of index masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import typer

from edgeflow.cli.sequences.mask_folder import SCORES, MaskFolder
from edgeflow.data.files import read_bytes
from edgeflow.errors import counted, no_object
from edgeflow.inference.predictor import Predictor
from edgeflow.preannotation.tasks import Report
from edgeflow.prompts.click import Click
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.pages import PageError
from edgeflow.propagate.propagator import Propagator
from edgeflow.sequences.carry import carry
from edgeflow.sequences.known_masks import frame_named, mask_files, numbered_objects
from edgeflow.sequences.linking import SequenceObject
from edgeflow.sequences.pictures import pictures_in
from edgeflow.sequences.read_pages import ReadPages


class Given(NamedTuple):
    """Frames, and where objects are on some of them.

    Attributes:
        frames: In order.
        objects: Those of masks, by number.
        masked: Numbers of the frames that have a mask.
        clicks: On one more object.
        clicked: Number of the frame that the clicks are on.
    """

    frames: list[Path]
    objects: list[SequenceObject]
    masked: frozenset[int]
    clicks: Sequence[Click]
    clicked: int

    @classmethod
    def find(
        cls, folder: Path, masks: Sequence[Path], clicks: Sequence[Click], frame: str | None
    ) -> Given:
        """Find the frames, and read the masks.

        Args:
            folder: Of the frames.
            masks: Files named like frames, and folders of them.
            clicks: On one more object.
            frame: Name of the frame that they are on; None for the first.

        Raises:
            DatasetError: Something is missing or cannot be read.
        """
        frames = pictures_in(folder)
        files = mask_files(masks, frames)
        objects = numbered_objects(files) if files else []
        clicked = 0 if frame is None else frame_named(frame, frames)
        return cls(frames, objects, frozenset(files), clicks, clicked)


def through_folder(
    given: Given,
    output: Path,
    predictor: Predictor,
    options: PropagateOptions,
    max_pixels: int,
    report: Report,
) -> None:
    """Carry the objects, and write their masks as they are found.

    Args:
        given: Frames and objects.
        output: Folder of the masks.
        predictor: A loaded one.
        options: How far each object is carried.
        max_pixels: Larger frames are not read.
        report: Told of frames that cannot be read.

    Raises:
        EdgeFlowError: There is nothing at the clicks, or their frame cannot be read.
    """
    frames, objects = given.frames, list(given.objects)
    pages = ReadPages(len(frames), lambda number: read_bytes(frames[number]), predictor, max_pixels)
    scores: dict[str, float] = {}
    if given.clicks:
        try:
            image = pages[given.clicked]
        except PageError as error:
            name = frames[given.clicked].name
            raise PageError(f"{name}: {error.message}", hint="choose another --frame") from error
        prediction = predictor.predict(image, given.clicks)
        if prediction.patch.empty:
            raise no_object()
        key = str(1 + max((int(each.key) for each in objects), default=0))
        objects.append(SequenceObject(key, "", (), {given.clicked: prediction.patch}))
        scores[key] = prediction.score
    folder = MaskFolder(output, [path.name for path in frames], int(objects[-1].key))
    for each in objects:
        for number in each.pages:
            mask = each.known[number].whole()
            folder.add(number, int(each.key), mask, scores.get(each.key))

    def lose(each: SequenceObject, reason: str) -> None:
        report.lose(reason, f"object {each.key}")

    steps = carry(Propagator(predictor), pages, objects, options, lose)
    with typer.progressbar(steps, label=output.name, length=len(frames) * len(objects)) as bar:
        for each, found in bar:
            if found.mask.any():
                folder.add(found.index, int(each.key), found.mask, found.score)
    folder.finish(predictor.version)
    for number, reason in pages.faults.items():
        report.lose(reason, frames[number].name)
    typer.echo(
        f"{output}: {counted(len(objects), 'object')} on {folder.written} of "
        f"{counted(len(frames), 'frame')}; scores in {SCORES}"
    )
