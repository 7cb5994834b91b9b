"""Label Studio's JSON export: the regions drawn there, as objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import IMAGES, image_for, is_there, read_bytes
from edgeflow.data.json_files import is_list, read_json
from edgeflow.data.label_maps import check_masks
from edgeflow.data.listed import ListedDataset, count_and_first
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import kind_of_region
from edgeflow.label_studio.region_masks import ParsedValue

DEEPEST = 8
"""Most parts of a path that an image is looked for under."""

_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")


class DrawnRegion(NamedTuple):
    """A region that covers an object.

    Attributes:
        size: Size of the image that it was drawn on, if the export says so.
        value: Its value, not rendered yet.
        label: Its first label; None for a region without one.
    """

    size: Size | None
    value: ParsedValue
    label: str | None


class Task(NamedTuple):
    """A task with something drawn.

    Attributes:
        image: Path of the image.
        regions: Regions in the order of the annotation.
    """

    image: str
    regions: tuple[DrawnRegion, ...]


class LabelStudio(ListedDataset[Task]):
    """Tasks with a brush, bitmask or polygon region, each region an object, in their order.

    Of several annotations of a task the first that is not cancelled counts. Rectangles and ellipses
    say where an object is and not what it covers: they are left out, as are predictions and drafts.
    An object's label is the region's first one. No pixel is ignored.

    Args:
        root: File in the export format "JSON".
        images: Folder of images; by default that of the file, or ``images`` in it. Names are
            the ends of the tasks' paths and URLs; of uploads also without the eight characters
            that Label Studio puts before them.

    Raises:
        DatasetError: The file is not such an export, an image is not found, or nothing was drawn.
    """

    def __init__(self, root: Path, *, images: Path | None = None) -> None:
        folders = [images] if images is not None else [root.parent / "images", root.parent]
        tasks: dict[str, Task] = {}
        missing: list[str] = []
        for number, raw in enumerate(_tasks(root)):
            source = f"{root}, task {raw.get('id', number)}"
            regions = _regions(raw, source)
            if not regions:
                continue
            image = _find(raw.get("data"), folders)
            if image is None:
                missing.append(_first_location(raw.get("data")))
                continue
            name = str(PurePosixPath(image[1]).with_suffix(""))
            if name in tasks:
                name = f"{name}-{raw.get('id', number)}"
            tasks[name] = Task(str(image[0] / image[1]), regions)
        if missing:
            raise DatasetError(
                f"{root}: images not found in {' and '.join(map(str, folders))}: "
                + count_and_first(missing),
                hint="name their folder with --images; names are the ends of the tasks' URLs",
            )
        super().__init__(root.stem, tasks)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is a JSON file that holds a list."""
        return is_list(path)

    def _read(self, name: str, entry: Task) -> Sample:
        sizes = {region.size for region in entry.regions if region.size is not None}
        if len(sizes) > 1:
            raise DatasetError(
                f"{name}: its regions are for different sizes", hint="draw them again"
            )
        drawn_on = sizes.pop() if sizes else None
        path = Path(entry.image)
        rgb = image_for(read_bytes(path), drawn_on, entry.image, f"its annotation in {self.name}")
        size = Size(*rgb.shape[:2])
        check_masks(len(entry.regions), rgb.shape[0] * rgb.shape[1], name)
        try:
            masks = [region.value.mask(size) for region in entry.regions]
        except EdgeFlowError as error:
            raise DatasetError(
                f"{self.name}, {name}: {error.message}", hint="draw the region again"
            ) from error
        objects = [
            (mask, region.label)
            for mask, region in zip(masks, entry.regions, strict=True)
            if mask.any()
        ]
        return Sample(
            name,
            rgb,
            objects=tuple(mask for mask, _ in objects),
            labels=tuple(label for _, label in objects),
        )


def _tasks(root: Path) -> Iterator[dict[str, Any]]:
    document = read_json(root)
    for task in document if isinstance(document, list) else [None]:
        if not isinstance(task, dict) or not isinstance(task.get("annotations"), list):
            raise DatasetError(
                f"{root} is not an export of Label Studio's format JSON",
                hint="export the project as JSON; JSON-MIN leaves out what is needed",
            )
        yield task


