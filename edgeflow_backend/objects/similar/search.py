"""Answers a prompt that is an example: with its object, and with all its like.

Several objects come as several regions of one answer, which the editor shows as suggestions and
accepts together. Each has an id of its own, which depends on the task and its place, so asking
again replaces it and adds nothing; and the record of a mask that began as itself, so that a later
click changes it around that click alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from edgeflow.errors import PromptError
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.found import Candidate
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.errors import NothingAlikeError
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.similar.known import KnownMask, known_masks, taken
from edgeflow_backend.objects.similar.options import search_options
from edgeflow_backend.objects.similar.suggestions import (
    SAME_OBJECT_IOU,
    Suggested,
    SuggestionMemory,
    Suggestions,
)
from edgeflow_backend.objects.task_regions import MaskCache, TaskRegions
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt, OutlinePrompt
from edgeflow_backend.protocol.record import record_click
from edgeflow_backend.protocol.regions import region_id
from edgeflow_backend.requests import ResolvedRequest
from edgeflow_backend.segmenter.segmenter import Examples, Segmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.tracing.spans import traced

MEMORY_BYTES = 64_000_000

MOST_EXAMPLES = 8
"""Further ones tell nothing new and take time."""

RESERVE_S = 1.0
"""Of the request's time, for what comes after the search."""

Answerer = Callable[[Prompt], RecentAnswer]


@dataclass
class _Asked:
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


class SimilarSearch:
    """Answers examples.

    Args:
        settings: How many objects one answer may hold, and how long a search may take.
        segmenter: Finds them.
        masks: Remembers decoded masks.
        metrics: Counts network steps.
    """

    def __init__(
        self, settings: Settings, segmenter: Segmenter, masks: MaskCache, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._segmenter = segmenter
        self._masks = masks
        self._metrics = metrics
        self._memory = SuggestionMemory(MEMORY_BYTES)

    @traced("similar")
    def answer(
        self,
        resolved: ResolvedRequest,
        regions: TaskRegions,
        answer: Answerer,
        *,
        sent: Sequence[str],
    ) -> tuple[list[RecentAnswer], list[PromptError]]:
        """The objects that a prompt begins, and all their like that the task does not hold yet.

        Args:
            resolved: A request whose prompt is an example, or several.
            regions: The task's.
            answer: Answers the part of the prompt that is about one object, as a new one.
            sent: Ids of all the request's prompts, those of accepted regions included.

        Returns:
            The answers, the prompt's own first and then the best, and why parts of the prompt have
            none.

        Raises:
            PromptError: Nothing shows what is looked for.
            NothingAlikeError: There is no other like it.
            NoFeaturesError: The model cannot tell what looks alike.
        """
        known = known_masks(regions.open, resolved, self._masks)
        asked = _asked(_parts(resolved.request.prompt, regions), known, answer)
        place = "|".join((resolved.scene, *resolved.target.stored))
        stored = {region.object_id for region in regions.open}
        rejected = [
            mask
            for mask in self._memory.rejected(place, sent, stored, regions.author)
            if not any(each.mask.iou(mask) > SAME_OBJECT_IOU for each in known)
        ]
        found, version = self._find(resolved, asked, known, rejected)
        masks = [*(each.mask for each in asked.begun), *(each.mask for each in found)]
        ids = self._memory.ids(place, masks, regions.author)
        count = len(asked.begun)
        begun = [
            replace(each, after=replace(each.after, region_id=known_id or each.after.region_id))
            for each, known_id in zip(asked.begun, ids[:count], strict=True)
        ]
        others = [
            _answer(each, resolved, known_id, version)
            for each, known_id in zip(found, ids[count:], strict=True)
        ]
        if not begun and not others:
            raise NothingAlikeError(
                "nothing else here looks like the example",
                hint="mark another one by a click with the other tool: it is an example, too, then",
            )
        self._memory.note(
            place,
            Suggestions(
                frozenset(resolved.request.prompt.ids),
                tuple(
                    Suggested(each.after.region_id, each.mask, example=each in begun)
                    for each in (*begun, *others)
                ),
                regions.author,
            ),
        )
        return [*begun, *others], asked.lost

    def _find(
        self,
        resolved: ResolvedRequest,
        asked: _Asked,
        known: Sequence[KnownMask],
        rejected: Sequence[MaskPatch],
    ) -> tuple[Sequence[Candidate], str]:
        """Objects like the examples, best first, and the version of the model that found them."""
        prompt = resolved.request.prompt
        left_s = resolved.deadline - time.monotonic() - RESERVE_S
        similar = self._segmenter.find_similar(
            resolved.image,
            Examples(
                asked.examples[:MOST_EXAMPLES],
                [*asked.unlike, *rejected][:MOST_EXAMPLES],
                taken(known, asked.examples, rejected),
                search_options(self._settings, resolved.target.control, left_s),
                Stream((resolved.scene, prompt.newest.from_name), "similar"),
                prompt.marks,
            ),
            resolved.model,
            deadline=resolved.deadline,
        )
        self._metrics.steps.inc(similar.found.steps)
        return similar.found.candidates, similar.model_version


def _asked(parts: Sequence[Prompt], known: Sequence[KnownMask], answer: Answerer) -> _Asked:
    """What a prompt's parts say of what is looked for, and what the task does.

    Raises:
        PromptError: Nothing shows what is looked for.
    """
    asked = _Asked()
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


def _parts(prompt: Prompt, regions: TaskRegions) -> Sequence[Prompt]:
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


def _answer(
    found: Candidate, resolved: ResolvedRequest, known_id: str | None, version: str
) -> RecentAnswer:
    """An object that was found, as if a click on it had been answered."""
    request, target = resolved.request, resolved.target
    newest = request.prompt.newest
    x, y = found.click.point
    names = ("similar", str(newest.item_index or 0), f"{x},{y}")
    key = known_id or region_id(request.task_id, newest.from_name, names)
    shown = SegmentedObject(
        region_id=key,
        control=target.control.name,
        labels=target.stored,
        recorded=(record_click(key, found.click, resolved.image.size),),
        from_mask=True,
    )
    return RecentAnswer(
        before=replace(shown, recorded=()),
        after=shown,
        prompt_ids=(key,),
        to_name=newest.to_name,
        item_index=newest.item_index,
        mask=found.mask,
        score=found.score,
        model_version=version,
    )
