"""What resembles accepted examples in the tasks of one batch call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject, whole_number
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.found import Candidate, SimilarOptions
from edgeflow_backend.examples.accepted import Accepted, Place, accepted_in
from edgeflow_backend.examples.library import Category, Library
from edgeflow_backend.examples.reader import IMAGES_A_TASK, Reader
from edgeflow_backend.examples.regions import can_hold, suggestion
from edgeflow_backend.examples.seam import Searcher, Sought
from edgeflow_backend.examples.settle import Claim, settle
from edgeflow_backend.objects.task_regions import MaskCache
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.wire import objects
from edgeflow_backend.requests import Answer
from edgeflow_backend.segmenter.segmenter import Model, OpenedImage

EXAMPLES = 8
"""Of one category that a search goes by."""

CATEGORIES = 8
"""Sought in one image, those with the newest examples."""


class Suggester:
    """Suggests objects in the tasks of one batch call.

    Args:
        searcher: Opens images and searches them.
        reader: Knows where images are.
        api: Of the tasks' Label Studio.
        library: Examples of their project.
        project: Their project.
        model: The model that searches.
        masks: Remembers decoded masks.
        options: How far a search in one image goes.
        polygons: How exact outlines are.
        clock: Seconds.
    """

    def __init__(
        self,
        searcher: Searcher,
        reader: Reader,
        *,
        api: LabelStudioAPI,
        library: Library,
        project: ProjectRef,
        model: Model,
        masks: MaskCache,
        options: SimilarOptions,
        polygons: PolygonOptions,
        clock: Callable[[], float],
    ) -> None:
        self._searcher = searcher
        self._reader = reader
        self._api = api
        self._library = library
        self._project = project
        self._model = model
        self._masks = masks
        self._options = options
        self._polygons = polygons
        self._clock = clock
        self.cut_short = 0

    def suggest(
        self, task: JSONObject, config: TaskConfig, beside: Sequence[Answer], *, deadline: float
    ) -> list[Answer]:
        """What resembles the examples in a task: an answer for each object, none on another mask.

        Args:
            task: As in the batch call, with its annotations.
            config: The labelling config, as the task shows it.
            beside: Further answers to the same task.
            deadline: On ``time.monotonic``'s clock.

        Raises:
            EdgeFlowError: Its drafts cannot be read, or an image not be opened or searched.
        """
        number = whole_number(task.get("id"))
        if number is None:
            raise LabelStudioError("the task has no id", hint="save it in Label Studio")
        # Asked for whether or not there are annotations: nothing may lie on what a draft holds.
        drafts = self._api.task_drafts(number)
        accepted = accepted_in([*objects(task.get("annotations")), *drafts])
        given = accepted_in({"result": answer.regions} for answer in beside)
        answers: list[Answer] = []
        for place in _places(task, config):
            mine = [each for each in accepted if each.place == place]
            sought = self._sought(mine, config, place)
            if sought:
                size = next((each.size for each in mine if each.size is not None), None)
                image = self._reader.open(
                    task["data"], number, config, place, self._project.host, size, deadline=deadline
                )
                others = [each for each in given if each.place == place]
                claims = self._search(image, sought, [*mine, *others], deadline)
                answers += [
                    suggestion(claim, number, place, config, self._model.version, self._polygons)
                    for claim in claims
                ]
        return answers

    def _sought(
        self, mine: Sequence[Accepted], config: TaskConfig, place: Place
    ) -> dict[Category, list[Accepted]]:
        """The categories that are sought in an image, each with its examples there, if any."""
        found: dict[Category, list[Accepted]] = {}
        for each in reversed(mine):
            found.setdefault(each.category, []).append(each)
        for category in self._library.counts:
            found.setdefault(category, [])
        held = [category for category in found if can_hold(config, category, place.image)]
        return {category: found[category] for category in held[:CATEGORIES]}

    def _search(
        self,
        image: OpenedImage,
        sought: dict[Category, list[Accepted]],
        there: Sequence[Accepted],
        deadline: float,
    ) -> Sequence[Claim]:
        """The objects to suggest in an image.

        An image's own examples are better than any from elsewhere, so where it has some those are
        all that a category is sought by.
        """
        masks = {id(each): each.mask(image.size, self._masks) for each in there}
        taken = [mask for mask in masks.values() if mask is not None]
        found: dict[Category, Sequence[Candidate]] = {}
        for left, (category, own) in zip(range(len(sought), 0, -1), sought.items(), strict=True):
            examples = [m for each in own[:EXAMPLES] if (m := masks[id(each)]) is not None]
            chosen = () if examples else self._library.choose(category, EXAMPLES)
            if not examples and not chosen:
                continue
            share = min(self._options.seconds, deadline - self._clock()) / left
            answer = self._searcher.find_similar(
                image,
                Sought(
                    examples,
                    [example.descriptor for example in chosen],
                    taken,
                    replace(self._options, seconds=share),
                ),
                self._model,
                deadline=deadline,
            )
            self.cut_short += not answer.complete
            found[category] = answer.candidates
        return settle(found, taken)


def _places(task: JSONObject, config: TaskConfig) -> Iterator[Place]:
    """The images that a task shows, the first few of each tag."""
    for tag in config.images:
        value = tag.shown(task["data"])
        count = len(value) if isinstance(value, list) else 1 if isinstance(value, str) else 0
        yield from (Place(tag.name, item) for item in range(min(count, IMAGES_A_TASK)))
