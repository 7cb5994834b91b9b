"""A click's way, from a task and its prompt to regions; each station is a module of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from edgeflow.errors import PromptError, no_object
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow_backend.engine.streams import stream_of
from edgeflow_backend.examples.search import ExampleSearch
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.label_studio.projects import Projects, ask_label_studio
from edgeflow_backend.learning.keeper import Keeper
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.objects.overlap import Neighbours
from edgeflow_backend.objects.pages.search import PageSearch
from edgeflow_backend.objects.predictions import copied_prediction
from edgeflow_backend.objects.recent_answers import RecentAnswer, RecentAnswers
from edgeflow_backend.objects.refine import Refinement
from edgeflow_backend.objects.refine_rule import RefineRule, refine_rule
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.separate import divide, separate
from edgeflow_backend.objects.shared.stores import share
from edgeflow_backend.objects.shown import show
from edgeflow_backend.objects.signs import Signs, Visit
from edgeflow_backend.objects.similar.search import SimilarSearch
from edgeflow_backend.objects.spent_clicks import drop_spent
from edgeflow_backend.objects.task_regions import MaskCache, TaskRegions
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.targets import finds_pages, finds_similar, resolve
from edgeflow_backend.requests import Answer, Request, ResolvedRequest, joined
from edgeflow_backend.segmenter.local import load_segmenter
from edgeflow_backend.segmenter.segmenter import Clicks, Segmenter
from edgeflow_backend.segmenter.shown import open_shown
from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.tier import open_tier
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.report import SharedTier

RECENT_BYTES = STORED_MASKS_BYTES = 64_000_000


class SegmentationService:
    """What is known of people and their tasks, in front of a segmenter.

    Args:
        settings: Settings of the backend.
        segmenter: Opens images and runs networks; closed together with the service.
        metrics: Counts what happens.
        journal: Tells the status page what happens.
        projects: What Label Studio says of its projects.
        clock: Seconds; ``time.monotonic`` unless a test says otherwise.
    """

    def __init__(
        self,
        settings: Settings,
        segmenter: Segmenter,
        metrics: Metrics,
        *,
        journal: Journal | None = None,
        projects: Projects | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.segmenter = segmenter
        self.metrics = metrics
        self.journal = journal or Journal()
        self.projects = projects or Projects(ask_label_studio(settings))
        self.locator = Locator(settings)
        self._tier = open_tier(settings, "recent answers", metrics)
        answers, signs = share(self._tier)
        self.recent = RecentAnswers(RECENT_BYTES, clock, answers)
        self.signs = Signs(clock, signs)
        masks: MaskCache = ByteLRU(STORED_MASKS_BYTES)
        self.examples = ExampleSearch(settings, segmenter, self.locator, masks, self.journal)
        self.learning = Keeper(settings, self.locator)
        self._refinement = Refinement(settings.refine_reach, masks)
        self._neighbours = Neighbours(masks)
        self._similar = SimilarSearch(settings, segmenter, masks, self.recent, metrics)
        self._pages = PageSearch(
            settings, segmenter, self.locator, masks, self.recent, metrics, self.journal
        )
        self._polygons = PolygonOptions(settings.polygon_tolerance, settings.polygon_holes)

    @property
    def model_version(self) -> str:
        """Of the default model; changes whenever the weights do."""
        return self.segmenter.default.version

    def segment(self, request: Request) -> Answer:
        """Answer one interactive request.

        Raises:
            EdgeFlowError: It cannot be served; the message says why.
        """
        project = self.projects.of(*request.project)
        rule = refine_rule(self.settings.refine, project)
        copied = copied_prediction(request.task, project)
        regions = TaskRegions.of(request.task, rule.where, copied)
        asked = replace(request, prompt=drop_spent(request.prompt, request.task_id, regions))
        prompt, deadline = asked.prompt, time.monotonic() + self.settings.request_timeout_s
        similar = finds_similar(request.config, prompt.newest.from_name)
        pages = finds_pages(request.config, prompt.newest.from_name)
        if (similar or pages) and rule.where == "off":
            # Clicks refine nothing; what is there is there all the same.
            regions = TaskRegions.of(request.task, "drafts")
        if similar:
            return self._search(asked, regions, request.prompt.ids, deadline)
        if pages:
            return self._carry(asked, regions, rule, deadline)
        shared = not rule.remembers
        with self.signs.visit(request.place, prompt.ids, regions.author, shared=shared) as visit:
            resolved = self._look_up(asked, deadline)
            self.recent.bring(resolved.scene, resolved.image.size)
            answer = partial(self._answer_object, resolved, regions, rule, visit)
            reach = self.settings.refine_reach
            answers, lost = separate(prompt, visit, answer, reach=reach)
            for whole in self.recent.accepted(resolved.scene, visit):
                answers += divide(whole, answer, reach=reach)
            answers, covered = self._neighbours.apart(answers, resolved)
            for each in answers:
                waits = visit.waits(each.prompt_ids)
                self.recent.remember(resolved.scene, each.noted(waits, regions.draft))
        self._note_lost_labels(resolved)
        return joined([show(each, resolved, self._polygons) for each in answers], [*lost, *covered])

    def preannotate(self, request: Request, deadline: float) -> Answer:
        """Answer a prompt that nobody sent now: a box or click found in a task.

        Args:
            request: A request with that prompt.
            deadline: On ``time.monotonic``'s clock.

        Raises:
            EdgeFlowError: It cannot be served; the message says why.
        """
        resolved = self._look_up(request, deadline)
        before = self._refinement.find_stored(resolved) or self._new_object(resolved)
        return show(self._predict(resolved, before), resolved, self._polygons)

    def observe_caches(self) -> None:
        """Bring the caches' gauges up to date."""
        for cache in self.segmenter.caches():
            kind = cache.name.rpartition(" ")[2]  # "click states" have been "states" there for long
            self.metrics.cache_bytes.labels(kind).set(cache.nbytes)
            self.metrics.cache_limit_bytes.labels(kind).set(cache.max_bytes)

    def shared(self) -> Sequence[SharedTier]:
        """How each use of Redis is on this side of the segmenter; empty without it."""
        return () if self._tier is None else (self._tier.describe(),)

    def close(self) -> None:
        """Stop the threads."""
        for part in (self.examples, self.learning, self.segmenter, self.projects):
            part.close()
        if self._tier is not None:
            self._tier.close()

    def _look_up(self, request: Request, deadline: float) -> ResolvedRequest:
        """Resolve the config first: its mistakes are cheaper to find than an image."""
        newest = request.prompt.newest
        target = resolve(request.config, newest.from_name, newest.to_name, request.prompt.labels)
        model = self.segmenter.choose(request.project, target.model)
        host, task = request.project.host, request.task
        image = open_shown(
            self.segmenter, self.locator, task, target.image, newest, host=host, deadline=deadline
        )
        model = self.segmenter.suited(model, image)
        return ResolvedRequest(request, target, image, model, deadline)

    def _search(
        self, request: Request, regions: TaskRegions, sent: Sequence[str], deadline: float
    ) -> Answer:
        """Answer an example with its object and all its like.

        It leaves no signs of who clicks: one who clicks elsewhere meanwhile is no second person.
        ``sent`` are the ids of all prompts that came, those of accepted regions included.
        """
        resolved = self._look_up(request, deadline)

        def answer(prompt: Prompt) -> RecentAnswer:
            its = replace(resolved, request=replace(request, prompt=prompt))
            return self._predict(its, self._new_object(its))

        answers, lost = self._similar.answer(resolved, regions, answer, sent=sent)
        self._note_lost_labels(resolved)
        shown = [show(each, resolved, self._polygons) for each in answers]
        return replace(joined(shown, lost), searched=True)

    def _carry(
        self, request: Request, regions: TaskRegions, rule: RefineRule, deadline: float
    ) -> Answer:
        """Answer a prompt with its object on all pages; its own page as usual."""
        prompt, others = request.prompt, not rule.remembers
        with self.signs.visit(request.place, prompt.ids, regions.author, shared=others) as visit:
            resolved = self._look_up(request, deadline)
            self.recent.bring(resolved.scene, resolved.image.size)

            answer = partial(self._answer_object, resolved, regions, rule, visit, prompt)
            answers, lost = self._pages.answer(resolved, regions, answer)
        self._note_lost_labels(resolved)
        shown = [show(each, resolved, self._polygons) for each in answers]
        return replace(joined(shown, lost), searched=True)

    def _answer_object(
        self,
        resolved: ResolvedRequest,
        regions: TaskRegions,
        rule: RefineRule,
        visit: Visit,
        prompt: Prompt,
        before: SegmentedObject | None = None,
    ) -> RecentAnswer:
        """Answer the clicks on one object: one that is told or found to exist, or a new one."""
        its = replace(resolved, request=replace(resolved.request, prompt=prompt))
        scene, stored = its.scene, {region.object_id for region in regions.open}
        recent = self.recent.of(scene, stored, visit, regions.draft) if rule.remembers else []
        if before is None and rule.where != "off":
            before = self._refinement.find(
                prompt,
                its.target.labels,
                its.request.config,
                regions=regions.open,
                recent=recent,
                repeated=self.recent.repeated(scene, prompt.ids) if rule.remembers else None,
                quick=visit.pending,
                size=its.image.size,
                model=its.model.version,
            )
        answer = self._predict(its, before or self._new_object(its))
        return self._neighbours.give_way(answer, its, regions.open, recent)

    def _new_object(self, resolved: ResolvedRequest) -> SegmentedObject:
        """The object that the prompt begins, before its clicks."""
        request = resolved.request
        return SegmentedObject.begin(
            request.prompt, request.task_id, resolved.target, resolved.image.size
        )

    def _predict(self, resolved: ResolvedRequest, before: SegmentedObject) -> RecentAnswer:
        """Add the prompt's clicks to an object and run the network."""
        prompt, image, limit = resolved.request.prompt, resolved.image, self.settings.max_clicks
        clicks = prompt.clicks(image.size, begins=not before.exists)
        after = before.with_clicks(prompt.ids, clicks, image.size)
        if len(after.clicks) > limit:
            raise PromptError(
                f"{len(after.clicks)} clicks on one object, the limit is {limit}",
                hint="accept or reset the region and start anew, or raise EDGEFLOW_MAX_CLICKS",
            )
        stream = stream_of(resolved.scene, prompt)
        segmentation = self.segmenter.segment(
            image,
            Clicks(after.clicks, after.start, stream, prompt.marks),
            resolved.model,
            deadline=resolved.deadline,
        )
        self.metrics.steps.inc(segmentation.steps)
        if segmentation.mask.empty:
            raise no_object()
        return RecentAnswer(
            before=before,
            after=after,
            prompt_ids=prompt.ids,
            to_name=prompt.newest.to_name,
            item_index=prompt.newest.item_index,
            mask=segmentation.mask,
            score=segmentation.score,
            model_version=segmentation.model_version,
            drawn=prompt.first_click is None,
            prompt=prompt,
        )

    def _note_lost_labels(self, resolved: ResolvedRequest) -> None:
        project, task = str(resolved.request.project), str(resolved.request.task_id)
        for loss in resolved.target.losses():
            self.journal.notes.note(
                "label_lost", loss.message, loss.hint, project=project, task=task
            )


def build_service(settings: Settings, metrics: Metrics, journal: Journal) -> SegmentationService:
    """Load the model, warm it up, and return a service that is ready.

    Raises:
        CheckpointError: the weights cannot be used.
        DeviceError: the device does not exist.
    """
    segmenter = load_segmenter(settings, metrics, on_note=journal.note_image)
    segmenter.warm_up()
    return SegmentationService(settings, segmenter, metrics, journal=journal)
