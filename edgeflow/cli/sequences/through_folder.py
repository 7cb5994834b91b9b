"""Carries objects through a folder of frames, into a folder of index masks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import typer

from edgeflow.cli.sequences.mask_folder import SCORES, MaskFolder, mask_name
from edgeflow.cli.sequences.run_folder import RunFolder
from edgeflow.data.files import read_bytes
from edgeflow.errors import counted, no_object
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.values import JSONObject
from edgeflow.preannotation.tasks import Report
from edgeflow.prompts.click import Click
from edgeflow.propagate.kept_steps import KeptSteps
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.pages import PageError
from edgeflow.propagate.propagator import Propagator
from edgeflow.propagate.step import LiveSteps
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
        files: The masks' files.
    """

    frames: list[Path]
    objects: list[SequenceObject]
    masked: frozenset[int]
    clicks: Sequence[Click]
    clicked: int
    files: Sequence[Path]

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
        return cls(frames, objects, frozenset(files), clicks, clicked, tuple(files.values()))

    @property
    def run(self) -> JSONObject:
        """What masks in one folder are of; others are not mixed with them."""
        return {
            "folder": str(self.frames[0].parent.resolve()),
            "frames": [path.name for path in self.frames],
            "clicks": [repr(click) for click in self.clicks],
            "clicked": self.clicked if self.clicks else None,
        }

    def check(self, output: Path) -> None:
        """Refuse an output folder whose content would be lost or mixed.

        Raises:
            FileWriteError: It is not empty, and no run over the same frames wrote to it.
        """
        RunFolder(output).check(self.run, [mask_name(path) for path in self.frames], self.files)


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
    run = RunFolder(output)
    run.begin(given.run)
    folder = MaskFolder(run, [path.name for path in frames], int(objects[-1].key))
    for each in objects:
        for number in each.pages:
            mask = each.known[number].whole()
            folder.add(number, int(each.key), mask, scores.get(each.key))

    def lose(each: SequenceObject, reason: str) -> None:
        report.lose(reason, f"object {each.key}")

    identity = f"{predictor.version}|{predictor.execution}|{predictor.policy}|{max_pixels}"
    steps = KeptSteps(
        LiveSteps(predictor, pages), pages, Digests(frames).__getitem__, run, identity
    )
    way = carry(Propagator(predictor), pages, objects, options, lose, steps)
    with typer.progressbar(way, label=output.name, length=len(frames) * len(objects)) as bar:
        for each, found in bar:
            if found.mask.any():
                folder.add(found.index, int(each.key), found.mask, found.score)
    folder.finish(predictor.version)
    for number, reason in pages.faults.items():
        report.lose(reason, frames[number].name)
    typer.echo(
        f"{output}: {counted(len(objects), 'object')} on {folder.written} of "
        f"{counted(len(frames), 'frame')}; scores in {SCORES}"
        + (f"; {counted(steps.recalled, 'step')} of an earlier run kept" if steps.recalled else "")
    )


class Digests:
    """Digests of files, each read once.

    Args:
        paths: The files.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._known: dict[int, str] = {}

    def __getitem__(self, index: int) -> str:
        if index not in self._known:
            self._known[index] = hashlib.sha256(read_bytes(self._paths[index])).hexdigest()
        return self._known[index]
