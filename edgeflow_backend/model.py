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
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.calls.batch import BatchCall
from edgeflow_backend.errors import (
    InternalError,
    NothingAlikeError,
    NothingAskedError,
    RefusedRequestError,
    SupersededError,
)
from edgeflow_backend.learning.answering import version_of
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.prompts import parse_context, parse_prompt
from edgeflow_backend.protocol.regions import made_here
from edgeflow_backend.protocol.wire import parse_tasks
from edgeflow_backend.redact.texts import NAME_LENGTH, clean
from edgeflow_backend.requests import Request
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.tracing.spans import set_attributes, span

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
            "score", "model_version"}``, with an ``error`` beside an empty result. A list of
            predictions a task for a batch call: empty, so that Label Studio stores nothing, but
            with the setting ``preannotate`` for tasks that say where their objects are.

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
        elif context is None:
            return [[] for _ in tasks]
        if context is None:
            return BatchCall(self.service, project).answer(tasks, label_config)
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
        if self._service is not None:
            changed = data.get("project") if isinstance(data, dict) else None
            number = changed.get("id") if isinstance(changed, dict) else None
            ref = ProjectRef.parse(number, str(kwargs.get("host") or ""))
            if event == "PROJECT_UPDATED":
                self._service.projects.forget(*ref)
            self._service.examples.note(event, ref)
            self._service.learning.note(event, ref)
        action = clean(str(event), NAME_LENGTH)
        self._log.info("webhook", action=action, regions_of_ours=ours)
        return {"action": action, "regions_of_ours": ours, "trained": False}

    def _predict_one(
        self, task: JSONObject, context: object, label_config: object, project: ProjectRef
    ) -> JSONObject:
        service = self.service
        started = time.monotonic()
        log = self._log.bind(task=str(task.get("id"))[:64])
        try:
            with span("click"):
                with span("config"):
                    config = parse_label_config(label_config).for_task(task["data"])
                    limit = service.settings.max_clicks
                    prompt = parse_prompt(context, max_clicks=limit, config=config)
                set_attributes(clicks=len(prompt.ids))
                answer = service.segment(Request(task, prompt, config, project))
        except RefusedRequestError:
            raise
        except (NothingAlikeError, NothingAskedError, SupersededError) as error:
            # Nobody lost anything: no trouble. But who asked for more wonders why there is none.
            if isinstance(error, NothingAlikeError):
                service.journal.notes.note(
                    error.code,
                    error.message,
                    error.hint,
                    project=str(project),
                    task=str(task.get("id")),
                )
            service.metrics.predictions.labels(error.code).inc()
            log.info("no region", code=error.code, message=error.message)
            return self._empty(error, "", project)
        except EdgeFlowError as error:
            trouble = self._note(error, task, project)
            log.warning(
                "no region", id=trouble, code=error.code, message=error.message, hint=error.hint
            )
            return self._empty(error, trouble, project)
        except Exception:
            # The editor must live on whatever happens; the traceback goes to the log alone.
            defect = InternalError("an unexpected error", hint="see the backend's log")
            trouble = self._note(defect, task, project)
            log.exception("no region", id=trouble, code=defect.code)
            return self._empty(defect, trouble, project)
        for loss in answer.lost:
            trouble = self._note(loss, task, project)
            log.warning("a click without a region", id=trouble, code=loss.code)
        elapsed = time.monotonic() - started
        service.metrics.predictions.labels("ok").inc()
        if not answer.searched:  # a search takes its time, and is no click
            service.metrics.seconds.observe(elapsed)
            service.journal.latency.add(elapsed)
        log.info(
            "region",
            clicks=len(prompt.ids),
            regions=len(answer.regions),
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

    def _empty(self, error: EdgeFlowError, trouble: str, project: ProjectRef) -> JSONObject:
        return {
            "result": [],
            "score": 0.0,
            "model_version": version_of(self.service.settings, self.service.segmenter, project),
            "error": {
                "id": trouble,
                "code": error.code,
                "message": clean(error.message),
                "hint": clean(error.hint),
            },
        }
