"""The regions that a task holds already, and their masks, decoded only when one is needed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson

from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import kind_of_region
from edgeflow.label_studio.values import JSONObject, side, whole_number
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.protocol.record import RegionRecord, read_record
from edgeflow_backend.protocol.wire import objects

Where = Literal["off", "drafts", "annotations"]
"""Where an object that a click refines is looked for; ``annotations`` includes drafts."""

MaskCache = ByteLRU[bytes, MaskPatch]

_TOO_LARGE = 4
"""Times the image's pixels; nothing that the editor shows is larger than its image."""


@dataclass(frozen=True)
class TaskRegion:
    """A region in a draft or annotation; its value is not looked at before it must be.

    Attributes:
        labels: As stored.
        size: Size of the image that it was drawn on, where it says so.
        value: Label Studio's, untrusted.
        record: How this backend made it, if it did.
    """

    id: str
    type: str
    from_name: str
    to_name: str
    item_index: int | None
    labels: tuple[str, ...]
    size: Size | None
    value: JSONObject
    record: RegionRecord | None

    @property
    def object_id(self) -> str:
        """Its own id, or that of the first piece of its object."""
        return self.record.object if self.record is not None else self.id


@dataclass(frozen=True)
class Draft:
    """The newest draft of a task: what its annotator had in the editor when it was saved.

    Attributes:
        ids: Of all that it holds, points too.
        author: Whose it is, as Label Studio names them.
        saved: When it was saved, as Label Studio writes it.
    """

    ids: frozenset[str] = frozenset()
    author: str = ""
    saved: str = ""

    @classmethod
    def of(cls, drafts: list[JSONObject]) -> Draft:
        """The newest of a task's drafts; an empty one if it has none."""
        if not drafts:
            return NO_DRAFT
        newest = _newest(drafts)
        ids = (result.get("id") for result in objects(newest.get("result")))
        return cls(
            frozenset(key for key in ids if isinstance(key, str)),
            str(newest.get("user") or ""),
            str(newest.get("updated_at") or ""),
        )

    def age(self, now: float) -> float | None:
        """Seconds since it was saved, by Label Studio's clock; None where that is not told.

        Args:
            now: POSIX time.
        """
        try:
            return now - datetime.fromisoformat(self.saved.replace("Z", "+00:00")).timestamp()
        except (ValueError, OverflowError, OSError):
            return None


NO_DRAFT = Draft()


@dataclass(frozen=True)
class TaskRegions:
    """The regions in a task's drafts and annotations, each read once.

    Attributes:
        ids: All their ids.
        records: Of those that this backend made.
        open: The regions that the annotator has before them, the topmost first.
        draft: The newest draft; an empty one without drafts.
    """

    ids: frozenset[str]
    records: tuple[RegionRecord, ...]
    open: tuple[TaskRegion, ...]
    draft: Draft = NO_DRAFT

    @property
    def author(self) -> str:
        """Whose draft the newest is; empty without a draft."""
        return self.draft.author

    @classmethod
    def of(cls, task: JSONObject, where: Where, copied: JSONObject | None = None) -> TaskRegions:
        """Read a task's regions.

        Label Studio does not say who clicks nor which annotation is open. A draft is the clicking
        annotator's own, so the newest draft decides; without one the task's only annotation is
        taken for the open one. Of several annotations none is: they may be other people's. Skipped
        ones are not among them: whether one was reopened, or a new one begun beside it, shows in
        the draft alone, and the task of a skipped annotation goes to somebody else by default.

        Args:
            task: The request's task.
            where: Where :attr:`open` regions are looked for.
            copied: The prediction that the editor has copied into a fresh annotation.
        """
        drafts, annotations = objects(task.get("drafts")), objects(task.get("annotations"))
        copies = [] if copied is None or where == "off" else [copied]
        open_holder = copies[0] if copies else _open_holder(drafts, annotations, where)
        ids: set[str] = set()
        records: list[RegionRecord] = []
        regions: list[TaskRegion] = []
        for holder in (*drafts, *annotations, *copies):
            results = objects(holder.get("result"))
            carried = carried_labels(results) if holder is open_holder else {}
            for raw in results:
                record = read_record(raw)
                if record is not None:
                    records.append(record)
                if isinstance(raw.get("id"), str):
                    ids.add(raw["id"])
                if holder is open_holder and (region := _read(raw, record, carried)) is not None:
                    regions.append(region)
        return cls(frozenset(ids), tuple(records), tuple(reversed(regions)), Draft.of(drafts))


