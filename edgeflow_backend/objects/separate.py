"""Several objects in one request.

With "auto-accept" on, clicks that come before the answer to the last one arrive together, although
each may be of another object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from edgeflow.errors import PromptError
from edgeflow_backend.errors import superseded
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.refine import reaches
from edgeflow_backend.objects.signs import Visit
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt
from edgeflow_backend.protocol.wire import KeyPoint

SAME_OBJECT_IOU = 0.5
"""Two clicks whose masks overlap more are of one object."""

SEVERAL = 3
"""So many objects in quick clicks are believed, even where nothing but their haste tells."""

Answerer = Callable[[Prompt], RecentAnswer]


class _Found(NamedTuple):
    """The clicks on an object, and their answer."""

    prompt: ClickPrompt
    answer: RecentAnswer


def separate(
    prompt: Prompt, visit: Visit, answer: Answerer, *, reach: float
) -> tuple[list[RecentAnswer], list[PromptError]]:
    """Answer each object that a request's clicks may be of.

    Where clicks may be of several objects, each is taken as if it had come after the answer to the
    ones before: on a mask, or if positive beside it, it belongs to that object. So it does if its
    own mask is much the same. A negative click on no mask at all belongs to the newest object. Any
    other begins an object, or refines one of the task's.

    Args:
        prompt: The request's.
        visit: Says whether it may hold several objects.
        answer: Answers the part of the prompt that is about one object.
        reach: How far outside a mask a positive click may lie, percent of the image's longer side.

    Returns:
        At least one answer, and why other clicks have none.

    Raises:
        PromptError: No click has an answer.
        SupersededError: A newer request holds all these clicks.
    """
    if not isinstance(prompt, ClickPrompt) or not _may_hold_several(prompt, visit):
        whole = answer(prompt)
        # A request that came meanwhile may tell.
        if not isinstance(prompt, ClickPrompt) or not _may_hold_several(prompt, visit):
            return [whole], []
    found: list[_Found] = []
    lost: list[PromptError] = []
    for click in prompt.points:
        if visit.overtaken:
            raise superseded()
        try:
            _add(replace(prompt, points=(click,)), found, answer, reach)
        except PromptError as error:
            lost.append(error)
    if not found:
        raise lost[-1]
    if not visit.hurried and len(found) < SEVERAL:
        return [answer(prompt)], []
    visit.several = len(found) > 1
    return [each.answer for each in found], lost


def divide(whole: RecentAnswer, answer: Answerer, *, reach: float) -> list[RecentAnswer]:
    """Answer each object of clicks that were taken for one object's, if they are of several.

    Args:
        whole: The answer that auto-accept accepted; the first object takes its region's place.
        answer: Answers the part of a prompt that is about one object.
        reach: As in :func:`separate`.

    Returns:
        Empty if there is nothing to divide.
    """
    if whole.prompt is None:
        return []
    quick = Visit(frozenset(whole.prompt_ids), pending=True, hurried=True)
    (first, *others), _ = separate(whole.prompt, quick, answer, reach=reach)
    if not others:
        return []
    return [replace(first, after=replace(first.after, region_id=whole.after.region_id)), *others]


def _may_hold_several(prompt: ClickPrompt, visit: Visit) -> bool:
    positive = sum(point.positive for point in prompt.points)
    return visit.pending and positive >= (2 if visit.hurried else SEVERAL)


def _add(alone: ClickPrompt, found: list[_Found], answer: Answerer, reach: float) -> None:
    """Add a click to the object that it means, or begin one."""
    number = _meant(alone.newest, found, reach)
    if number is None:
        try:
            own = answer(alone)
        except PromptError:
            if alone.newest.positive or not found:
                raise
            number = len(found) - 1
        else:
            overlaps = [each.answer.mask.iou(own.mask) for each in found]
            number = next((n for n, iou in enumerate(overlaps) if iou > SAME_OBJECT_IOU), None)
            if number is None:
                found.append(_Found(alone, own))
                return
    longer = replace(alone, points=(*found[number].prompt.points, *alone.points))
    found[number] = _Found(longer, answer(longer))


def _meant(click: KeyPoint, found: Sequence[_Found], reach: float) -> int | None:
    """Which object's mask a click is on, or else near; the newest if there are several."""
    if not found:
        return None
    for pixels in reaches(click, reach, found[0].answer.mask.image_size):
        for number in reversed(range(len(found))):
            if found[number].answer.mask.within(click.value.x, click.value.y, pixels):
                return number
    return None
