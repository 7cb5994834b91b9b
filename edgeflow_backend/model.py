"""The backend class that Label Studio's requests drive.

Served by our own application (``edgeflow_backend.app``), or by the ``label-studio-ml`` package
where a team already runs that: then this is a ``LabelStudioMLBase`` subclass.
"""

from __future__ import annotations

import functools
import threading
import time
from typing import TYPE_CHECKING, Any

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.label_config import LabelConfig, TaskConfig, parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.errors import (
    DeadlineError,
    InternalError,
    OverloadedError,
    RefusedRequestError,
    SupersededError,
)
from edgeflow_backend.log import get_logger
from edgeflow_backend.objects.found_prompts import prompts_in
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.prompts import parse_context, parse_prompt
from edgeflow_backend.protocol.regions import made_here
from edgeflow_backend.protocol.wire import parse_tasks
from edgeflow_backend.redact.texts import NAME_LENGTH, clean
from edgeflow_backend.requests import Answer, Request
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics

if TYPE_CHECKING:
    _Base = object
else:
    try:
        from label_studio_ml.model import LabelStudioMLBase as _Base
    except ImportError:
        _Base = object


_BUILDING = threading.Lock()  # functools.cache would let several first clicks each build one


@functools.cache
def _built_service() -> SegmentationService:
    return build_service(Settings(), Metrics(), Journal())


def process_service() -> SegmentationService:
    """The service of this process, for hosts that make a model instance per project or request."""
    with _BUILDING:
        return _built_service()


