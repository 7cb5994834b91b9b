"""Prompts of an annotation whose masks nobody accepted.

Somebody who submits before accepting stores the points and loses the mask. Label Studio 1.23 stores
a smart click with its sign (``is_positive``) and an ordinary keypoint without one; but a smart
click that the editor has read back, after a reload, loses it. Such a point is not guessed at: with
the wrong sign it would make another mask.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Sequence
from dataclasses import dataclass

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.objects.task_regions import carried_labels
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import PROMPTS, ClickPrompt
from edgeflow_backend.protocol.record import read_record
from edgeflow_backend.protocol.regions import made_here, region_id
from edgeflow_backend.protocol.wire import objects

NO_SIGN = (
    "the task was reloaded before it was submitted, so that Label Studio forgot which points are "
    "negative"
)


@dataclass(frozen=True)
class LeftOut:
    """Prompts that cannot be answered.

    Attributes:
        count: How many points or shapes.
        reason: Why.
        advice: What can be done.
    """

    count: int
    reason: str
    advice: str


@dataclass(frozen=True)
class Lost:
    """The prompts of an annotation that have no mask.

    Attributes:
        prompts: Those that can be answered, oldest first.
        left_out: Those that cannot.
    """

    prompts: tuple[Prompt, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.prompts or self.left_out)


def find_lost(result: object, config: TaskConfig, task_id: object, *, max_clicks: int) -> Lost:
    """The prompts in an annotation whose masks are not there.

    The points of one control, image, item and set of labels are one prompt, as the editor sends
    them; each smart rectangle is one by itself. Points that went into a mask of the annotation are
    none, although the tick on the canvas leaves them there; nor are ordinary keypoints and
    rectangles.

    Args:
        result: The annotation's, untrusted.
        config: The labelling config, as the task shows it.
        task_id: The annotation's task.
        max_clicks: Clicks on one object.
    """
    regions = objects(result)
    records = [record for region in regions if (record := read_record(region)) is not None]
    spent = {key for record in records for key in record.ids}
    made = {region["id"] for region in regions if made_here(region) and not _is_click(region)}
    asking = [r for r in regions if _is_prompt(r, config) and r["id"] not in spent]
    unsigned = sum(_is_click(region) and not _has_sign(region) for region in asking)
    left_out = [LeftOut(unsigned, NO_SIGN, "open the task and click again")] if unsigned else []
    prompts: list[Prompt] = []
    for group in _groups(asking, carried_labels(regions)):
        rest = group[_count_made(group[:max_clicks], task_id, made) if made else 0 :]
        if not rest:
            continue
        try:
            prompts.append(PROMPTS[rest[0]["type"]].parse(rest, max_clicks=max_clicks))
        except EdgeFlowError as error:
            left_out.append(LeftOut(len(rest), error.message, error.hint))
    return Lost(tuple(prompts), tuple(left_out))


def _is_prompt(region: JSONObject, config: TaskConfig) -> bool:
    """Whether a region asks for a mask: a click does that has a sign, as no other point has.

    An example asks for all its like. It stays where there are none, so it tells of no loss.
    """
    if not isinstance(region.get("id"), str) or read_record(region) is not None:
        return False
    control = config.control(str(region.get("from_name")))
    if control is not None and control.find is not None:
        return False
    if _is_click(region) and _has_sign(region):
        return True
    if control is None or control.region_type != region.get("type"):
        return False
    return control.smart and control.smart_only and control.sends != "nothing"


def _is_click(region: JSONObject) -> bool:
    return PROMPTS.get(str(region.get("type"))) is ClickPrompt


def _has_sign(region: JSONObject) -> bool:
    return isinstance(region.get("is_positive"), bool)


def _groups(
    regions: Iterable[JSONObject], carried: dict[str, object]
) -> Iterable[list[JSONObject]]:
    """The regions of each prompt, the prompt that began first coming first.

    Args:
        regions: Clicks and shapes; clicks without a sign are passed over.
        carried: By id, the labels that stand in a result of their own.
    """
    groups: dict[Hashable, list[JSONObject]] = {}
    for stored in regions:
        region, labels = _labelled(stored, carried.get(stored["id"]))
        if not _is_click(region):
            groups[region["id"]] = [region]
        elif _has_sign(region):
            names = [region.get(name) for name in ("from_name", "to_name", "item_index")]
            groups.setdefault(repr((names, labels)), []).append(region)  # untrusted: any JSON
    return groups.values()


def _labelled(region: JSONObject, carried: object) -> tuple[JSONObject, object]:
    """A region as a request has it, and its labels, wherever they are stored."""
    value = region.get("value")
    if not isinstance(value, dict):
        return region, None
    own = value.get(region["type"]) or value.get("labels")
    if own or not carried:
        return region, own
    return {**region, "value": {**value, "labels": carried}}, carried


def _count_made(group: Sequence[JSONObject], task_id: object, made: Container[str]) -> int:
    """How many of a prompt's first regions began answers, by the answers' ids alone.

    For masks whose record another program has dropped.
    """
    count = 0
    while step := next(
        (
            size
            for size in range(len(group) - count, 0, -1)
            if region_id(
                task_id,
                str(group[0].get("from_name")),
                [region["id"] for region in group[count : count + size]],
            )
            in made
        ),
        0,
    ):
        count += step
    return count
