"""Frames to volumes: which belong together, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

import numpy as np

from edgeflow.data.left_out import LeftOut
from edgeflow.errors import counted
from edgeflow.volumes.dicom.frames import MARKS, Frame, normal
from edgeflow.volumes.dicom.pixels import DicomPages
from edgeflow.volumes.volume import Affine, Volume

NEAR = 0.01
"""Millimetres within which two pages lie at one place."""

UNEVEN = 0.02
"""Share of the distance between pages by which one may stray, since NIfTI knows one."""

Group = Sequence[Frame]


def volumes_of(frames: Iterable[Frame]) -> Iterator[Volume | LeftOut]:
    """Make volumes of frames in any order.

    Pages of a series that differ in size, spacing or orientation, such as a localizer's, become
    volumes of their own, and so do several at one position that something tells apart: time, echo,
    b-value. What cannot be told apart or put in order is left out.
    """
    by_series: dict[str, dict[tuple[str, int], Frame]] = {}
    doubled: set[str] = set()
    for frame in frames:
        known = by_series.setdefault(frame.series, {})
        first = known.setdefault((frame.plane.uid, frame.plane.frame), frame)
        if first is not frame and first.path != frame.path and not _same_file(first, frame):
            doubled.add(frame.series)
    for series, known in by_series.items():
        said = f"series {series}"
        if series in doubled:
            yield LeftOut("two different files have one SOPInstanceUID", said)
            continue
        yield from _volumes(series, list(known.values()))


def _same_file(one: Frame, other: Frame) -> bool:
    """Whether two files are copies of one."""
    return one.path.stat().st_size == other.path.stat().st_size and (
        one.path.samefile(other.path) or one.path.read_bytes() == other.path.read_bytes()
    )


def _volumes(series: str, frames: list[Frame]) -> Iterator[Volume | LeftOut]:
    stacks = sorted(_stacks(frames), key=len, reverse=True)
    parts: list[tuple[Group, tuple[str, ...]]] = []
    for stack in stacks:
        notes: tuple[str, ...] = ()
        if len(stacks) > 1:
            notes = ("of a series whose pages differ in size, spacing or orientation",)
        split = _apart(stack)
        if isinstance(split, str):
            yield LeftOut(split, f"series {series}")
            continue
        if len(split) > 1:
            notes = (*notes, f"one of {len(split)} at the same positions")
        parts += [(part, notes) for part in split]
    for number, (part, notes) in enumerate(parts, start=1):
        name = series if len(parts) == 1 else f"{series}-{number}"
        yield _volume(name, part, notes)


def _stacks(frames: Sequence[Frame]) -> list[Group]:
    """Frames by what all pages of a volume share."""
    stacks: dict[object, list[Frame]] = {}
    for frame in frames:
        key = (
            frame.size,
            frame.colour,
            frame.spacing and tuple(round(each, 3) for each in frame.spacing),
            frame.depth is not None
            and frame.orientation
            and tuple(round(each, 2) + 0.0 for each in frame.orientation),
        )
        stacks.setdefault(key, []).append(frame)
    return list(stacks.values())


def _apart(stack: Group) -> list[Group] | str:
    """A stack, or the several that lie in one place; each in order. Or why neither can be told."""
    if stack[0].depth is None:
        return _by_number(stack)
    if (whole := _in_order(stack)) is not None:
        return [whole]
    for chosen in (*((place,) for place in range(len(MARKS))), tuple(range(len(MARKS)))):
        split: dict[tuple[str, ...], list[Frame]] = {}
        for frame in stack:
            split.setdefault(tuple(frame.marks[place] for place in chosen), []).append(frame)
        ordered = [part for each in split.values() if (part := _in_order(each)) is not None]
        if len(ordered) == len(split):
            return sorted(ordered, key=lambda part: part[0].number or 0)
    return (
        f"{counted(len(stack), 'page')}, of which several lie at the same position, and nothing in "
        "the files tells them apart"
    )


def _in_order(stack: Group) -> Group | None:
    """Frames along their normal; None if two lie at one place."""
    placed = sorted(((frame.depth or 0.0, place) for place, frame in enumerate(stack)))
    if any(after - before < NEAR for (before, _), (after, _) in pairwise(placed)):
        return None
    return [stack[place] for _, place in placed]


def _by_number(stack: Group) -> list[Group] | str:
    """Frames without a position: in a file's own order, and files by their number."""
    files = len({frame.plane.uid for frame in stack})
    ordered = sorted(stack, key=lambda frame: (frame.number or 0, *frame.plane))
    numbers = [number for number, _ in groupby(ordered, key=lambda frame: frame.number)]
    if files > 1 and (None in numbers or len(numbers) < files):
        return (
            f"{counted(files, 'file')} without position and orientation, and their InstanceNumber "
            "does not put them in order"
        )
    return [ordered]


def _volume(name: str, frames: Group, notes: tuple[str, ...]) -> Volume:
    first = frames[0]
    distance, affine = None, None
    if first.depth is None:
        if len(frames) > 1:
            notes = (*notes, "its pages have no position, and are in the order of their numbers")
    else:
        gaps = np.diff([frame.depth or 0.0 for frame in frames])
        distance = float(np.median(gaps)) if gaps.size else None
        affine = _affine(frames)
        if affine is None and first.spacing is not None:
            notes = (*notes, "its pages are not evenly apart, so NIfTI cannot hold them")
    if first.spacing is not None and not np.isclose(*first.spacing, rtol=0.01):
        tall = first.spacing[0] / first.spacing[1]
        squeezed = (
            f"its pixels are {tall:.3g} times as high as wide: pages keep them as they are, and "
            "look squeezed in the editor"
        )
        notes = (*notes, squeezed)
    return Volume(
        name=name,
        series=first.series,
        study=first.study,
        modality=first.modality,
        size=first.size,
        planes=tuple(frame.plane for frame in frames),
        pages=DicomPages(tuple(frames)),
        spacing=first.spacing,
        distance=distance,
        affine=affine,
        notes=notes,
    )


def _affine(frames: Group) -> Affine | None:
    """Where evenly spaced pages lie; a single one is taken to be 1 mm thick."""
    first = frames[0]
    if first.spacing is None or first.orientation is None:
        return None
    places = np.array([frame.position for frame in frames], dtype=np.float64)
    step = np.array(normal(first.orientation))
    if len(frames) > 1:
        step = (places[-1] - places[0]) / (len(frames) - 1)
        ideal = places[0] + np.arange(len(frames))[:, None] * step
        if np.abs(places - ideal).max() > max(UNEVEN * float(np.linalg.norm(step)), NEAR):
            return None
    affine = np.eye(4)
    affine[:3, 0] = np.array(first.orientation[:3]) * first.spacing[1]
    affine[:3, 1] = np.array(first.orientation[3:]) * first.spacing[0]
    affine[:3, 2], affine[:3, 3] = step, places[0]
    return affine
