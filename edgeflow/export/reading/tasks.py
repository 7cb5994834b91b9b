"""Label Studio's tasks as annotated images."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from edgeflow.agreement.consensus import Consensus, consensus
from edgeflow.annotated import (
    AnnotatedImage,
    AnnotatedObject,
    Annotations,
    DrawnBox,
    Outlines,
    Shape,
    upright_box,
)
from edgeflow.data.annotators import ALL, FIRST, VOTES
from edgeflow.data.drawn_regions import DrawnRegion, render, wrong_size
from edgeflow.data.drawn_tasks import (
    DrawnTask,
    declared_labels,
    drawn_annotations,
    key_of,
)
from edgeflow.data.label_maps import MAX_MASK_BYTES
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError
from edgeflow.export.reading.finder import Finder
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.label_studio.region_masks import PolygonCorners, RectangleArea
from edgeflow.label_studio.shapes import corners
from edgeflow.masks.patch import MaskPatch

NOTHING_DRAWN = "annotated images on which no object is drawn"
OUTVOTED = "objects that no more than half of the annotators drew"


def annotations_of_tasks(
    name: str,
    tasks: Iterable[dict[str, Any]],
    config: LabelConfig | None,
    finder: Finder,
    annotator: str = FIRST,
) -> Annotations:
    """The annotations of a project's tasks.

    Args:
        name: What people call the project.
        tasks: As Label Studio exports them, untrusted; read twice, at first for the labels alone.
        config: The project's labelling config, where it is at hand.
        finder: Finds images. Those that it does not find are taken as the annotations tell.
        annotator: Whose annotation counts; see
            :func:`edgeflow.data.annotators.choose_annotations`.
    """
    declared = declared_labels(config) if config is not None else ()
    count, used = _used_labels(tasks, config, annotator)
    labels = (*declared, *sorted(used - set(declared)))
    return Annotations(name, labels, _images(tasks, config, finder, annotator), count)


def _used_labels(
    tasks: Iterable[dict[str, Any]], config: LabelConfig | None, annotator: str
) -> tuple[int, set[str]]:
    """How many tasks there are, and the labels that count of all their regions."""
    count, labels = 0, set[str]()
    for count, raw in enumerate(tasks, start=1):  # noqa: B007 - how many there were
        with contextlib.suppress(EdgeFlowError):  # told when the task is read
            for task in drawn_annotations(raw, config, annotator=annotator):
                for regions in task.images.values():
                    labels.update(each.label for each in regions if each.label is not None)
    return count, labels


def _images(
    tasks: Iterable[dict[str, Any]], config: LabelConfig | None, finder: Finder, annotator: str
) -> Iterator[AnnotatedImage | LeftOut]:
    for raw in tasks:
        try:
            drawn = drawn_annotations(raw, config, annotator=annotator)
        except EdgeFlowError as error:
            lost = LeftOut.of(error, f"task {key_of(raw)}")
            yield lost._replace(reason=f"{lost.reason}; {error.hint}")
            continue
        groups = [drawn] if annotator in VOTES else [[each] for each in drawn]
        for group in groups:
            for task in group:
                yield from task.left_out
            if not group[0].annotated:
                yield LeftOut("tasks without an annotation that counts")
            elif not any(task.images for task in group):
                yield LeftOut(NOTHING_DRAWN)
        locations = dict.fromkeys(location for task in drawn for location in task.images)
        for number, location in enumerate(locations, start=1):
            for group in groups:
                if any(location in task.images for task in group):
                    yield from _image(group, number, location, finder, annotator)


def _image(
    tasks: list[DrawnTask], number: int, location: str, finder: Finder, annotator: str
) -> Iterator[AnnotatedImage | LeftOut]:
    """An image of a task, after what is left out of it.

    Args:
        tasks: The task with each annotation that is put together; mostly one.
        number: The image's, from 1, among those of the task that something is drawn on.
        location: Its path or URL.
        finder: Finds it.
        annotator: Whose annotation counts.
    """
    task = tasks[0]
    regions = [each.images.get(location, []) for each in tasks]
    sizes = [region.size for own in regions for region in own]
    try:
        found = finder.find(location, task.key, number, sizes)
    except EdgeFlowError as error:
        yield LeftOut(f"{error.message}; {error.hint}", task.source)
        return
    drawn: list[list[AnnotatedObject]] = [[] for _ in tasks]
    held = 0
    for own, objects in zip(regions, drawn, strict=True):
        for each in _drawn_objects(own, found.size, task.source):
            if isinstance(each, LeftOut):
                yield each
                continue
            held += _bytes(each.shape)
            if held > MAX_MASK_BYTES:
                yield LeftOut("more masks on one image than fit into memory", task.source)
            else:
                objects.append(each)
    agreed = consensus(drawn, annotator) if annotator in VOTES else Consensus(tuple(drawn[0]), 0)
    yield from [LeftOut(OUTVOTED)] * agreed.outvoted
    if not agreed.objects:  # trainers would take the image for one of background alone
        yield LeftOut(NOTHING_DRAWN)
        return
    key, by = f"{task.key}\n{found.name}", ""
    if annotator == ALL and task.annotation is not None:
        key, by = f"{key}\n{task.annotation.number}", task.annotation.by
    yield AnnotatedImage(
        key,
        found.file_name,
        found.size,
        agreed.objects,
        picture=found.picture,
        annotation=by,
        source=task.source,
    )


def _drawn_objects(
    regions: list[DrawnRegion], size: Size, source: str
) -> Iterator[AnnotatedObject | LeftOut]:
    """The objects of an image in one annotation, and what cannot be read of it."""
    for place, pieces in enumerate(_objects(regions)):
        shapes: list[Shape] = []
        for piece in pieces:
            shape = _shape(piece, size, source)
            if isinstance(shape, LeftOut):
                yield shape
            else:
                shapes.append(shape)
        if shapes:
            key = pieces[0].id or str(place)
            yield AnnotatedObject(key, pieces[0].labels, reduce(_union, shapes))


def _objects(regions: list[DrawnRegion]) -> list[list[DrawnRegion]]:
    """Regions by object: most alone, the pieces of an object together, in the order of the first.

    Pieces have one kind and the same labels, and each an id of its own.
    """
    objects: list[list[DrawnRegion]] = []
    begun: dict[tuple[str, ...], list[DrawnRegion]] = {}
    for region in regions:
        if region.object_id is not None and not isinstance(region.value, RectangleArea):
            key = (region.object_id, region.kind.name, *region.labels)
            pieces = begun.get(key)
            if pieces is not None and region.id not in {piece.id for piece in pieces}:
                pieces.append(region)
                continue
            begun[key] = [region]
            objects.append(begun[key])
        else:
            objects.append([region])
    return objects


def _shape(region: DrawnRegion, size: Size, source: str) -> Shape | LeftOut:
    if isinstance(region.value, RectangleArea):
        if (fault := wrong_size(region, size, source)) is not None:
            return fault
        box = upright_box(corners(region.value.value, size) + 0.5, size)
        return box if box is not None else LeftOut("regions without a pixel")
    mask = render(region, size, source)
    if isinstance(mask, LeftOut):
        return mask
    patch = MaskPatch.of(mask)
    if isinstance(region.value, PolygonCorners):
        scale = np.array([size.width, size.height], dtype=np.float64) / 100
        return Outlines((region.value.percent * scale,), patch)
    return patch


def _union(one: Shape, other: Shape) -> Shape:
    """Two pieces of an object, both masks or both outlines, as one."""
    if isinstance(one, Outlines) and isinstance(other, Outlines):
        return Outlines((*one.polygons, *other.polygons), _both(one.mask, other.mask))
    if isinstance(one, MaskPatch) and isinstance(other, MaskPatch):
        return _both(one, other)
    raise TypeError(f"no pieces of one object: {type(one).__name__}, {type(other).__name__}")


def _both(one: MaskPatch, other: MaskPatch) -> MaskPatch:
    return MaskPatch.of(one.whole() | other.whole())


def _bytes(shape: Shape) -> int:
    """Memory that a shape's mask takes."""
    if isinstance(shape, DrawnBox):
        return 0
    return (shape.mask if isinstance(shape, Outlines) else shape).nbytes
