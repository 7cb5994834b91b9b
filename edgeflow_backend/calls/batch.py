"""Predictions for whole tasks: *Retrieve predictions*, and every task that is opened.

Label Studio shows neither what came back nor why nothing did, so the status page says it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from structlog.typing import FilteringBoundLogger

from edgeflow.errors import EdgeFlowError, PromptError, counted
from edgeflow.label_studio.config.label_config import LabelConfig, TaskConfig, parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.calls.prepare import prepare
from edgeflow_backend.errors import DeadlineError, InternalError, OverloadedError
from edgeflow_backend.examples.suggest import Suggester
from edgeflow_backend.log import get_logger
from edgeflow_backend.objects.found_prompts import prompts_in
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.requests import Answer, Request
from edgeflow_backend.service import SegmentationService

_HOW = (
    "set EDGEFLOW_PREANNOTATE=true to turn boxes, points and outlines that tasks hold into masks, "
    "EDGEFLOW_PREANNOTATE_SIMILAR=true to suggest what resembles accepted masks"
)
_LATER = "retrieve predictions again: only tasks without one are looked at"


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
        self._search: Suggester | None = None
        self._search_until = 0.0
        self._unreached = self._elsewhere = 0

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
            self._begin_search(config, deadline)
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
        prepare(self._service, task, shown, self._project)
        if self._search is None:
            answers = self._preannotate(task, shown, deadline)
        else:
            with self._search.turn(task, deadline=deadline) as ours:
                if not ours:
                    self._elsewhere += 1
                    return []
                answers = self._preannotate(task, shown, deadline)
                answers += self._suggest(self._search, task, shown, answers)
        return [prediction(answers)] if answers else []

    def _preannotate(self, task: JSONObject, config: TaskConfig, deadline: float) -> list[Answer]:
        """A task's answers: one for each box or point it holds, if those are asked for."""
        if not self._service.settings.preannotate:
            return []
        log = self._log.bind(task=str(task.get("id"))[:64])
        answers: list[Answer] = []
        found = prompts_in(task, config)
        if found.unsigned:
            self._failures.append(_unsigned(found.unsigned))
        for prompt in found.prompts:
            with self._noting(log):
                try:
                    request = Request(task, prompt, config, self._project)
                    answers.append(self._service.preannotate(request, deadline))
                except (DeadlineError, OverloadedError) as error:
                    self._failures.append(error)
                    break
        return answers

    def _begin_search(self, config: LabelConfig, deadline: float) -> None:
        """Bring the project's examples up to date, where suggestions are made from them."""
        seconds = self._service.settings.preannotate_similar_s
        self._search_until = min(deadline, time.monotonic() + seconds)
        with self._noting(self._log):
            self._search = self._service.examples.begin(self._project, config, self._search_until)

    def _suggest(
        self, search: Suggester, task: JSONObject, config: TaskConfig, beside: Sequence[Answer]
    ) -> list[Answer]:
        """A task's answers from examples: one for each object that resembles them."""
        with self._noting(self._log.bind(task=str(task.get("id"))[:64])):
            if time.monotonic() < self._search_until:
                try:
                    return search.suggest(task, config, beside, deadline=self._search_until)
                except (DeadlineError, OverloadedError) as error:
                    self._log.info("not searched", code=error.code, message=error.message)
            self._unreached += 1
        return []

    @contextlib.contextmanager
    def _noting(self, log: FilteringBoundLogger) -> Iterator[None]:
        """Note what fails, and go on."""
        try:
            yield
        except EdgeFlowError as error:
            self._failures.append(error)
            log.info("not pre-annotated", code=error.code, message=error.message)
        except Exception:
            self._failures.append(
                InternalError("an unexpected error", hint="see the backend's log")
            )
            log.exception("not pre-annotated", code=InternalError.code)

    def _note(self, asked: int, answered: int) -> None:
        """Tell the status page what was stored, and why not more."""
        settings = self._service.settings
        text, hint = f"{answered} of {asked} tasks got a prediction", ""
        if self._unreached:
            text += f"; there was no time to search {counted(self._unreached, 'task')} for more"
            hint = _LATER
        if self._elsewhere:
            text += f"; {counted(self._elsewhere, 'task')} asked for twice at once, answered once"
        if self._search is not None and self._search.cut_short:
            text += "; a search was cut short by the time or number that it may take"
        if self._failures:
            last = self._failures[-1]
            text, hint = f"{text}; something failed, last: {last.message}", last.hint
        elif not (settings.preannotate or settings.preannotate_similar):
            text, hint = f"{text}: without a click there is nothing to cut out", _HOW
        elif answered + self._unreached + self._elsewhere < asked:
            reasons = [
                (settings.preannotate, "no box, point or outline that says where an object is"),
                (settings.preannotate_similar, "nothing that resembles an accepted example"),
            ]
            text += f"; the others hold {', and '.join(why for on, why in reasons if on)}"
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
