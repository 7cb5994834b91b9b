"""COCO panoptic (Kirillov et al., "Panoptic Segmentation", CVPR 2019): a PNG of segments an image.

A pixel's segment is R + 256 G + 65536 B; 0 is void.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.coco import PANOPTIC, Coco, is_panoptic
from edgeflow.data.coco_names import coco_names
from edgeflow.data.files import files_by_stem, image_for, read_bytes
from edgeflow.data.json_files import objects_in, read_json
from edgeflow.data.label_maps import colour_map, split_labels
from edgeflow.data.layouts.drawing import NO_PIXEL
from edgeflow.data.layouts.pictures import find_pictures
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import ListedDataset, check_name, count_and_first
from edgeflow.data.splits import choose_split
from edgeflow.geometry import Size
from edgeflow.label_studio.values import whole_number

ANNOTATIONS = "annotations"


class Segment(NamedTuple):
    """A segment of an image.

    Attributes:
        id: Its number in the PNG.
        label: Its category, if the file names it.
        thing: Whether it is an object, and not stuff such as sky.
        crowd: Whether it is many objects that were not told apart.
    """

    id: int
    label: str | None
    thing: bool
    crowd: bool


class PanopticImage(NamedTuple):
    """An image with its segments.

    Attributes:
        image: Its file.
        file_name: Its path as the dataset writes it.
        png: File of the segments' pixels.
        segments: In the file's order.
    """

    image: Path
    file_name: str
    png: Path
    segments: tuple[Segment, ...]


class CocoPanoptic(ListedDataset[PanopticImage]):
    """Images with their things as objects, in the file's order.

    Stuff (categories with ``isthing`` 0) is background. Crowds are ignored, as are pixels of
    segments that the file does not list, and where there is stuff also the void: with it everything
    else was annotated.

    Args:
        root: Folder of ``annotations/panoptic_<split>.json``, or such a file. The PNGs are in the
            folder of the same name beside it.
        split: Split, ``val2017`` for ``panoptic_val2017.json``; may be None where there is only
            one file.
        images: Folder of images. By default the split's, as for COCO.

    Raises:
        DatasetError: There is no such file, it is not as COCO describes it, or images are missing.
    """

    def __init__(self, root: Path, *, split: str | None = None, images: Path | None = None) -> None:
        if root.is_file():
            path, chosen = root, _split_of(root)
        else:
            files = _files(root)
            chosen = choose_split(sorted(files), split, str(root))
            path = files[chosen]
        base = path.parent.parent if path.parent.name == ANNOTATIONS else path.parent
        folders = [base / chosen, base / "images" / chosen, base / "images", base]
        document = read_json(path)
        entries, left_out = _entries(document, path, [images] if images is not None else folders)
        self._void = any(
            whole_number(each.get("isthing")) == 0
            for each in objects_in(document.get("categories"))
        )
        name = path.stem if root.is_file() else f"{root.resolve().name} {chosen}"
        names, _ = coco_names(document, path.name)
        super().__init__(name, entries, class_names=names.categories.values(), left_out=left_out)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is such a file, or a folder with one and none of instances."""
        if path.is_file():
            return is_panoptic(path)
        return bool(_files(path)) and not Coco.recognise(path)

    def _read(self, name: str, entry: PanopticImage) -> Sample:
        numbers = colour_map(read_bytes(entry.png), str(entry.png))
        size = Size(*numbers.shape)
        rgb = image_for(read_bytes(entry.image), size, str(entry.image), str(entry.png))
        masks = _masks(numbers, str(entry.png))
        objects: list[BoolMask] = []
        labels: list[str | None] = []
        left_out: list[LeftOut] = []
        ignored = numbers == 0 if self._void else np.zeros(size, dtype=np.bool_)
        for segment in entry.segments:
            mask = masks.pop(segment.id, None)
            if mask is None:
                left_out.append(LeftOut(NO_PIXEL))
            elif segment.crowd:
                ignored |= mask
            elif segment.thing:
                objects.append(mask)
                labels.append(segment.label)
            else:
                left_out.append(LeftOut("stuff"))
        for number, mask in masks.items():
            left_out.append(LeftOut(f"segment {number} is not in the JSON file", entry.png.name))
            ignored |= mask
        return Sample(
            name,
            rgb,
            tuple(objects),
            ignored if ignored.any() else None,
            tuple(labels),
            file_name=entry.file_name,
            left_out=tuple(left_out),
            path=entry.image,
        )


