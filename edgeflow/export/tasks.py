"""Label Studio's tasks as annotated images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from edgeflow.data.drawn_regions import FIRST, DrawnRegion, render, wrong_size
from edgeflow.data.drawn_tasks import (
    DrawnTask,
    declared_labels,
    drawn_task,
    find_image,
    key_of,
)
from edgeflow.data.label_maps import MAX_MASK_BYTES
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError
from edgeflow.export.annotated import (
    AnnotatedImage,
    AnnotatedObject,
    Annotations,
    DrawnBox,
    Outlines,
    Shape,
    upright_box,
)
from edgeflow.export.pictures import file_name_of, size_of
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.label_studio.region_masks import PolygonCorners, RectangleArea
from edgeflow.label_studio.shapes import corners
from edgeflow.masks.patch import MaskPatch

NOTHING_DRAWN = "annotated images on which no object is drawn"


def annotations_of_tasks(
    name: str,
    tasks: Iterable[dict[str, Any]],
    config: LabelConfig | None,
    folders: list[Path],
    annotator: str = FIRST,
) -> Annotations:
    """The annotations of a project's tasks.

    Args:
        name: What people call the project.
        tasks: As Label Studio exports them, untrusted; read when their turn comes.
        config: The project's labelling config, where it is at hand.
        folders: Where images are looked for. Those that are not there are taken as the annotations
            tell.
        annotator: Whose annotation counts; see
            :func:`edgeflow.data.drawn_regions.choose_annotation`.
    """
    labels = declared_labels(config) if config is not None else ()
    return Annotations(name, labels, _images(tasks, config, folders, annotator))


def _images(
    tasks: Iterable[dict[str, Any]], config: LabelConfig | None, folders: list[Path], annotator: str
) -> Iterator[AnnotatedImage | LeftOut]:
    for raw in tasks:
        try:
            task = drawn_task(raw, config, annotator=annotator)
        except EdgeFlowError as error:
            source = f"task {key_of(raw)}"
            reason = error.message.removeprefix(f"{source}: ")
            yield LeftOut(f"{reason}; {error.hint}", source)
            continue
        yield from task.left_out
        if not task.annotated:
            yield LeftOut("tasks without an annotation that counts")
        elif not task.images:
            yield LeftOut(NOTHING_DRAWN)
        for number, (location, regions) in enumerate(task.images.items(), start=1):
            yield from _image(task, number, location, regions, folders)


def _image(
    task: DrawnTask, number: int, location: str, regions: list[DrawnRegion], folders: list[Path]
) -> Iterator[AnnotatedImage | LeftOut]:
    """An image of a task, after what is left out of it.

    Args:
        task: The task.
        number: The image's, from 1, among those of the task that something is drawn on.
        location: Its path or URL.
        regions: What is drawn on it.
        folders: Where it is looked for.
    """
    file = find_image(location, folders)
    try:
        size = size_of(file[0] / file[1] if file else None, [each.size for each in regions])
    except EdgeFlowError as error:
        yield LeftOut(f"{error.message}; {error.hint}", task.source)
        return
    objects: list[AnnotatedObject] = []
    held = 0
    for place, pieces in enumerate(_objects(regions)):
        shapes: list[Shape] = []
        for piece in pieces:
            shape = _shape(piece, size, task.source)
            if isinstance(shape, LeftOut):
                yield shape
            else:
                shapes.append(shape)
        if not shapes:
            continue
        whole = reduce(_union, shapes)
        held += _bytes(whole)
        if held > MAX_MASK_BYTES:
            yield LeftOut("more masks on one image than fit into memory", task.source)
        else:
            key = pieces[0].id or str(place)
            objects.append(AnnotatedObject(key, pieces[0].labels, whole))
    if not objects:  # without them, trainers would take the image for one of background alone
        yield LeftOut(NOTHING_DRAWN)
        return
    name = file_name_of(location, task.key, number)
    yield AnnotatedImage(
        f"{task.key}\n{name}",
        file[1] if file else name,
        size,
        tuple(objects),
        found=file is not None,
        path=file[0] / file[1] if file else None,
    )


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