def region_mask(region: TaskRegion, image_size: Size, cache: MaskCache) -> MaskPatch | None:
    """The mask of a region, at the region's own size; None if it cannot be read.

    Args:
        region: From :class:`TaskRegions`.
        image_size: Image size, where the region does not say its own.
        cache: Remembers masks by their code.
    """
    size = region.size or image_size
    if size.height * size.width > image_size.height * image_size.width * _TOO_LARGE:
        return None
    try:
        code = region.value.get("rle")
        if isinstance(code, list) and "touches" not in region.value:
            packed = bytes(code)  # much quicker than as JSON
        else:
            packed = orjson.dumps(region.value)
        key = hashlib.sha256(
            repr((region.type, size)).encode("utf-8", "surrogatepass") + packed
        ).digest()
        mask = cache.get(key)
        if mask is None:
            mask = _decode(region.type, region.value, size)
            if mask is not None:
                cache.put(key, mask)
    except (EdgeFlowError, ValueError, TypeError):
        return None
    return mask


def answer_mask(region: JSONObject, mask: MaskPatch) -> MaskPatch:
    """What a region that was just made from ``mask`` shows: less exact for outlines and boxes."""
    kind = kind_of_region(region["type"])
    if kind is None or kind.mask is None or kind.mask.exact:
        return mask
    try:
        return _decode(region["type"], region["value"], mask.image_size) or mask
    except EdgeFlowError:
        return mask


def code_length(value: JSONObject) -> int:
    """Length of a region's brush code or inline image; 0 for others and for edited drafts."""
    if value.get("touches"):
        return 0
    code = value.get("rle", value.get("imageDataURL"))
    return len(code) if isinstance(code, list | str) else 0


def _decode(region_type: str, value: JSONObject, size: Size) -> MaskPatch | None:
    kind = kind_of_region(region_type)
    if kind is None or kind.mask is None:
        return None
    mask = kind.mask.parse(value).mask(size)
    if not kind.mask.exact and not mask.any():
        return None  # an outline that encloses nothing, such as an unfinished polygon
    return MaskPatch.of(mask)


def _open_holder(
    drafts: list[JSONObject], annotations: list[JSONObject], where: Where
) -> JSONObject | None:
    """The draft or annotation that the annotator has open, as far as can be told."""
    if where == "off":
        return None
    if drafts:
        return _newest(drafts)
    submitted = [annotation for annotation in annotations if not was_skipped(annotation)]
    if where == "annotations" and len(submitted) == 1:
        return submitted[0]
    return None


def _newest(drafts: list[JSONObject]) -> JSONObject:
    return max(drafts, key=lambda draft: str(draft.get("updated_at", "")))


def was_skipped(annotation: JSONObject) -> bool:
    """Whether an annotator skipped the task instead of submitting this; its regions are kept."""
    return bool(annotation.get("was_cancelled"))


def carried_labels(results: list[JSONObject]) -> dict[str, object]:
    """By id, the labels of unlabelled controls' regions: a second result with the region's id."""
    return {
        str(result.get("id")): value.get("labels")
        for result in results
        if result.get("type") == "labels" and isinstance(value := result.get("value"), dict)
    }


def _read(
    raw: JSONObject, record: RegionRecord | None, carried: dict[str, object]
) -> TaskRegion | None:
    region_type, value = raw.get("type"), raw.get("value")
    names = (raw.get("id"), raw.get("from_name"), raw.get("to_name"))
    if not isinstance(region_type, str) or not isinstance(value, dict):
        return None
    if not all(isinstance(name, str) for name in names):
        return None
    labels = value.get(region_type)
    if labels is None:
        labels = carried.get(str(raw["id"]))
    width, height = side(raw.get("original_width")), side(raw.get("original_height"))
    return TaskRegion(
        id=str(raw["id"]),
        type=region_type,
        from_name=str(raw["from_name"]),
        to_name=str(raw["to_name"]),
        item_index=whole_number(raw.get("item_index")),
        labels=tuple(map(str, labels)) if isinstance(labels, list) else (),
        size=Size(height, width) if height and width else None,
        value=value,
        record=record,
    )
