"""The Flask application: Label Studio's ML backend protocol over :class:`EdgeFlowBackend`."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Literal

import orjson
from flask import Blueprint, Flask, Response, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.auth import BasicAuth, read_authorization
from edgeflow_backend.background import Background
from edgeflow_backend.errors import MalformedRequestError, NotReadyError, RefusedRequestError
from edgeflow_backend.images.provider import MEGABYTE
from edgeflow_backend.log import get_logger
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.report import Seen, answer, status

LOADING_PATIENCE_S = 60.0
"""How long a request waits for a model that is still loading."""

KNOWN_ACTIONS = frozenset(
    f"{thing}_{event}"
    for thing in ("ANNOTATION", "ANNOTATIONS", "TASKS", "PROJECT", "LABEL_LINK")
    for event in ("CREATED", "UPDATED", "DELETED")
) | {"START_TRAINING"}
"""Label Studio's webhook actions; others share one label, so that metrics stay bounded."""

Loading = Background[SegmentationService]


def create_app(
    settings: Settings,
    build: Callable[[Settings, Metrics], SegmentationService] = build_service,
) -> Flask:
    """Make the application; the model loads in the background.

    Args:
        settings: of the whole backend.
        build: makes the service.

    Raises:
        RuntimeError: Flask is too old.
    """
    if int(version("flask").split(".")[0]) < 3:
        raise RuntimeError(
            "edgeflow-backend serves with Flask 3 or newer; in an environment with "
            "label-studio-ml 1.x use `label-studio-ml start` (see docs/label-studio-ml.md)"
        )
    metrics = Metrics()
    loading: Loading = Background(lambda: build(settings, metrics))
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = int(settings.max_body_mb * MEGABYTE)
    _guard(app, BasicAuth(settings.basic_auth_user, settings.basic_auth_password), metrics)
    _add_error_answers(app, settings, metrics)
    addresses = Blueprint("backend", __name__)
    _add_protocol(addresses, loading, metrics)
    _add_monitoring(addresses, loading, metrics)
    _add_status(addresses, settings, loading, metrics)
    _add_hosts(addresses, settings)
    app.register_blueprint(addresses)
    app.register_blueprint(addresses, url_prefix="/hosts/<host>", name="host")
    return app


def _add_hosts(addresses: Blueprint, settings: Settings) -> None:
    """Take the Label Studio's name from the address under which it connected the backend."""

    @addresses.url_value_preprocessor
    def note_host(_: str | None, values: dict[str, Any] | None) -> None:
        g.host = values.pop("host", "") if values else ""

    @addresses.before_request  # after the password was asked for: names are nobody's business
    def refuse_unknown_host() -> None:
        if g.host and g.host not in settings.label_studio_hosts:
            abort(HTTPStatus.NOT_FOUND)


def _guard(app: Flask, auth: BasicAuth, metrics: Metrics) -> None:
    @app.before_request
    def authenticate() -> Response | None:
        given = read_authorization(request.headers.get("Authorization"))
        if _endpoint() == "health" or auth.allows(given):
            return None
        response = _refusal(
            metrics,
            HTTPStatus.UNAUTHORIZED,
            "unauthorised",
            "this backend wants a user and a password",
            "enter them in the project's settings under Model, as Basic Auth",
        )
        response.headers["WWW-Authenticate"] = 'Basic realm="edgeflow"'
        return response

    @app.after_request
    def count(response: Response) -> Response:
        metrics.requests.labels(_endpoint(), str(response.status_code)).inc()
        return response


def _add_protocol(addresses: Blueprint, loading: Loading, metrics: Metrics) -> None:
    log = get_logger()

    @addresses.post("/setup")
    def setup() -> Response:
        body = _body()
        answer: JSONObject = {"model_version": _loaded(loading).model_version}
        schema = body.get("schema")
        if isinstance(schema, str) and schema.strip():
            project = str(ProjectRef.parse(body.get("project"), g.host))
            answer["problems"] = metrics.journal.checks.check(project, schema, "setup")
            for problem in answer["problems"]:
                log.warning("labelling config", project=project, text=problem)
        return _json(answer)

    @addresses.post("/predict")
    def predict() -> Response:
        body = _body()
        g.project = str(ProjectRef.parse(body.get("project"), g.host))
        params = {} if body.get("params") is None else body["params"]
        if not isinstance(params, dict):
            raise MalformedRequestError("`params` is not an object", hint="send {} or null")
        service = _loaded(loading)
        results = EdgeFlowBackend(service=service).predict(
            body.get("tasks"),  # type: ignore[arg-type]  # checked there
            context=params.get("context"),
            label_config=body.get("label_config"),
            project=body.get("project"),
            host=g.host,
        )
        return _json({"results": results, "model_version": service.model_version})

    @addresses.post("/webhook")
    def webhook() -> Response:
        body = _body()
        action = body.pop("action", None)
        if not isinstance(action, str):
            raise MalformedRequestError(
                "a webhook needs an `action`", hint='send {"action": "ANNOTATION_CREATED", …}'
            )
        metrics.annotations.labels(action if action in KNOWN_ACTIONS else "other").inc()
        return _json(EdgeFlowBackend().fit(action, body), HTTPStatus.CREATED)

    @addresses.route("/versions", methods=["GET", "POST"])
    def versions() -> Response:
        return _json({"versions": [_loaded(loading).model_version]})


