"""The pages of a Label Studio task, and what is annotated on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from edgeflow.data.drawn_regions import DrawnRegion, render
from edgeflow.data.json_files import objects_in
from edgeflow.data.left_out import LeftOut
from edgeflow.data.task_images import Place
from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.object_ids import META_KEY
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.tasks import Report
from edgeflow.sequences.linking import PageRegion


class Page(NamedTuple):
    """A page.

    Attributes:
        tag: Shows it.
        item: Its index where the tag shows several; None where it shows one.
        location: Path or URL; empty where there is none.
    """

    tag: ImageTag
    item: int | None
    location: str


def sequences_of(config: TaskConfig, data: JSONObject) -> list[list[Page]]:
    """The sequences of pages that a task shows: of at least two pages each.

    A list of images is one; images of a tag each, perhaps of a Repeater, together are one.

    Args:
        config: The labelling config as the task shows it.
        data: The task's.
    """
    single: list[Page] = []
    found = [single]
    for tag in config.images:
        value = tag.shown(data)
        if tag.several:
            entries = value if isinstance(value, list) else [value]
            found.append([Page(tag, item, _text(each)) for item, each in enumerate(entries)])
        else:
            single.append(Page(tag, None, _text(value)))
    return [pages for pages in found if len(pages) > 1]


def tracks_in(results: object) -> dict[str, str]:
    """Which object regions say that they are of, by their ids: it is the same on all pages.

    Args:
        results: An annotation's ``result``, untrusted.
    """
    found: dict[str, str] = {}
    for each in objects_in(results):
        meta, own = each.get("meta"), each.get("id")
        record = meta.get(META_KEY) if isinstance(meta, dict) else None
        track = record.get("track") if isinstance(record, dict) else None
        if isinstance(track, str) and track and isinstance(own, str):
            found[own] = track
    return found


def page_regions(
    pages: list[Page],
    regions: Iterable[DrawnRegion],
    tracks: Mapping[str, str],
    report: Report,
    source: str,
) -> list[PageRegion]:
    """What is annotated on the pages of a sequence.

    Args:
        pages: Of the sequence.
        regions: Of the task's annotation; those on other images are passed over.
        tracks: Which object a region is of, by its id, where it says so.
        report: Told of regions that cannot be read.
        source: What messages call the task.
    """
    numbers = {(page.tag.name, page.item): number for number, page in enumerate(pages)}
    sole = len({page.tag.name for page in pages}) == 1
    found = []
    for region in regions:
        number = numbers.get(_at(region.place, pages, sole=sole))
        if number is None:
            continue
        if region.size is None:
            report.lose("a region without its image's size", source)
            continue
        mask = render(region, region.size, source)
        if isinstance(mask, LeftOut):
            report.left_out.append(mask)
            continue
        key = tracks.get(region.id) or region.object_id or region.id
        patch = MaskPatch.of(mask)
        found.append(PageRegion(number, key, region.kind.name, region.labels, patch))
    return found


def _at(place: Place, pages: list[Page], *, sole: bool) -> tuple[str, int | None]:
    name = place.to_name or (pages[0].tag.name if sole else "")
    if pages[0].tag.several:
        return name, place.item or 0
    return name, None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
