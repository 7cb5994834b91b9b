"""The annotations of a project that hold prompts without masks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.config.label_config import LabelConfig, TaskConfig, parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.objects.task_regions import was_skipped
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt
from edgeflow_backend.protocol.record import read_record
from edgeflow_backend.protocol.targets import Target, resolve
from edgeflow_backend.protocol.wire import objects
from edgeflow_backend.repair.lost import LeftOut, Lost, find_lost

PAGE_SIZE = 25
"""Tasks fetched at once: each comes with all its masks."""


@dataclass(frozen=True)
class Found:
    """An annotation with prompts that have no mask.

    Attributes:
        task: Its task, as Label Studio's API has it.
        annotation: The annotation, likewise.
        config: The labelling config, as the task shows it.
        lost: Its prompts; those that the config cannot answer are left out.
    """

    task: JSONObject
    annotation: JSONObject
    config: TaskConfig
    lost: Lost

    @property
    def name(self) -> str:
        """What a report calls it."""
        return f"task {self.task.get('id')}, annotation {self.annotation.get('id')}"

    @property
    def predicted(self) -> tuple[Prompt, ...]:
        """The prompts whose masks a prediction of the task holds already."""
        stored = [
            record.ids
            for prediction in objects(self.task.get("predictions"))
            for region in objects(prediction.get("result"))
            if (record := read_record(region)) is not None
        ]
        return tuple(p for p in self.lost.prompts if any(ids.issuperset(p.ids) for ids in stored))


def find(api: LabelStudioAPI, project: int, *, max_clicks: int) -> Iterator[Found]:
    """Look through a project's annotations; skipped ones have nothing to lose.

    Args:
        api: The project's Label Studio.
        project: The project's id.
        max_clicks: Clicks on one object.

    Raises:
        EdgeFlowError: The project or its labelling config cannot be read.
    """
    config = parse_label_config(api.project(project).label_config)
    for task in api.tasks(project, size=PAGE_SIZE):
        for annotation in objects(task.get("annotations")):
            if not was_skipped(annotation):
                yield from _examine(task, annotation, config, max_clicks)


def describe(prompt: Prompt, config: TaskConfig) -> str:
    """A prompt and its answer: ``3 clicks (1 negative) for a mask in BrushLabels 'mask'``.

    Raises:
        LabelConfigError: The config has no place for the answer.
    """
    target = _target(prompt, config)
    labels = f" as {', '.join(target.stored)}" if target.stored else ""
    return f"{_in_words(prompt)} for a mask in {target.control}{labels}"


def _examine(
    task: JSONObject, annotation: JSONObject, config: LabelConfig, max_clicks: int
) -> Iterator[Found]:
    data, result = task.get("data"), annotation.get("result")
    try:
        shown = config.for_task(data if isinstance(data, dict) else {})
    except EdgeFlowError:  # the task makes too much of the config: it cannot be opened either
        return
    lost = find_lost(result, shown, task.get("id"), max_clicks=max_clicks)
    if lost:
        yield Found(task, annotation, shown, _answerable(lost, shown))


def _answerable(lost: Lost, config: TaskConfig) -> Lost:
    """The prompts for whose answers the config has a place; it may have changed since."""
    prompts, left_out = [], list(lost.left_out)
    for prompt in lost.prompts:
        try:
            _target(prompt, config)
            prompts.append(prompt)
        except EdgeFlowError as error:
            left_out.append(LeftOut(len(prompt.ids), error.message, error.hint))
    return replace(lost, prompts=tuple(prompts), left_out=tuple(left_out))


def _target(prompt: Prompt, config: TaskConfig) -> Target:
    newest = prompt.newest
    return resolve(config, newest.from_name, newest.to_name, prompt.labels)


def _in_words(prompt: Prompt) -> str:
    if not isinstance(prompt, ClickPrompt):
        return f"1 {prompt.newest.type.removesuffix('labels')}"
    count = len(prompt.points)
    negative = sum(not point.positive for point in prompt.points)
    clicks = f"{count} click{'s' if count > 1 else ''}"
    return f"{clicks} ({negative} negative)" if negative else clicks
