"""Volumes as tasks of several pages. Nothing that tells of a patient goes in, UIDs alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from edgeflow.volumes.volume import Plane, Volume

PAGES = "pages"
"""Key of a task's data with its pages' URLs, for ``valueList``."""

SLICES = "slices"
"""Key with what each page is called in its file, in the order of the pages."""


class Part(NamedTuple):
    """The pages of one task.

    Attributes:
        volume: Their volume.
        pages: Their numbers, from 0, in order.
    """

    volume: Volume
    pages: Sequence[int]


def parts(volume: Volume, pages: Sequence[int], most: int) -> list[Part]:
    """Pages in tasks of at most so many, all of about one length.

    Args:
        volume: Their volume.
        pages: Their numbers, from 0, in order.
        most: Pages of a task.
    """
    count = len(pages)
    number = -(-count // most)
    ends = [count * each // number for each in range(number + 1)]
    return [Part(volume, pages[start:stop]) for start, stop in pairwise(ends)]


def page_name(volume: Volume, index: int) -> str:
    """A page's file, relative to the folder of all."""
    return f"{volume.name}/{index + 1:04d}.png"


def task_of(part: Part, urls: Sequence[str], window: str) -> dict[str, Any]:
    """A task for Label Studio's import.

    Args:
        part: Its pages.
        urls: Under which Label Studio finds them.
        window: What they show.
    """
    volume = part.volume
    return {
        "data": {
            PAGES: list(urls),
            "series": volume.series,
            "study": volume.study,
            "modality": volume.modality,
            "window": window,
            "first_page": part.pages[0] + 1,
            "pixel_spacing_mm": list(volume.spacing) if volume.spacing else None,
            "page_distance_mm": volume.distance,
            SLICES: [
                {"uid": volume.planes[page].uid, "frame": volume.planes[page].frame}
                for page in part.pages
            ],
        }
    }


def planes_of(data: object) -> Iterator[tuple[str, Plane]]:
    """The URL of each page of a task, and what it is called in its file.

    Args:
        data: A task's, untrusted; what is not as :func:`task_of` wrote it is passed over.
    """
    if not isinstance(data, dict):
        return
    urls, slices = data.get(PAGES), data.get(SLICES)
    if not isinstance(urls, list) or not isinstance(slices, list) or len(urls) != len(slices):
        return
    for url, each in zip(urls, slices, strict=True):
        if not isinstance(each, dict) or not isinstance(url, str):
            continue
        uid, frame = each.get("uid"), each.get("frame")
        if isinstance(uid, str) and type(frame) is int:
            yield url, Plane(uid, frame)


def planes_in(tasks: Iterable[object]) -> dict[Plane, str]:
    """The pages that tasks show already, and in which window.

    Args:
        tasks: As Label Studio lists them, untrusted.
    """
    found: dict[Plane, str] = {}
    for task in tasks:
        data = task.get("data") if isinstance(task, dict) else None
        for _, plane in planes_of(data):
            found[plane] = str(data.get("window", "")) if isinstance(data, dict) else ""
    return found
