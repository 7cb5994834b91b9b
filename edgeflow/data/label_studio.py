"""Label Studio's JSON export: the regions drawn there, as objects."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.drawn_regions import DrawnRegion, render
from edgeflow.data.drawn_tasks import (
    TasksFile,
    declared_labels,
    drawn_task,
    find_image,
    image_folders,
    read_label_config,
)
from edgeflow.data.files import image_for, read_bytes
from edgeflow.data.json_files import is_list
from edgeflow.data.label_maps import check_masks
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.data.listed import ListedDataset, count_and_first
from edgeflow.geometry import Size


class DrawnImage(NamedTuple):
    """An image of a task with something drawn.

    Attributes:
        image: Path of the image.
        source: Where the regions were read, for messages.
        regions: Regions in the order of the annotation.
    """

    image: str
    source: str
    regions: tuple[DrawnRegion, ...]


class LabelStudio(ListedDataset[DrawnImage]):
    """Images with a brush, bitmask or polygon region, each region an object, in their order.

    A task may have several images; each that something was drawn on is a sample.

    Of several annotations of a task the ground truth counts, or else the first that is not
    cancelled. Rectangles and ellipses say where an object is and not what it covers: they are left
    out, as are predictions, drafts, and regions that cannot be read. An object's label is the
    region's first one. No pixel is ignored.

    Args:
        root: File in the export format "JSON" or "JSON_MIN".
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
        config = read_label_config(label_config) if label_config is not None else None
        folders = [images] if images is not None else image_folders(root)
        tasks: dict[str, DrawnImage] = {}
        missing: list[str] = []
        left_out: list[LeftOut] = []
        for raw in TasksFile(root):
            task = drawn_task(raw, config, masks_only=True)
            left_out += task.left_out
            drawn: dict[tuple[Path, str], list[DrawnRegion]] = {}
            for location, regions in task.images.items():
                image = find_image(location, folders)
                if image is None:
                    missing.append(ascii(location[-80:]) if location else "a task without one")
                    continue
                drawn.setdefault(image, []).extend(regions)
            for (folder, path), mine in drawn.items():
                name = str(PurePosixPath(path).with_suffix(""))
                while name in tasks:
                    name = f"{name}-{task.key}"
                tasks[name] = DrawnImage(str(folder / path), task.source, tuple(mine))
        if missing:
            raise DatasetError(
                f"{root}: images not found in {' and '.join(map(str, folders))}: "
                + count_and_first(missing),
                hint="name their folder with --images; names are the ends of the tasks' URLs",
            )
        if not tasks:
            raise _no_image(root, left_out)
        names = declared_labels(config) if config is not None else ()
        super().__init__(root.stem, tasks, class_names=names, left_out=left_out)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is a JSON file that holds a list."""
        return is_list(path)

    def _read(self, name: str, entry: DrawnImage) -> Sample:
        rgb = self._image(entry)
        size = Size(*rgb.shape[:2])
        check_masks(len(entry.regions), rgb.shape[0] * rgb.shape[1], name)
        objects: list[BoolMask] = []
        labels: list[str | None] = []
        left_out: list[LeftOut] = []
        for region in entry.regions:
            mask = render(region, size, entry.source)
            if isinstance(mask, LeftOut):
                left_out.append(mask)
            else:
                objects.append(mask)
                labels.append(region.label)
        return Sample(
            name,
            rgb,
            tuple(objects),
            labels=tuple(labels),
            file_name=f"{name}{Path(entry.image).suffix}",
            left_out=tuple(left_out),
            path=Path(entry.image),
        )

    def _image(self, entry: DrawnImage) -> RGBImage:
        """The image, in the orientation that most of its regions were drawn in."""
        data = read_bytes(Path(entry.image))
        counts = Counter(region.size for region in entry.regions if region.size is not None)
        sizes = [size for size, _ in counts.most_common()]
        for size in sizes[:-1]:
            with contextlib.suppress(DatasetError):
                return image_for(data, size, entry.image, "")
        last = sizes[-1] if sizes else None
        return image_for(data, last, entry.image, f"its annotation in {self.name}")


def _no_image(root: Path, left_out: list[LeftOut]) -> DatasetError:
    """The error for an export in which nothing is drawn, or nothing of it can be read."""
    lines = left_out_lines(left_out)
    return DatasetError(
        "\n".join([f"{root} holds no annotated image", *lines]),
        hint="draw brush, bitmask or polygon regions, and export the project as JSON",
    )
