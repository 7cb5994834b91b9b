"""What a prompt and its task say of what is looked for: examples, and what is not meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from edgeflow.errors import PromptError
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.similar.known import KnownMask
from edgeflow_backend.objects.similar.suggestions import SAME_OBJECT_IOU
from edgeflow_backend.objects.task_regions import TaskRegions
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt, OutlinePrompt

Answerer = Callable[[Prompt], RecentAnswer]
"""Answers a part of a prompt as a new object."""


@dataclass
class Asked:
    """What a prompt and its task say of what is looked for.

    Attributes:
        begun: Objects of the prompt that are not there yet.
        examples: Masks of the prompt's objects, then of the task's.
        unlike: Masks of objects that are not meant.
        lost: Why parts of the prompt have no object.
    """

    begun: list[RecentAnswer] = field(default_factory=list)
    examples: list[MaskPatch] = field(default_factory=list)
    unlike: list[MaskPatch] = field(default_factory=list)
    lost: list[PromptError] = field(default_factory=list)


def what_is_asked(parts: Sequence[Prompt], known: Sequence[KnownMask], answer: Answerer) -> Asked:
    """What a prompt's parts say of what is looked for, and what the task does.

    Raises:
        PromptError: Nothing shows what is looked for.
    """
    asked = Asked()
    shown: list[MaskPatch] = []
    for part in parts:
        click = part.first_click
        try:
            meant = _meant(part, known, answer)
        except PromptError as error:
            asked.lost.append(error)
            continue
        mask = meant.mask if isinstance(meant, RecentAnswer) else meant
        if click is not None and not click.positive:
            asked.unlike.append(mask)
        elif isinstance(meant, RecentAnswer):
            asked.begun.append(meant)
        else:
            shown.append(mask)
    asked.examples = [*(each.mask for each in reversed(asked.begun)), *reversed(shown)]
    met = {id(mask) for mask in (*asked.examples, *asked.unlike)}
    asked.examples += [each.mask for each in known if each.example and id(each.mask) not in met]
    if not asked.examples:
        if asked.lost:
            raise asked.lost[-1]
        raise PromptError(
            "no click shows what to look for",
            hint="click on one object of the kind first, without holding Alt",
        )
    return asked


def parts_of(prompt: Prompt, regions: TaskRegions) -> Sequence[Prompt]:
    """The parts of a prompt, each on an object of its own, oldest first.

    Boxes whose objects are accepted come along like spent clicks, and are left out like those.
    """
    if isinstance(prompt, ClickPrompt):
        return [replace(prompt, points=(point,)) for point in prompt.points]
    if isinstance(prompt, OutlinePrompt):
        spent = {key for record in regions.records for key in record.ids}
        earlier = [region for region in prompt.earlier if region.id not in spent]
        return [*map(OutlinePrompt, earlier), OutlinePrompt(prompt.region)]
    return [prompt]


def _meant(part: Prompt, known: Sequence[KnownMask], answer: Answerer) -> MaskPatch | RecentAnswer:
    """The object that a part of a prompt is on: a mask that is there, or else a new answer."""
    alike = [each.mask for each in known if each.example]
    click = part.first_click
    if click is not None:
        x, y = click.value.x, click.value.y
        there = next((mask for mask in alike if mask.within(x, y, 0)), None)
        if there is not None:
            return there
    begun = answer(_positive(part))
    there = next((mask for mask in alike if mask.iou(begun.mask) > SAME_OBJECT_IOU), None)
    return begun if there is None else there


def _positive(part: Prompt) -> Prompt:
    """A negative click as one on an object; all else as it is."""
    if not isinstance(part, ClickPrompt):
        return part
    points = (point.model_copy(update={"is_positive": True}) for point in part.points)
    return replace(part, points=tuple(points))
