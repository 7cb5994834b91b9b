"""Which image of an exported task a region was drawn on.

A region names its ``Image`` tag and, where that shows several, the item. What a tag shows stands in
the labelling config, which an export does not hold; without it only a task with one image is clear.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from edgeflow.data.base import DatasetError
from edgeflow.data.files import IMAGES
from edgeflow.errors import brief
from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.config.label_config import LabelConfig

DEEPEST = 8
"""Most parts of a path that an image is looked for under."""

_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")


class Place(NamedTuple):
    """Where a region says that it is.

    Attributes:
        to_name: Name of the ``Image`` tag.
        item: Index of the image where the tag shows several; None where it does not say.
    """

    to_name: str
    item: int | None


def place_of(result: dict[str, Any], source: str) -> Place:
    """Where a result of an annotation is.

    Raises:
        DatasetError: It does not say so in Label Studio's form.
    """
    item = result.get("item_index")
    if item is not None and (not isinstance(item, int) or isinstance(item, bool) or item < 0):
        raise DatasetError(
            f"{source}: a region whose item_index is {brief(item)!a}", hint="export it again"
        )
    return Place(str(result.get("to_name")), item)


def locations(
    data: object, places: Collection[Place], config: LabelConfig | None, source: str
) -> dict[Place, str]:
    """The path or URL of the image at each place.

    Args:
        data: The task's.
        places: At least one.
        config: The project's labelling config, where it is at hand.
        source: Where the task was read, for messages.

    Returns:
        A location for each place; empty where the task has no image.

    Raises:
        DatasetError: It cannot be told.
    """
    known = data if isinstance(data, dict) else {}
    if config is not None:
        shown = config.for_task(known)
        return {place: _told(known, place, shown.image(place.to_name), source) for place in places}
    return _sole(known, places, source)


def _told(data: dict[str, Any], place: Place, tag: ImageTag | None, source: str) -> str:
    if tag is None:
        raise DatasetError(
            f"{source}: a region is on '{brief(place.to_name)}', and the labelling config has no "
            "such Image tag",
            hint="name the labelling config of this project with --label-config",
        )
    value, item = tag.shown(data), place.item or 0
    entries = value if isinstance(value, list) else [value]
    if item >= len(entries):
        raise DatasetError(
            f"{source}: a region is on image {item + 1} of '{brief(place.to_name)}', which has "
            f"{len(entries)}",
            hint="export the project again, or name its labelling config with --label-config",
        )
    return entries[item] if isinstance(entries[item], str) else ""


def _sole(data: dict[str, Any], places: Collection[Place], source: str) -> dict[Place, str]:
    """The one image of a task, or its one list of images."""
    found = [names for names in _images(data) if any(map(image_names, names))]
    # What has a scheme or begins with a slash is what the editor loads; beside it, "a.jpg" is text.
    loaded = [names for names in found if any(map(_is_url, names))]
    found = loaded or found
    if not found:
        return dict.fromkeys(places, "")
    tags = sorted({place.to_name for place in places})
    if len(tags) > 1:
        raise _unclear(source, f"its regions are on {', '.join(map(brief, tags[:5]))}")
    items = {place.item or 0 for place in places}
    if len({tuple(names) for names in found}) == 1:
        found = found[:1]  # one image under several keys
    if len(found) > 1:
        listed = ", ".join(ascii(names[0][-40:]) for names in found[:3])
        raise _unclear(source, f"its data names several images ({listed})")
    (names,) = found
    if len(names) > 1 and any(place.item is None for place in places):
        raise _unclear(source, f"it has {len(names)} images, and a region has no item_index")
    if max(items) >= len(names):
        raise _unclear(source, f"it has {len(names)} images, and a region is on {max(items) + 1}")
    return {place: names[place.item or 0] for place in places}


def _images(data: object) -> Iterator[list[str]]:
    """Where images may stand in a task: texts, each alone, and lists of texts."""
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield [value]
        elif isinstance(value, dict):
            pending.extend(reversed(value.values()))
        elif isinstance(value, list):
            if value and all(isinstance(entry, str) for entry in value):
                yield value
            else:
                pending.extend(reversed(value))


def _is_url(location: str) -> bool:
    return "://" in location or location.startswith("/")


def _unclear(source: str, reason: str) -> DatasetError:
    return DatasetError(
        f"{source}: which image its regions are on cannot be told: {reason}",
        hint="save the project's labelling config (Settings, Labeling Interface, Code) in a file, "
        "and name it with --label-config",
    )


def image_names(location: str) -> list[str]:
    """The names under which a task's image may lie in a folder, the most specific first.

    Args:
        location: Path or URL, also ``/data/local-files/?d=…`` and
            ``/data/upload/<project>/<hash>-<name>``.

    Returns:
        Relative paths of images' extensions, without ``..``.
    """
    if location.startswith("data:"):
        return []
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