class EdgeFlowBackend(_Base):
    """Keypoint clicks in, brush regions out."""

    def __init__(
        self, *args: Any, service: SegmentationService | None = None, **kwargs: Any
    ) -> None:
        if _Base is not object:
            super().__init__(*args, **kwargs)
        self._service = service
        self._log = get_logger()

    @property
    def service(self) -> SegmentationService:
        """What does the work; loaded at the first use where the host did not bring it."""
        if self._service is None:
            self._service = process_service()
        return self._service

    def predict(
        self, tasks: list[JSONObject], context: JSONObject | None = None, **kwargs: Any
    ) -> list[Any]:
        """Answer Label Studio's ``/predict``.

        Args:
            tasks: Label Studio tasks; an interactive call brings one.
            context: ``{"result": [keypoints]}``, or None for a batch call.
            kwargs: ``label_config`` (XML) and ``project``, which every request brings; ``host``,
                the name of the Label Studio that asks, where there are several.

        Returns:
            One prediction a task for an interactive call: ``{"result": [region] or [],
            "score", "model_version"}``, with an ``error`` beside an empty result. An empty list
            for a batch call: without clicks there is nothing to say, and Label Studio stores
            nothing. With the setting ``preannotate``, a list of predictions a task, empty for
            tasks without anything to go by.

        Raises:
            MalformedRequestError: the arguments are not of Label Studio's form.
            OverloadedError: too many requests wait already.
        """
        tasks = list(parse_tasks(tasks))
        label_config = kwargs.get("label_config") or getattr(self, "label_config", None)
        project = ProjectRef.parse(kwargs.get("project"), str(kwargs.get("host") or ""))
        if label_config:
            journal = self.service.journal
            journal.config_checks.check(str(project), label_config, "predict")
        if context is None:
            return self._batch(tasks, label_config, project)
        parse_context(context)  # a request of another form is refused before its tasks are read
        return [self._predict_one(task, context, label_config, project) for task in tasks]

    def fit(self, *args: Any, **kwargs: Any) -> JSONObject:
        """Take note of a webhook event: ``fit(event, data, **kwargs)``.

        Nothing is trained while annotators work. label-studio-ml 1.x calls ``fit(tasks, event=…,
        data=…)``, 2.x ``fit(event, data)``; both arrive here.

        Returns:
            What was seen: the action, and how many of its regions came from this backend.
        """
        event = kwargs.get("event", args[0] if args and isinstance(args[0], str) else "UNKNOWN")
        data = kwargs.get("data", args[1] if len(args) > 1 else {})
        annotation = data.get("annotation") if isinstance(data, dict) else None
        result = annotation.get("result") if isinstance(annotation, dict) else None
        ours = sum(map(made_here, result)) if isinstance(result, list) else 0
        if event == "PROJECT_UPDATED" and self._service is not None:
            changed = data.get("project") if isinstance(data, dict) else None
            number = changed.get("id") if isinstance(changed, dict) else None
            self._service.projects.forget(*ProjectRef.parse(number, str(kwargs.get("host") or "")))
        action = clean(str(event), NAME_LENGTH)
        self._log.info("webhook", action=action, regions_of_ours=ours)
        return {"action": action, "regions_of_ours": ours, "trained": False}

    def _batch(
        self, tasks: list[JSONObject], label_config: object, project: ProjectRef
    ) -> list[list[JSONObject]]:
        """Get ready for the clicks that will follow; answer only what tasks themselves ask."""
        try:
            config = parse_label_config(label_config)
        except EdgeFlowError as error:
            self._log.info("tasks not prepared", code=error.code, message=error.message)
            return []
        deadline = time.monotonic() + self.service.settings.request_timeout_s
        predictions = [self._open_task(task, config, project, deadline) for task in tasks]
        # One list a task keeps them in their places; an empty one stores nothing.
        return predictions if any(predictions) else []

    def _open_task(
        self, task: JSONObject, config: LabelConfig, project: ProjectRef, deadline: float
    ) -> list[JSONObject]:
        """Get ready for a task's clicks; return its predictions, if those are asked for."""
        try:
            shown = config.for_task(task["data"])
        except EdgeFlowError as error:
            self._log.info("task not prepared", code=error.code, message=error.message)
            return []
        self.service.prepare(task, shown, project)
        if not self.service.settings.preannotate:
            return []
        return self._preannotate(task, shown, project, deadline)

    def _preannotate(
        self, task: JSONObject, config: TaskConfig, project: ProjectRef, deadline: float
    ) -> list[JSONObject]:
        """A task's predictions: none, or one with a region for each box or point it holds."""
        log = self._log.bind(task=str(task.get("id"))[:64])
        answers: list[Answer] = []
        for prompt in prompts_in(task):
            try:
                request = Request(task, prompt, config, project)
                answers.append(self.service.preannotate(request, deadline))
            except (DeadlineError, OverloadedError):
                break
            except EdgeFlowError as error:
                log.info("not pre-annotated", code=error.code, message=error.message)
            except Exception:
                log.exception("not pre-annotated", code=InternalError.code)
        if not answers:
            return []
        return [
            {
                "result": [region for answer in answers for region in answer.regions],
                "score": sum(answer.score for answer in answers) / len(answers),
                "model_version": answers[0].model_version,
            }
        ]

    def _predict_one(
        self, task: JSONObject, context: object, label_config: object, project: ProjectRef
    ) -> JSONObject:
        service = self.service
        started = time.monotonic()
        log = self._log.bind(task=str(task.get("id"))[:64])
        try:
            config = parse_label_config(label_config).for_task(task["data"])
            prompt = parse_prompt(context, max_clicks=service.settings.max_clicks, config=config)
            answer = service.segment(Request(task, prompt, config, project))
        except RefusedRequestError:
            raise
        except SupersededError as error:  # nobody lost anything: no trouble for the status page
            service.metrics.predictions.labels(error.code).inc()
            log.info("no region", code=error.code, message=error.message)
            return self._empty(error, "")
        except EdgeFlowError as error:
            trouble = self._note(error, task, project)
            log.warning(
                "no region", id=trouble, code=error.code, message=error.message, hint=error.hint
            )
            return self._empty(error, trouble)
        except Exception:
            # The editor must live on whatever happens; the traceback goes to the log alone.
            defect = InternalError("an unexpected error", hint="see the backend's log")
            trouble = self._note(defect, task, project)
            log.exception("no region", id=trouble, code=defect.code)
            return self._empty(defect, trouble)
        elapsed = time.monotonic() - started
        service.metrics.predictions.labels("ok").inc()
        service.metrics.seconds.observe(elapsed)
        service.journal.latency.add(elapsed)
        log.info(
            "region",
            clicks=len(prompt.ids),
            score=round(answer.score, 3),
            milliseconds=round(elapsed * 1000),
        )
        return {
            "result": answer.regions,
            "score": answer.score,
            "model_version": answer.model_version,
        }

    def _note(self, error: EdgeFlowError, task: JSONObject, project: ProjectRef) -> str:
        """Count and remember a failed request; return its id on the status page."""
        service = self.service
        service.metrics.predictions.labels(error.code).inc()
        return service.journal.failures.note(
            error.code, error.message, error.hint, project=str(project), task=str(task.get("id"))
        )

    def _empty(self, error: EdgeFlowError, trouble: str) -> JSONObject:
        return {
            "result": [],
            "score": 0.0,
            "model_version": self.service.model_version,
            "error": {
                "id": trouble,
                "code": error.code,
                "message": clean(error.message),
                "hint": clean(error.hint),
            },
        }
