"""What resembles accepted examples in the tasks of one batch call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.controls import Control
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.label_studio.values import JSONObject, whole_number
from edgeflow.similar.found import Candidate
from edgeflow_backend.examples.accepted import Accepted, Place, accepted_in
from edgeflow_backend.examples.library import Category, Library
from edgeflow_backend.examples.reader import IMAGES_A_TASK, Reader
from edgeflow_backend.examples.regions import holding_control, suggestion
from edgeflow_backend.examples.settle import Claim, settle
from edgeflow_backend.examples.turns import Turns
from edgeflow_backend.objects.similar.options import search_options
from edgeflow_backend.objects.task_regions import MaskCache
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.wire import objects
from edgeflow_backend.requests import Answer
from edgeflow_backend.segmenter.segmenter import Examples, Model, OpenedImage, Segmenter
from edgeflow_backend.settings import Settings

EXAMPLES = 8
"""Of one category that a search goes by."""

CATEGORIES = 8
"""Sought in one image, those with the newest examples."""

RESERVE_S = 1.0
"""Of a batch call's time, for what comes after the last search."""


class _Sought(NamedTuple):
    """A category that is sought in an image, the control that holds it, and examples there."""

    category: Category
    control: Control
    own: Sequence[Accepted]


@dataclass
class Suggester:
    """Suggests objects in the tasks of one batch call.

    Attributes:
        settings: The backend's.
        segmenter: Opens images and searches them.
        reader: Knows where images are.
        masks: Remembers decoded masks.
        api: Of the tasks' Label Studio.
        project: Their project.
        model: The model that searches.
        library: Examples of the project.
        turns: Who answers which task.
        cut_short: Searches that the time or number that they may take has ended.
    """

    settings: Settings
    segmenter: Segmenter
    reader: Reader
    masks: MaskCache
    api: LabelStudioAPI
    project: ProjectRef
    model: Model
    library: Library
    turns: Turns
    cut_short: int = 0

    def turn(self, task: JSONObject, *, deadline: float) -> AbstractContextManager[bool]:
        """Answer a task, unless another call does; see :meth:`.Turns.take`."""
        return self.turns.take(f"{self.project}|{task.get('id')}", deadline=deadline)

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
        drafts = self.api.task_drafts(number)
        accepted = accepted_in([*objects(task.get("annotations")), *drafts])
        given = accepted_in({"result": answer.regions} for answer in beside)
        polygons = PolygonOptions(self.settings.polygon_tolerance, self.settings.polygon_holes)
        answers: list[Answer] = []
        for place in _places(task, config):
            mine = [each for each in accepted if each.place == place]
            sought = self._sought(mine, config, place)
            if sought:
                size = next((each.size for each in mine if each.size is not None), None)
                host = self.project.host
                image = self.reader.open(task, config, place, host, size, deadline=deadline)
                there = [*mine, *(each for each in given if each.place == place)]
                answers += [
                    suggestion(claim, number, place, config, self.model.version, polygons)
                    for claim in self._search(image, sought, there, deadline)
                ]
        return answers

    def _sought(self, mine: Sequence[Accepted], config: TaskConfig, place: Place) -> list[_Sought]:
        """What is sought in an image: the categories with the newest examples first."""
        own: dict[Category, list[Accepted]] = {}
        newest = {each.object: each for each in mine}  # an annotation's draft repeats its regions
        for each in reversed(newest.values()):
            own.setdefault(each.category, []).append(each)
        sought = []
        for category in dict.fromkeys((*own, *self.library.counts)):
            control = holding_control(config, category, place.image)
            if control is not None:
                sought.append(_Sought(category, control, own.get(category, [])))
        return sought[:CATEGORIES]

    def _search(
        self,
        image: OpenedImage,
        sought: Sequence[_Sought],
        there: Sequence[Accepted],
        deadline: float,
    ) -> list[Claim]:
        """The objects to suggest in an image, none on what is there.

        An image's own examples are better than any from elsewhere, so where it has some those are
        all that a category is sought by.
        """
        masks = {id(each): each.mask(image.size, self.masks) for each in there}
        taken = [mask for mask in masks.values() if mask is not None]
        found: dict[Category, Sequence[Candidate]] = {}
        limit = self.settings.similar_limit
        for number, (category, control, own) in enumerate(sought):
            examples = [m for each in own[:EXAMPLES] if (m := masks[id(each)]) is not None]
            chosen = () if examples else self.library.choose(category, EXAMPLES)
            if not examples and not chosen:
                continue
            left_s = max(deadline - time.monotonic() - RESERVE_S, 0.0)
            share = min(
                self.settings.similar_seconds / len(sought), left_s / (len(sought) - number)
            )
            options = search_options(self.settings, control, share)
            limit = min(limit, options.limit)
            asked = Examples(
                examples,
                taken=taken,
                options=options,
                descriptors=[example.descriptor for example in chosen],
            )
            similar = self.segmenter.find_similar(image, asked, self.model, deadline=deadline)
            self.cut_short += not similar.found.complete
            found[category] = similar.found.candidates
        return settle(found, taken)[:limit]


def _places(task: JSONObject, config: TaskConfig) -> Iterator[Place]:
    """The images that a task shows, the first few of each tag."""
    for tag in config.images:
        value = tag.shown(task["data"])
        count = len(value) if isinstance(value, list) else 1 if isinstance(value, str) else 0
        yield from (Place(tag.name, item) for item in range(min(count, IMAGES_A_TASK)))
