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
from edgeflow_backend.errors import InternalError, RefusedRequestError
from edgeflow_backend.label_config import parse_label_config
from edgeflow_backend.log import get_logger
from edgeflow_backend.metrics import Metrics
from edgeflow_backend.protocol import JSONObject, parse_context, parse_tasks
from edgeflow_backend.regions import made_here
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings

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
    return build_service(Settings(), Metrics())


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
    ) -> list[JSONObject]:
        """Answer Label Studio's ``/predict``.

        Args:
            tasks: Label Studio tasks; an interactive call brings one.
            context: ``{"result": [keypoints]}``, or None for a batch call.
            kwargs: ``label_config`` (XML) and ``project``, which every request brings.

        Returns:
            One prediction a task for an interactive call: ``{"result": [region] or [],
            "score", "model_version"}``, with an ``error`` beside an empty result. An empty list
            for a batch call: without clicks there is nothing to say, and Label Studio stores
            nothing.

        Raises:
            MalformedRequestError: the arguments are not of Label Studio's form.
            OverloadedError: too many requests wait already.
        """
        tasks = list(parse_tasks(tasks))
        if context is None:
            return []
        label_config = kwargs.get("label_config") or getattr(self, "label_config", None)
        project = str(kwargs.get("project") or "").partition(".")[0]  # "<id>.<created>"
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
        self._log.info("webhook", action=str(event)[:64], regions_of_ours=ours)
        return {"action": str(event)[:64], "regions_of_ours": ours, "trained": False}

    def _predict_one(
        self, task: JSONObject, context: object, label_config: object, project: str
    ) -> JSONObject:
        service = self.service
        started = time.monotonic()
        log = self._log.bind(task=str(task.get("id"))[:64])
        try:
            prompt = parse_context(context, max_clicks=service.settings.max_clicks)
            config = parse_label_config(label_config)
            answer = service.segment(task, prompt, config, project)
        except RefusedRequestError:
            raise
        except EdgeFlowError as error:
            log.warning("no region", code=error.code, message=error.message, hint=error.hint)
            return self._empty(error)
        except Exception:
            # The editor must live on whatever happens; the traceback goes to the log alone.
            log.exception("no region", code=InternalError.code)
            return self._empty(InternalError("an unexpected error", hint="see the backend's log"))
        elapsed = time.monotonic() - started
        service.metrics.predictions.labels("ok").inc()
        service.metrics.seconds.observe(elapsed)
        log.info(
            "region",
            clicks=len(prompt.points),
            score=round(answer.score, 3),
            milliseconds=round(elapsed * 1000),
        )
        return {
            "result": [answer.region],
            "score": answer.score,
            "model_version": answer.model_version,
        }

    def _empty(self, error: EdgeFlowError) -> JSONObject:
        self.service.metrics.predictions.labels(error.code).inc()
        return {
            "result": [],
            "score": 0.0,
            "model_version": self.service.model_version,
            "error": {"code": error.code, "message": error.message, "hint": error.hint},
        }