def _masks(numbers: npt.NDArray[np.uint32], source: str) -> dict[int, BoolMask]:
    """Each segment's pixels, by its number, without the void."""
    flat = numbers.ravel()
    starts = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)  # of runs: fewer than pixels
    present, places = np.unique(flat[starts], return_inverse=True)
    if len(present) > 65535:
        raise DatasetError(
            f"{source} has {len(present)} segments", hint="check that it is a PNG of segments"
        )
    ranks = (np.arange(1, len(present) + 1) * (present > 0)).astype(np.uint16)
    labels = np.repeat(ranks[places], np.diff(starts, append=flat.size)).reshape(numbers.shape)
    masks = split_labels(labels, None, source).objects
    return dict(zip(present[present > 0].tolist(), masks, strict=True))


def _entries(
    document: Any,  # noqa: ANN401 - parsed JSON
    path: Path,
    folders: list[Path],
) -> tuple[dict[str, PanopticImage], list[LeftOut]]:
    names, left_out = coco_names(document, path.name)
    kinds = {
        each["id"]: each
        for each in objects_in(document.get("categories"))
        if isinstance(each.get("id"), int | str)
    }
    segmented: dict[str, tuple[str, str, tuple[Segment, ...]]] = {}
    for place, annotation in enumerate(objects_in(document.get(ANNOTATIONS))):
        where = f"{path.name}, annotation {place}"
        try:
            written, _ = names.images[annotation["image_id"]]
            png = str(PurePosixPath(annotation["file_name"]))
            check_name(png, where)
            segments = tuple(_segments(annotation["segments_info"], kinds))
        except (KeyError, TypeError, ValueError, AttributeError):
            left_out.append(LeftOut("it is not an image with segments", where))
            continue
        except DatasetError as error:
            left_out.append(LeftOut.of(error, where))
            continue
        name = str(PurePosixPath(written).with_suffix(""))
        if name in segmented:
            left_out.append(LeftOut("a second annotation of an image", where))
        else:
            segmented[name] = (written, png, segments)
    found = find_pictures({name: [written] for name, (written, _, _) in segmented.items()}, folders)
    if missing := [written for name, (written, _, _) in segmented.items() if name not in found]:
        raise DatasetError(
            f"{path}: images not found in {', '.join(map(str, folders))}: "
            + count_and_first(missing),
            hint="name their folder with --images",
        )
    folder = path.parent / path.stem
    entries = {
        name: PanopticImage(found[name], written, folder / png, segments)
        for name, (written, png, segments) in segmented.items()
    }
    return entries, left_out


def _segments(listed: Any, kinds: dict[Any, dict[str, Any]]) -> Iterable[Segment]:  # noqa: ANN401
    for each in listed:
        number = whole_number(each["id"])
        if number is None:
            raise ValueError("a segment without a number")
        kind = kinds.get(each.get("category_id"), {})
        label = kind.get("name")
        yield Segment(
            number,
            None if label is None else str(label),
            whole_number(kind.get("isthing", 1)) != 0,
            whole_number(each.get("iscrowd")) == 1,
        )


def _files(root: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for folder in (root, root / ANNOTATIONS):
        if folder.is_dir():
            for path in files_by_stem(folder, (".json",)).values():
                if is_panoptic(path) and (split := _split_of(path)):
                    files[split] = path
    return files


def _split_of(path: Path) -> str:
    match = PANOPTIC.fullmatch(path.stem)
    return match[1] if match else ""