def _add_monitoring(addresses: Blueprint, loading: Loading, metrics: Metrics) -> None:
    @addresses.get("/", endpoint="index")
    @addresses.get("/health", endpoint="health")
    def health() -> Response:
        try:
            service = _loaded(loading, patience_s=0.0)
        except NotReadyError as error:
            status = "DOWN" if loading.failure() else "LOADING"
            answer = {"status": status, "error": _describe(error.code, error.message, error.hint)}
            return _json(answer, HTTPStatus.SERVICE_UNAVAILABLE)
        return _json(
            {
                "status": "UP",
                "model_class": EdgeFlowBackend.__name__,
                "model_version": service.model_version,
                "runtime": service.predictor.runtime.name,
            }
        )

    @addresses.get("/metrics")
    def show_metrics() -> Response:
        if loading.ready():
            _loaded(loading).observe_caches()
        return Response(metrics.render(), content_type=CONTENT_TYPE_LATEST)


def _add_status(
    addresses: Blueprint, settings: Settings, loading: Loading, metrics: Metrics
) -> None:
    @addresses.get("/status", endpoint="status")
    def show_status() -> Response:
        try:
            service = _loaded(loading, patience_s=0.0)
            seen = Seen.of(service, waiting=service.engine.waiting)
        except NotReadyError as error:
            state: Literal["failed", "loading"] = "failed" if loading.failure() else "loading"
            seen = Seen(state, settings.model, message=error.message, hint=error.hint)
        told = status(metrics.journal, seen)
        return answer(told, request.accept_mimetypes, request.args.get("format"))


def _add_error_answers(app: Flask, settings: Settings, metrics: Metrics) -> None:
    log = get_logger()

    @app.errorhandler(RefusedRequestError)
    def refuse(error: RefusedRequestError) -> Response:
        response = _refusal(metrics, error.http_status, error.code, error.message, error.hint)
        if error.retry_after_s is not None:
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        hint = (
            f"the limit is EDGEFLOW_MAX_BODY_MB={settings.max_body_mb:g}"
            if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            else "docs/protocol.md lists the addresses and methods of this backend"
        )
        code = error.name.lower().replace(" ", "_")
        response = _refusal(metrics, status, code, error.name, hint)
        for name, value in error.get_headers():
            if name != "Content-Type":
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def refuse_unexpected(error: Exception) -> Response:
        log.error("unexpected error", path=request.path, exc_info=error)
        return _refusal(
            metrics,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "an unexpected error",
            "see the backend's log",
        )


def _loaded(loading: Loading, patience_s: float = LOADING_PATIENCE_S) -> SegmentationService:
    """The service, once the model is loaded and warm.

    Raises:
        NotReadyError: not in time, or never.
    """
    failure = loading.failure()
    service = None if failure else loading.wait(patience_s)
    if service is not None:
        return service
    failure = loading.failure()
    if failure is None:
        raise NotReadyError("the model is still loading", hint="try again in a few seconds")
    message = failure.message if isinstance(failure, EdgeFlowError) else type(failure).__name__
    raise NotReadyError(
        f"the model could not be loaded: {message}", hint="run `edgeflow-backend doctor`"
    )


def _endpoint() -> str:
    """The address's name, whichever Label Studio it was called under."""
    return (request.endpoint or "unknown").rpartition(".")[2]


def _body() -> JSONObject:
    """The request's JSON object.

    Raises:
        MalformedRequestError: there is none.
    """
    try:
        data = request.get_data(cache=False)
        if request.content_length is None and len(data) == request.max_content_length:
            raise RequestEntityTooLarge  # Werkzeug cuts a body without Content-Length there
        body: object = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MalformedRequestError(
            f"the body is no valid JSON ({error.msg})", hint="send a JSON object"
        ) from error
    if not isinstance(body, dict):
        raise MalformedRequestError("the body is no JSON object", hint="send a JSON object")
    return body


def _json(body: JSONObject, status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(body), status=int(status), content_type="application/json")


def _describe(code: str, message: str, hint: str) -> JSONObject:
    return {"code": code, "message": message, "hint": hint}


def _refusal(metrics: Metrics, status: int, code: str, message: str, hint: str) -> Response:
    """An HTTP error, logged; one that costs a click is remembered for the status page."""
    error = _describe(code, message, hint)
    if _endpoint() == "predict":
        project = g.get("project", "")
        error["id"] = metrics.journal.troubles.note(code, message, hint, project=project)
    get_logger().warning("request refused", **error)
    return _json({"error": error}, status)
