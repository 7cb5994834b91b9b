"""Label Studio's tasks as annotated images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edgeflow.data.drawn_regions import FIRST, DrawnRegion, render
from edgeflow.data.drawn_tasks import DrawnTask, declared_labels, drawn_task, find_image
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError
from edgeflow.export.annotated import (
    AnnotatedImage,
    AnnotatedObject,
    Annotations,
    DrawnBox,
    Outlines,
    Shape,
    turned_box,
)
from edgeflow.export.pictures import file_name_of, size_of
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.label_studio.region_masks import PolygonCorners, RectangleArea
from edgeflow.label_studio.shapes import corners
from edgeflow.masks.patch import MaskPatch


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
            yield LeftOut(error.message, f"task {raw.get('id')}")
            continue
        yield from task.left_out
        if not task.annotated:
            yield LeftOut("tasks without an annotation that counts")
        elif not task.images:
            yield LeftOut("annotated tasks on which no object is drawn")
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
        yield LeftOut(error.message, task.source)
        return
    objects: dict[tuple[str, ...], AnnotatedObject] = {}
    for place, region in enumerate(regions):
        shape = _shape(region, size, task.source)
        if isinstance(shape, LeftOut):
            yield shape
            continue
        whole = (region.object_id, *region.labels) if region.object_id is not None else ()
        key = whole or (region.id, str(place))
        first = objects.get(key)
        if first is not None and (merged := _merged(first.shape, shape)) is not None:
            objects[key] = AnnotatedObject(first.key, first.labels, merged)
        else:
            own = region.id or str(place)
            objects[key if first is None else (own, str(place))] = AnnotatedObject(
                own, region.labels, shape
            )
    yield AnnotatedImage(
        f"{task.key}\n{location}",
        file[1] if file else file_name_of(location, task.key, number),
        size,
        tuple(objects.values()),
        found=file is not None,
    )


def _shape(region: DrawnRegion, size: Size, source: str) -> Shape | LeftOut:
    mask = render(region, size, source)
    if isinstance(region.value, RectangleArea):
        if isinstance(mask, LeftOut) and mask.fault:
            return mask
        # A box that is thinner than a pixel is a box all the same.
        box = turned_box(corners(region.value.value, size) + 0.5, size)
        return box if box is not None else LeftOut("regions without a pixel")
    if isinstance(mask, LeftOut):
        return mask
    patch = MaskPatch.of(mask)
    if isinstance(region.value, PolygonCorners):
        scale = np.array([size.width, size.height], dtype=np.float64) / 100
        return Outlines((region.value.percent * scale,), patch)
    return patch


def _merged(one: Shape, other: Shape) -> Shape | None:
    """Two pieces of an object as one; None for boxes, and for pieces of different kinds."""
    if isinstance(one, DrawnBox) or isinstance(other, DrawnBox):
        return None
    if isinstance(one, Outlines) and isinstance(other, Outlines):
        return Outlines((*one.polygons, *other.polygons), _union(one.mask, other.mask))
    if isinstance(one, MaskPatch) and isinstance(other, MaskPatch):
        return _union(one, other)
    return None


def _union(one: MaskPatch, other: MaskPatch) -> MaskPatch:
    return MaskPatch.of(one.whole() | other.whole())
