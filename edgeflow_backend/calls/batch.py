"""Predictions for whole tasks: *Retrieve predictions*, and every task that is opened.

Label Studio shows neither what came back nor why nothing did, so the status page says it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from edgeflow.errors import EdgeFlowError, PromptError
from edgeflow.label_studio.config.label_config import LabelConfig, TaskConfig, parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.errors import DeadlineError, InternalError, OverloadedError
from edgeflow_backend.log import get_logger
from edgeflow_backend.objects.found_prompts import prompts_in
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.requests import Answer, Request
from edgeflow_backend.service import SegmentationService

_HOW = "set EDGEFLOW_PREANNOTATE=true to turn boxes, points and outlines that tasks hold into masks"


class BatchCall:
    """One call for predictions of tasks.

    Args:
        service: Does the work.
        project: Which project of which Label Studio asks.
    """

    def __init__(self, service: SegmentationService, project: ProjectRef) -> None:
        self._service = service
        self._project = project
        self._log = get_logger()
        self._failures: list[EdgeFlowError] = []

    def answer(self, tasks: Sequence[JSONObject], label_config: object) -> list[list[JSONObject]]:
        """Get ready for the clicks that will follow; answer only what tasks themselves ask.

        Args:
            tasks: Label Studio's, each with its data.
            label_config: The labelling config's text, untrusted.

        Returns:
            The predictions of each task, mostly none. One empty list a task stores nothing; no
            list at all would be an error in Label Studio's log.
        """
        try:
            config = parse_label_config(label_config)
        except EdgeFlowError as error:
            self._log.info("tasks not prepared", code=error.code, message=error.message)
            self._failures.append(error)
            predictions: list[list[JSONObject]] = [[] for _ in tasks]
        else:
            deadline = time.monotonic() + self._service.settings.request_timeout_s
            predictions = [self._open_task(task, config, deadline) for task in tasks]
        self._note(len(tasks), sum(map(bool, predictions)))
        return predictions

    def _open_task(
        self, task: JSONObject, config: LabelConfig, deadline: float
    ) -> list[JSONObject]:
        """Get ready for a task's clicks; return its predictions, if those are asked for."""
        try:
            shown = config.for_task(task["data"])
        except EdgeFlowError as error:
            self._log.info("task not prepared", code=error.code, message=error.message)
            self._failures.append(error)
            return []
        self._service.prepare(task, shown, self._project)
        if not self._service.settings.preannotate:
            return []
        return self._preannotate(task, shown, deadline)

    def _preannotate(
        self, task: JSONObject, config: TaskConfig, deadline: float
    ) -> list[JSONObject]:
        """A task's predictions: none, or one with a region for each box or point it holds."""
        log = self._log.bind(task=str(task.get("id"))[:64])
        answers: list[Answer] = []
        found = prompts_in(task, config)
        if found.unsigned:
            self._failures.append(_unsigned(found.unsigned))
        for prompt in found.prompts:
            try:
                request = Request(task, prompt, config, self._project)
                answers.append(self._service.preannotate(request, deadline))
            except (DeadlineError, OverloadedError) as error:
                self._failures.append(error)
                break
            except EdgeFlowError as error:
                self._failures.append(error)
                log.info("not pre-annotated", code=error.code, message=error.message)
            except Exception:
                self._failures.append(
                    InternalError("an unexpected error", hint="see the backend's log")
                )
                log.exception("not pre-annotated", code=InternalError.code)
        return [prediction(answers)] if answers else []

    def _note(self, asked: int, answered: int) -> None:
        """Tell the status page what was stored, and why not more."""
        text, hint = f"{answered} of {asked} tasks got a prediction", ""
        if self._failures:
            last = self._failures[-1]
            text, hint = f"{text}; something failed, last: {last.message}", last.hint
        elif not self._service.settings.preannotate:
            text, hint = f"{text}: without a click there is nothing to cut out", _HOW
        elif answered < asked:
            text = f"{text}; the others hold no box, point or outline that says where an object is"
        self._service.journal.calls.note(str(self._project), "predictions", text, hint)


def _unsigned(count: int) -> PromptError:
    points = "a point does" if count == 1 else f"{count} points do"
    return PromptError(
        f"{points} not say whether a positive or a negative click was meant",
        hint="Label Studio forgets it when an annotation is opened again: click in the editor",
    )


def prediction(answers: Sequence[Answer]) -> JSONObject:
    """One of Label Studio's predictions.

    Args:
        answers: At least one, of one task.
    """
    return {
        "result": [region for answer in answers for region in answer.regions],
        "score": sum(answer.score for answer in answers) / len(answers),
        "model_version": answers[0].model_version,
    }
