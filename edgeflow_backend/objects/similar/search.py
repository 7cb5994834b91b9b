"""Answers a prompt that is an example: with its object, and with all its like.

Several objects come as several regions of one answer, which the editor shows as suggestions and
accepts together. Each has an id of its own, which depends on the task and its place, so asking
again replaces it and adds nothing; and the record of a mask that began as itself, so that a later
click changes it around that click alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from edgeflow.errors import PromptError
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.found import Candidate
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.errors import NothingAlikeError
from edgeflow_backend.objects.overlap import Neighbours
from edgeflow_backend.objects.recent_answers import (
    ANSWERS_A_SCENE,
    RecentAnswer,
    RecentAnswers,
)
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.similar.asked import Answerer, Asked, parts_of, what_is_asked
from edgeflow_backend.objects.similar.known import KnownMask, known_masks, taken
from edgeflow_backend.objects.similar.options import search_options
from edgeflow_backend.objects.similar.suggestions import (
    SAME_OBJECT_IOU,
    Suggested,
    SuggestionMemory,
    Suggestions,
)
from edgeflow_backend.objects.task_regions import MaskCache, TaskRegions
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


class SimilarSearch:
    """Answers examples.

    Args:
        settings: How many objects one answer may hold, and how long a search may take.
        segmenter: Finds them.
        masks: Remembers decoded masks.
        recent: Where later clicks look for what was found.
        metrics: Counts network steps.
    """

    def __init__(
        self,
        settings: Settings,
        segmenter: Segmenter,
        masks: MaskCache,
        recent: RecentAnswers,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._segmenter = segmenter
        self._masks = masks
        self._neighbours = Neighbours(masks)
        self._recent = recent
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
        asked = what_is_asked(parts_of(resolved.request.prompt, regions), known, answer)
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
        return self._note([*begun, *others], asked.lost, resolved, regions)

    def _note(
        self,
        found: Sequence[RecentAnswer],
        lost: Sequence[PromptError],
        resolved: ResolvedRequest,
        regions: TaskRegions,
    ) -> tuple[list[RecentAnswer], list[PromptError]]:
        """What is left of the answers beside other masks, kept for the clicks that refine it."""
        left, covered = self._neighbours.apart(found, resolved, regions.open)
        if not left:
            raise covered[-1]
        waits = len(resolved.request.prompt.ids) > 1  # with auto-accept, points come alone
        for each in left[:ANSWERS_A_SCENE]:
            self._recent.remember(resolved.scene, each.noted(waits, regions.draft))
        return left, [*lost, *covered]

    def _find(
        self,
        resolved: ResolvedRequest,
        asked: Asked,
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