def _regions(task: dict[str, Any], source: str) -> tuple[DrawnRegion, ...]:
    """The regions of a task that cover objects."""
    for annotation in task["annotations"]:
        if isinstance(annotation, dict) and not annotation.get("was_cancelled"):
            results = annotation.get("result")
            if not isinstance(results, list):
                raise DatasetError(
                    f"{source}: an annotation without result", hint="export it again"
                )
            for result in results:
                if not isinstance(result, dict) or not isinstance(result.get("type"), str):
                    raise DatasetError(
                        f"{source}: a result without type", hint="export the project again"
                    )
            carried = {
                str(result.get("id")): _own_label(result)
                for result in results
                if result["type"] == "labels"
            }
            regions = [_region(result, carried, source) for result in results]
            return tuple(region for region in regions if region is not None)
    return ()


def _region(
    result: dict[str, Any], carried: dict[str, str | None], source: str
) -> DrawnRegion | None:
    """A region of an annotation's ``result``; None for what has no exact outline.

    Args:
        result: A result with a type.
        carried: By region id, labels that stand in results of their own.
        source: Where it was read, for messages.
    """
    kind = kind_of_region(result["type"])
    if kind is None or kind.mask is None or not kind.mask.drawn_is_mask:
        return None
    value = result.get("value")
    try:
        parsed = kind.mask.parse(value if isinstance(value, dict) else {})
    except EdgeFlowError as error:
        raise DatasetError(
            f"{source}: {error.message}",
            hint="delete the region in Label Studio, or draw it anew, and export again",
        ) from error
    height, width = result.get("original_height"), result.get("original_width")
    size = Size(height, width) if isinstance(height, int) and isinstance(width, int) else None
    return DrawnRegion(size, parsed, _own_label(result) or carried.get(str(result.get("id"))))


def _own_label(result: dict[str, Any]) -> str | None:
    """The first label in a result's value.

    A tag such as ``BrushLabels`` writes it into the region's own value; beside one such as
    ``Brush``, ``Labels`` writes it into a result of type ``labels`` with the region's id.
    """
    kind, value = result["type"], result.get("value")
    labels = value.get(kind) if isinstance(value, dict) and kind.endswith("labels") else None
    return str(labels[0]) if isinstance(labels, list) and labels else None


def _find(data: object, folders: list[Path]) -> tuple[Path, str] | None:
    """The first folder with an image that the task names, and the image's path in it."""
    for location in _locations(data):
        for name in image_names(location):
            for folder in folders:
                if is_there(folder / name):
                    return folder, name
    return None


def _locations(data: object) -> list[str]:
    values = data.values() if isinstance(data, dict) else ()
    return [value for value in values if isinstance(value, str) and not value.startswith("data:")]


def _first_location(data: object) -> str:
    return next((ascii(location[-80:]) for location in _locations(data)), "a task without one")


def image_names(location: str) -> list[str]:
    """The names under which a task's image may lie in a folder, the most specific first.

    Args:
        location: Path or URL, also ``/data/local-files/?d=…`` and
            ``/data/upload/<project>/<hash>-<name>``.

    Returns:
        Relative paths of images' extensions, without ``..``.
    """
    try:
        url = urlsplit(location.replace("\\", "/"))
        local = (
            parse_qs(url.query).get("d") if url.path.rstrip("/").endswith("local-files") else None
        )
    except ValueError:
        return []
    parts = [part for part in (local[0] if local else unquote(url.path)).split("/") if part]
    if not parts or PurePosixPath(parts[-1]).suffix.lower() not in IMAGES:
        return []
    names = [parts[start:] for start in range(max(0, len(parts) - DEEPEST), len(parts))]
    if match := _UPLOADED.fullmatch(parts[-1]):
        names.append([match[1]])
    return ["/".join(name) for name in names if not {".", ".."} & set(name)]
