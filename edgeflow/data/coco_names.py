"""What the ids in COCO's files stand for: images and categories."""

from __future__ import annotations

from typing import NamedTuple

from edgeflow.data.base import DatasetError
from edgeflow.data.coco import SHARED_ID, image_path, image_size
from edgeflow.data.json_files import objects_in
from edgeflow.data.left_out import LeftOut
from edgeflow.geometry import Size

Id = int | str


class Names(NamedTuple):
    """What ids stand for.

    Attributes:
        images: Relative path and size, by image id.
        categories: Class names by category id.
    """

    images: dict[Id, tuple[str, Size | None]]
    categories: dict[Id, str]


def coco_names(document: object, source: str) -> tuple[Names, list[LeftOut]]:
    """The images and categories of a COCO file, and the images that cannot be read.

    Raises:
        DatasetError: It has no list of images.
    """
    listed = document.get("images") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(listed, list):
        raise DatasetError(f"{source} is not a COCO file", hint='it needs the list "images"')
    images: dict[Id, tuple[str, Size | None]] = {}
    left_out: list[LeftOut] = []
    for image in listed:
        try:
            path = image_path(image, source)
            known, _ = images.setdefault(as_id(image["id"]), (path, image_size(image)))
            if known != path:
                left_out.append(LeftOut(SHARED_ID.format(known), path))
        except (KeyError, TypeError, ValueError, AttributeError):
            left_out.append(LeftOut("an image without id or name", source))
        except DatasetError as error:
            left_out.append(LeftOut(error.message, source))
    categories = {
        each["id"]: str(each["name"])
        for each in objects_in(document.get("categories"))
        if isinstance(each.get("id"), int | str) and "name" in each
    }
    return Names(images, categories), left_out


def as_id(value: object) -> Id:
    """An id, checked.

    Raises:
        TypeError: It is neither a whole number nor a text.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError("an id is a number or a text")
    return value
