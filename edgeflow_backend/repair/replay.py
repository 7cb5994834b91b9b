"""Answers the prompts of an annotation as the service answered them while it was made."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.requests import Answer, Request
from edgeflow_backend.service import SegmentationService


@dataclass(frozen=True)
class Replayed:
    """Prompts and their answers.

    Attributes:
        result: The annotation's result with masks in the place of the prompts that have one now;
            all else is as it was.
        answers: One a prompt that was answered.
        failures: Why the others were not.
    """

    result: list[JSONObject]
    answers: tuple[Answer, ...]
    failures: tuple[EdgeFlowError, ...]

    @property
    def masks(self) -> list[JSONObject]:
        """The regions of the answers; where one refined another's, the last alone."""
        ids = {region["id"] for answer in self.answers for region in answer.regions}
        return [region for region in self.result if region.get("id") in ids]


def replay(
    service: SegmentationService,
    task: JSONObject,
    result: Sequence[JSONObject],
    prompts: Iterable[Prompt],
    config: TaskConfig,
    project: ProjectRef,
) -> Replayed:
    """Answer prompts one after the other; a click on a mask refines it, as it did then.

    Args:
        service: One that nobody clicks on, so that it remembers no answers of its own.
        task: Label Studio's.
        result: The annotation's.
        prompts: Its prompts without masks, oldest first.
        config: The labelling config, as the task shows it.
        project: The task's.
    """
    refines, patience_s = service.settings.refine != "off", service.settings.request_timeout_s
    regions, answers, failures = list(result), [], []
    for prompt in prompts:
        drafted = {**task, "drafts": [{"result": regions}]}  # the annotator's own
        try:
            request = Request(drafted, prompt, config, project, refines=refines)
            answer = service.preannotate(request, time.monotonic() + patience_s)
        except EdgeFlowError as error:
            failures.append(error)
            continue
        answers.append(answer)
        regions = put_in_place(regions, answer.regions, prompt.ids)
    return Replayed(regions, tuple(answers), tuple(failures))


def put_in_place(
    result: Sequence[JSONObject], answer: Sequence[JSONObject], prompt: Container[str]
) -> list[JSONObject]:
    """A result in which an answer stands where what it refines stood, or else at the end.

    Args:
        result: An annotation's.
        answer: The answer's regions.
        prompt: Ids of the prompt's regions, which go, as they do when somebody accepts the answer.
    """
    ids = {region["id"] for region in answer}
    at = next((i for i, region in enumerate(result) if region.get("id") in ids), len(result))

    def stays(region: JSONObject) -> bool:
        return region.get("id") not in ids and region.get("id") not in prompt

    return [*filter(stays, result[:at]), *answer, *filter(stays, result[at:])]
