"""Answers a prompt with its object, and with the same object on the other pages of its task.

One answer holds the regions of all pages, which the editor shows on theirs, accepts and stores.
Each has an id that depends on the object and the page, so an answer replaces the one before; and
the record of a mask that began as itself, so that a later click changes it around that click alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from edgeflow.errors import PromptError
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.objects.overlap import Neighbours
from edgeflow_backend.objects.pages.notes import notes_on
from edgeflow_backend.objects.pages.plan import Known, Stretch, stretch_from
from edgeflow_backend.objects.pages.sequence import PageSequence, sequence_of
from edgeflow_backend.objects.pages.stored import Stored, stored_pages
from edgeflow_backend.objects.pages.tracks import Track, TrackMemory
from edgeflow_backend.objects.recent_answers import RecentAnswer, RecentAnswers
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.task_regions import Draft, MaskCache, TaskRegions
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt, OutlinePrompt
from edgeflow_backend.protocol.regions import region_id
from edgeflow_backend.requests import ResolvedRequest
from edgeflow_backend.segmenter.pages import AskedPages, CarriedPage, CarriedPages, Way
from edgeflow_backend.segmenter.segmenter import Segmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.tracing.spans import traced

MEMORY_BYTES = 128_000_000

RESERVE_S = 2.0
"""Of the request's time, for what comes after the last page."""

Answerer = Callable[[SegmentedObject | None], RecentAnswer]
"""Answers the prompt on its own page, as a correction of an object or as usual."""


@dataclass(frozen=True, eq=False)
class _Case:
    """A request and what is known of its object."""

    resolved: ResolvedRequest
    sequence: PageSequence
    track: Track
    waits: bool
    stored: Stored
    answer: RecentAnswer
    sent: Sequence[str]

    @property
    def here(self) -> int:
        return self.sequence.here


class PageSearch:
    """Answers prompts whose object is wanted on all pages.

    Args:
        settings: How many pages one answer may hold, and how long it may take.
        segmenter: Carries objects from page to page.
        locator: Finds the pages.
        masks: Remembers decoded masks.
        recent: Where later clicks look for what was answered.
        metrics: Counts network steps.
        journal: Told which pages were not reached, and why.
    """

    def __init__(
        self,
        settings: Settings,
        segmenter: Segmenter,
        locator: Locator,
        masks: MaskCache,
        recent: RecentAnswers,
        metrics: Metrics,
        journal: Journal,
    ) -> None:
        self._settings, self._segmenter, self._locator = settings, segmenter, locator
        self._masks, self._recent = masks, recent
        self._metrics, self._journal = metrics, journal
        self._neighbours = Neighbours(masks)
        self._tracks = TrackMemory(MEMORY_BYTES)

    @traced("pages")
    def answer(
        self, resolved: ResolvedRequest, regions: TaskRegions, answer: Answerer
    ) -> tuple[list[RecentAnswer], list[PromptError]]:
        """The object on the prompt's page, and then on the others, nearest pages first.

        Args:
            resolved: The request.
            regions: The task's.
            answer: Answers the prompt on its own page.

        Returns:
            The answers, and why others have none.

        Raises:
            EdgeFlowError: The prompt's own page has none.
        """
        sequence = sequence_of(resolved, self._locator)
        place = "|".join((resolved.request.place, sequence.name, *resolved.target.stored))
        case = self._understand(resolved, regions, sequence, place, answer)
        found = self._carry(case)
        if not case.answer.before.exists and (track := case.stored.met(found.met)):
            case = replace(case, track=replace(case.track, id=track))  # one object, begun twice
        answers = self._answers(case, found)
        self._tracks.note(place, self._noted(case, answers, regions.author))
        self._remember(case, answers, found, regions.draft)
        self._note(case, found)
        nearest = sorted(answers, key=lambda page: (abs(page - case.here), page))
        return self._neighbours.apart([answers[page] for page in nearest], resolved, regions.open)

    def _understand(
        self,
        resolved: ResolvedRequest,
        regions: TaskRegions,
        sequence: PageSequence,
        place: str,
        answer: Answerer,
    ) -> _Case:
        """Answer the prompt's page, which tells which object is meant."""
        sent, here = sent_ids(resolved.request.prompt), sequence.here
        ids = {region.object_id for region in regions.open}
        track = self._tracks.waiting(place, sent, ids, regions.author)
        waits = track is not None
        suggested = track.answers.get(here) if track is not None else None
        own = answer(_before(suggested, resolved.request.prompt))
        if suggested is not None and suggested.prompt is None and not own.before.exists:
            own = replace(own, after=replace(own.after, region_id=suggested.after.region_id))
        if track is None:
            key = own.after.track or own.after.region_id
            track = self._tracks.called(place, key, regions.author) or Track(key)
        own = _of_track(own, track.id)
        stored = stored_pages(sequence, regions.open, track.id, resolved, self._masks)
        return _Case(resolved, sequence, track, waits, stored, own, sent)

    def _carry(self, case: _Case) -> CarriedPages:
        """The object on the pages that are not known."""
        resolved, sequence = case.resolved, case.sequence
        left_s = resolved.deadline - time.monotonic() - RESERVE_S
        limit = self._settings.pages_limit
        kind = resolved.target.control.kind
        if kind is not None and kind.mask is not None and kind.mask.exact:
            limit = min(limit, self._settings.pages_brush_limit)
        ways = []
        for stretch in _stretches(case):
            mask = case.answer.mask
            if stretch.start != case.here:
                stored = case.stored.mask(stretch.start)
                if stored is None:
                    continue
                mask = stored
            if stretch.most:
                ways.append(Way(stretch.start, stretch.step, min(stretch.most, limit), mask))
        if not ways:
            return CarriedPages((), frozenset(), (), (), 0, case.answer.model_version)
        reached = {way.start + way.step * n for way in ways for n in range(1, way.count + 1)}
        found = self._segmenter.carry(
            AskedPages(
                [page.source or resolved.image.source for page in sequence.pages],
                ways,
                case.stored.others(reached),
                limit,
                max(min(self._settings.pages_seconds, left_s), 0.0),
                self._settings.pages_least_score,
                Stream(
                    (resolved.request.place, resolved.request.prompt.newest.from_name),
                    ("pages", case.sent[0]),
                ),
                frozenset(case.sent) if resolved.request.prompt.marks else frozenset(),
            ),
            resolved.model,
            deadline=resolved.deadline,
        )
        self._metrics.steps.inc(found.steps)
        return found

    def _answers(self, case: _Case, found: CarriedPages) -> dict[int, RecentAnswer]:
        """Answers by page: the prompt's, what was carried, and what waits already."""
        answers = {case.here: _of_track(case.answer, case.track.id)}
        for page in found.pages:
            answers[page.index] = _carried(page, case, found.model_version)
        if case.waits:
            ended = [each for each in _stretches(case) if each.step not in found.stopped]
            for number, waiting in case.track.answers.items():
                if number in answers or number in case.stored.pages:
                    continue
                if waiting.prompt is None and any(each.covers(number) for each in ended):
                    continue  # it is not there, as the correction tells
                answers[number] = waiting
        return answers

    def _noted(self, case: _Case, answers: Mapping[int, RecentAnswer], author: str) -> Track:
        kept = {
            page: each
            for page, each in case.track.answers.items()
            if not case.waits or page in case.stored.pages
        }
        prompts = case.track.prompts | frozenset(case.sent)
        return Track(case.track.id, prompts, {**kept, **answers}, author)

    def _remember(
        self,
        case: _Case,
        answers: Mapping[int, RecentAnswer],
        found: CarriedPages,
        draft: Draft,
    ) -> None:
        """Keep what is new for the clicks that refine it before it is stored."""
        waits = len(case.sent) > 1  # with auto-accept, points come alone
        scenes = {page.index: page.digest for page in found.pages}
        scenes[case.here] = case.resolved.image.digest
        for page, digest in scenes.items():
            noted = answers[page].noted(waits, draft)
            self._recent.remember(f"{case.resolved.request.place}|{digest}", noted)

    def _note(self, case: _Case, found: CarriedPages) -> None:
        """Say on the status page why pages have no answer."""
        request = case.resolved.request
        project, task = str(request.project), str(request.task_id)
        for note in notes_on(case.sequence.pages, _stretches(case), found):
            self._journal.notes.note(*note, project=project, task=task)


