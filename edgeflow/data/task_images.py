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
        to_name: Name of the ``Image`` tag; empty where it does not say.
        item: Index of the image where the tag shows several; None where it does not say.
    """

    to_name: str
    item: int | None


class Located(NamedTuple):
    """The images of a task that something was drawn on.

    Attributes:
        images: Path or URL for each place; empty where the task has no image.
        faults: What is wrong, for each place that the task does not have.
    """

    images: dict[Place, str]
    faults: dict[Place, str]


def locations(
    data: object, places: Collection[Place], config: LabelConfig | None, source: str
) -> Located:
    """The path or URL of the image at each place.

    Args:
        data: The task's.
        places: Those of its regions.
        config: The project's labelling config, where it is at hand.
        source: Where the task was read, for messages.

    Raises:
        DatasetError: Without a labelling config it cannot be told.
        LabelConfigError: The labelling config makes too much of the task.
    """
    known = data if isinstance(data, dict) else {}
    located = Located({}, {})
    if config is not None:
        shown = config.for_task(known)
        for place in places:
            tag = shown.image(place.to_name) if place.to_name else _only(shown.images)
            _tell(known, place, tag, located)
    elif places:
        _tell_sole(known, places, source, located)
    return located


def _only(images: tuple[ImageTag, ...]) -> ImageTag | None:
    return images[0] if len(images) == 1 else None


def _tell(data: dict[str, Any], place: Place, tag: ImageTag | None, located: Located) -> None:
    name = ascii(brief(place.to_name))
    if tag is None:
        located.faults[place] = (
            f"a region is on {name}, and the labelling config has no such Image tag"
        )
        return
    value = tag.shown(data)
    entries = value if isinstance(value, list) else [value]
    _take(entries, place, name, located)


def _take(entries: list[Any], place: Place, name: str, located: Located) -> None:
    """Note the image at a place, given all that stand there."""
    item = place.item or 0
    if item >= len(entries):
        located.faults[place] = (
            f"a region is on image {item + 1} of {name}, which has {len(entries)}"
        )
    else:
        located.images[place] = entries[item] if isinstance(entries[item], str) else ""


def _tell_sole(
    data: dict[str, Any], places: Collection[Place], source: str, located: Located
) -> None:
    """Note the one image of a task, or its one list of images."""
    found = [names for names in _images(data) if any(map(image_names, names))]
    # What has a scheme or begins with a slash is what the editor loads; beside it, "a.jpg" is text.
    loaded = [names for names in found if any(map(_is_url, names))]
    found = loaded or found
    if not found:
        located.images.update(dict.fromkeys(places, ""))
        return
    tags = sorted({place.to_name for place in places} - {""})
    if len(tags) > 1:
        raise _unclear(source, f"its regions are on {', '.join(map(brief, tags[:5]))}")
    if len({tuple(names) for names in found}) == 1:
        found = found[:1]  # one image under several keys
    if len(found) > 1:
        listed = ", ".join(ascii(names[0][-40:]) for names in found[:3])
        raise _unclear(source, f"its data names several images ({listed})")
    (names,) = found
    if len(names) > 1 and any(place.item is None for place in places):
        raise _unclear(source, f"it has {len(names)} images, and a region has no item_index")
    for place in places:
        _take(names, place, ascii(brief(place.to_name)), located)


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
