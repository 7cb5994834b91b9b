"""From a task's annotations to the objects that were accepted in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from edgeflow.data.annotators import choose_annotations
from edgeflow.errors import EdgeFlowError, LabelConfigError, brief
from edgeflow.geometry import Size
from edgeflow.label_studio.api.heads import TaskHead
from edgeflow.label_studio.config.label_config import LabelConfig, TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow.learning.accepted import AcceptedObject, MaskCode, Origin, PercentClick, Start
from edgeflow_backend.examples.accepted import Accepted, Place, accepted_in
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.images.sources import task_image
from edgeflow_backend.learning.pictures import Files, Pictures
from edgeflow_backend.learning.store import Seen
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.objects.task_regions import MaskCache, region_mask, was_skipped
from edgeflow_backend.protocol.record import RegionRecord

OBJECTS_A_TASK = 1000
"""Objects of one annotation that are kept."""

CODE_BYTES = 1_000_000
"""Longest code of a mask; of a ragged one on a large photograph."""

MASKS_BYTES = 16_000_000
"""Of decoded masks, while one task is read."""


class LeftOutError(EdgeFlowError):
    """Why one object is not kept."""

    code = "left_out"


@dataclass
class Read:
    """What was read of a task.

    Attributes:
        objects: The objects.
        left_out: How many more there were, by reason.
    """

    objects: list[AcceptedObject] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Reader:
    """Reads tasks of one project.

    Attributes:
        config: The project's labelling config.
        host: Name of its Label Studio.
        locator: Finds images.
        pictures: Fetches them.
        files: Of the project.
        max_pixels: Largest image.
    """

    config: LabelConfig
    host: str
    locator: Locator
    pictures: Pictures
    files: Files
    max_pixels: int

    def read(self, head: TaskHead, annotations: Sequence[JSONObject], *, fetch: bool) -> Read:
        """Read a task.

        Args:
            head: The task.
            annotations: All that it has, as Label Studio's API says, untrusted.
            fetch: Whether images whose copies are gone are fetched again.

        Raises:
            EdgeFlowError: The labelling config does not fit, or an image is not to be had.
        """
        read, shown = Read(), self.config.for_task(head.data)
        chosen = choose_annotations({"annotations": list(annotations)}, "", "first").annotations
        counting = {each.number for each in chosen}
        masks: MaskCache = ByteLRU(MASKS_BYTES)
        seen: dict[Place, Seen] = {}
        for annotation in annotations:
            number = annotation.get("id")
            if was_skipped(annotation) or type(number) is not int:
                continue
            origin = _origin(head.id, number, annotation, counts=number in counting)
            accepted = accepted_in([annotation])
            if len(accepted) > OBJECTS_A_TASK:
                read.left_out[f"more than {OBJECTS_A_TASK} objects of one annotation"] += 1
            for each in accepted[:OBJECTS_A_TASK]:
                try:
                    code, edited = self._mask(each, masks)
                    if each.place not in seen:
                        seen[each.place] = self._see(head, shown, each.place, fetch=fetch)
                    _check_image(origin, seen[each.place])
                    digest = seen[each.place].digest
                    read.objects.append(_object(each, origin, digest, code, edited=edited))
                except LeftOutError as error:
                    read.left_out[error.message] += 1
        return read

    def _mask(self, accepted: Accepted, cache: MaskCache) -> tuple[MaskCode, bool]:
        """An object's mask, and whether somebody edited it by hand.

        Raises:
            LeftOutError: It has none that can be kept.
        """
        size = accepted.size
        if size is None:
            raise LeftOutError("a region that does not say its image's size")
        if size.height * size.width > self.max_pixels:
            raise LeftOutError("an image of more pixels than EDGEFLOW_MAX_PIXELS")
        mask = accepted.mask(size, cache)
        if mask is None:
            raise LeftOutError("a region without a mask, or with one that cannot be read")
        code = MaskCode.of(mask)
        if len(code.counts) > CODE_BYTES:
            raise LeftOutError(f"a mask whose code is longer than {CODE_BYTES} bytes")
        return code, any(_edited(accepted, size, cache))

    def _see(self, head: TaskHead, shown: TaskConfig, place: Place, *, fetch: bool) -> Seen:
        """What the image's file is.

        Raises:
            EdgeFlowError: It is not to be had.
        """
        tag = shown.image(place.image)
        if tag is None:
            raise LabelConfigError(
                f"the labelling config has no Image tag named '{brief(place.image)}'",
                hint="check the toName attributes of its controls",
            )
        url = task_image(head.data, tag, place.item)
        source = self.locator.locate(url, host=self.host, task_id=head.id)
        return self.pictures.see(source, self.files, fetch=fetch)


def _origin(task: int, number: int, annotation: Mapping[str, object], *, counts: bool) -> Origin:
    person = annotation.get("completed_by")
    person = person.get("id") if isinstance(person, dict) else person
    return Origin(
        task,
        number,
        _time(annotation.get("created_at")),
        _time(annotation.get("updated_at")),
        person if type(person) is int else None,
        annotation.get("ground_truth") is True,
        counts,
    )


def _time(value: object) -> str:
    """A time as the API says it; empty for anything else."""
    text = str(value)
    return text if _seconds(text) is not None else ""


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return None


def _check_image(origin: Origin, seen: Seen) -> None:
    """Refuse what was drawn on another image than there is now."""
    updated = _seconds(origin.updated_at)
    if updated is not None and updated < seen.changed_at:
        raise LeftOutError("its image is another one since it was annotated")


def _object(
    accepted: Accepted, origin: Origin, picture: str, code: MaskCode, *, edited: bool
) -> AcceptedObject:
    first = accepted.pieces[0]
    record, category = first.record, accepted.category
    clicks = () if record is None else tuple(PercentClick(*click[1:]) for click in record.clicks)
    model = "" if record is None else record.model
    texts = (accepted.object, category.control, *category.labels, model)
    if any("\ud800" <= character <= "\udfff" for text in texts for character in text):
        raise LeftOutError("a name that is no text")  # JSON also holds halves of characters
    start = _start(record)
    return AcceptedObject(
        origin, accepted.object, picture, category.control, category.labels, start, clicks, model,
        edited, code,
    )  # fmt: skip


def _start(record: RegionRecord | None) -> Start:
    if record is None:
        return "hand"
    if record.from_mask:
        return "mask"
    if record.outline is not None:
        return "outline"
    return "clicks" if record.clicks else "mask"


def _edited(accepted: Accepted, size: Size, cache: MaskCache) -> Iterator[bool]:
    """Of each piece that this backend made, whether it shows another mask by now."""
    for piece in accepted.pieces:
        if piece.record is not None:
            mask = region_mask(piece, size, cache)
            yield mask is None or mask.digest != piece.record.digest