def sent_ids(prompt: Prompt) -> tuple[str, ...]:
    """Ids of all prompts that came with a request, those on other pages included."""
    if isinstance(prompt, ClickPrompt):
        return (*prompt.elsewhere, *prompt.ids)
    if isinstance(prompt, OutlinePrompt):
        return (*(each.id for each in prompt.earlier if each.id), *prompt.ids)
    return prompt.ids


def _before(suggested: RecentAnswer | None, prompt: Prompt) -> SegmentedObject | None:
    """The suggestion that a prompt corrects, as it was before all of the prompt's clicks."""
    if suggested is None or prompt.first_click is None:
        return None
    if suggested.prompt is None:
        return suggested.shown
    return suggested.before if suggested.before.exists else None


def _stretches(case: _Case) -> list[Stretch]:
    pages, track = case.sequence.pages, case.track
    stored = case.stored.pages
    closed = {n for n, page in enumerate(pages) if page.source is None}
    if not case.waits and stored:  # what the draft lacks was rejected, or deleted
        closed |= track.answers.keys() - stored - {case.here}
    prompted = {n for n, each in track.answers.items() if each.prompt is not None}
    known = Known(
        count=len(pages),
        stored=stored,
        prompted=prompted - {case.here},
        closed=closed,
        waiting=track.answers.keys() if case.waits else (),
    )
    return [stretch_from(case.here, step, known) for step in (1, -1)]


def _of_track(answer: RecentAnswer, track: str) -> RecentAnswer:
    return replace(
        answer,
        before=replace(answer.before, track=track),
        after=replace(answer.after, track=track),
    )


def _carried(page: CarriedPage, case: _Case, version: str) -> RecentAnswer:
    """An object that was carried to a page, as if a click on it had been answered."""
    request, place = case.resolved.request, case.sequence.pages[page.index]
    names = (case.track.id, "page", str(page.index))
    key = region_id(request.task_id, request.prompt.newest.from_name, names)
    shown = SegmentedObject(
        region_id=key,
        control=place.target.control.name,
        labels=place.target.stored,
        from_mask=True,
        track=case.track.id,
    )
    return RecentAnswer(
        before=shown,
        after=shown,
        prompt_ids=(key,),
        to_name=place.to_name,
        item_index=place.item_index,
        mask=page.mask,
        score=page.score,
        model_version=version,
    )
