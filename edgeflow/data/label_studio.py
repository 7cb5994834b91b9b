"""Label Studio's JSON export: the regions drawn there, as objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import image_for, is_there, read_bytes
from edgeflow.data.json_files import is_list, read_json
from edgeflow.data.label_maps import check_masks
from edgeflow.data.listed import ListedDataset, count_and_first
from edgeflow.data.task_images import Place, image_names, locations, place_of
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import LabelConfig, parse_label_config
from edgeflow.label_studio.controls import kind_of_region
from edgeflow.label_studio.region_masks import ParsedValue


class DrawnRegion(NamedTuple):
    """A region that covers an object.

    Attributes:
        size: Size of the image that it was drawn on, if the export says so.
        value: Its value, not rendered yet.
        label: Its first label; None for a region without one.
        place: The image that it was drawn on.
    """

    size: Size | None
    value: ParsedValue
    label: str | None
    place: Place


class DrawnImage(NamedTuple):
    """An image of a task with something drawn.

    Attributes:
        image: Path of the image.
        regions: Regions in the order of the annotation.
    """

    image: str
    regions: tuple[DrawnRegion, ...]


class LabelStudio(ListedDataset[DrawnImage]):
    """Images with a brush, bitmask or polygon region, each region an object, in their order.

    A task may have several images; each that something was drawn on is a sample.

    Of several annotations of a task the first that is not cancelled counts. Rectangles and ellipses
    say where an object is and not what it covers: they are left out, as are predictions and drafts.
    An object's label is the region's first one. No pixel is ignored.

    Args:
        root: File in the export format "JSON".
        images: Folder of images; by default that of the file, or ``images`` in it. Names are
            the ends of the tasks' paths and URLs; of uploads also without the eight characters
            that Label Studio puts before them.
        label_config: File with the project's labelling config, which tells what each of a task's
            regions was drawn on; without it, a task with more than one image is refused.

    Raises:
        DatasetError: The file is not such an export, an image is not found or cannot be told, or
            nothing was drawn.
    """

    def __init__(
        self, root: Path, *, images: Path | None = None, label_config: Path | None = None
    ) -> None:
        config = _read_config(label_config)
        folders = [images] if images is not None else [root.parent / "images", root.parent]
        tasks: dict[str, DrawnImage] = {}
        missing: list[str] = []
        for number, raw in enumerate(_tasks(root)):
            source = f"{root}, task {raw.get('id', number)}"
            regions = _regions(raw, source)
            if not regions:
                continue
            drawn: dict[tuple[Path, str], list[DrawnRegion]] = {}
            places = dict.fromkeys(region.place for region in regions)
            for place, location in locations(raw.get("data"), places, config, source).items():
                image = _find(location, folders)
                if image is None:
                    missing.append(ascii(location[-80:]) if location else "a task without one")
                    continue
                mine = [region for region in regions if region.place == place]
                drawn.setdefault(image, []).extend(mine)
            for (folder, path), mine in drawn.items():
                name = str(PurePosixPath(path).with_suffix(""))
                while name in tasks:
                    name = f"{name}-{raw.get('id', number)}"
                tasks[name] = DrawnImage(str(folder / path), tuple(mine))
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

    def _read(self, name: str, entry: DrawnImage) -> Sample:
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
    label = _own_label(result) or carried.get(str(result.get("id")))
    return DrawnRegion(size, parsed, label, place_of(result, source))


def _own_label(result: dict[str, Any]) -> str | None:
    """The first label in a result's value.

    A tag such as ``BrushLabels`` writes it into the region's own value; beside one such as
    ``Brush``, ``Labels`` writes it into a result of type ``labels`` with the region's id.
    """
    kind, value = result["type"], result.get("value")
    labels = value.get(kind) if isinstance(value, dict) and kind.endswith("labels") else None
    return str(labels[0]) if isinstance(labels, list) and labels else None


def _find(location: str, folders: list[Path]) -> tuple[Path, str] | None:
    """The first folder that has an image, and the image's path in it."""
    for name in image_names(location):
        for folder in folders:
            if is_there(folder / name):
                return folder, name
    return None


def _read_config(path: Path | None) -> LabelConfig | None:
    if path is None:
        return None
    try:
        return parse_label_config(read_bytes(path).decode("utf-8-sig"))
    except (UnicodeDecodeError, EdgeFlowError) as error:
        if isinstance(error, DatasetError):
            raise
        reason = error.message if isinstance(error, EdgeFlowError) else "not UTF-8"
        raise DatasetError(
            f"{path} is not a labelling config: {reason}",
            hint="save the text under Settings, Labeling Interface, Code",
        ) from error
