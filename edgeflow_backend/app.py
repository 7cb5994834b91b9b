"""The Flask application: Label Studio's ML backend protocol over :class:`EdgeFlowBackend`."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from importlib.metadata import version

import orjson
from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.auth import BasicAuth, read_authorization
from edgeflow_backend.background import Background
from edgeflow_backend.calls.events import TRAIN, Event, take_note
from edgeflow_backend.errors import MalformedRequestError, NotReadyError, RefusedRequestError
from edgeflow_backend.hosts import add_hosts
from edgeflow_backend.log import get_logger
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.objects.refine_rule import describe_rules
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.page import render_html
from edgeflow_backend.status.report import HEADERS, ModelState, Snapshot, report, wants_json

Loading = Background[SegmentationService]
Build = Callable[[Settings, Metrics, Journal], SegmentationService]


def create_app(
    settings: Settings, build: Build = build_service, *, metrics: Metrics | None = None
) -> Flask:
    """Make the application; the model loads in the background.

    Args:
        settings: Settings of the whole backend.
        build: Function that makes the service.
        metrics: Where requests are counted; new ones if the server does not bring its own.

    Raises:
        RuntimeError: Flask is too old.
    """
    if int(version("flask").split(".")[0]) < 3:
        raise RuntimeError(
            "edgeflow-backend serves with Flask 3 or newer; in an environment with "
            "label-studio-ml 1.x use `label-studio-ml start` (see docs/label-studio-ml.md)"
        )
    metrics, journal = metrics or Metrics(), Journal()
    loading: Loading = Background(lambda: build(settings, metrics, journal))
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # by a redirect to whatever host the client names
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    auth = BasicAuth(settings.basic_auth_user, settings.basic_auth_password)
    _add_authentication(app, auth, journal)
    _add_request_count(app, metrics)
    _add_error_handlers(app, settings, journal)
    routes = Blueprint("backend", __name__)
    _add_protocol(routes, loading, metrics, journal)
    _add_monitoring(routes, loading, metrics)
    _add_status(routes, settings, loading, journal)
    add_hosts(app, routes, settings)
    app.register_blueprint(routes)
    app.register_blueprint(routes, url_prefix="/hosts/<host>", name="host")
    return app


def _add_authentication(app: Flask, auth: BasicAuth, journal: Journal) -> None:
    @app.before_request
    def authenticate() -> Response | None:
        authorization = read_authorization(request.headers.get("Authorization"))
        if _endpoint() == "health" or auth.allows(authorization):
            return None
        response = _refusal(
            journal,
            HTTPStatus.UNAUTHORIZED,
            "unauthorised",
            "this backend requires a user and a password",
            "enter them in the project's settings under Model, as Basic Auth",
        )
        response.headers["WWW-Authenticate"] = 'Basic realm="edgeflow"'
        return response


def _add_request_count(app: Flask, metrics: Metrics) -> None:
    @app.after_request
    def count(response: Response) -> Response:
        metrics.requests.labels(_endpoint(), str(response.status_code)).inc()
        return response


def _add_protocol(routes: Blueprint, loading: Loading, metrics: Metrics, journal: Journal) -> None:
    @routes.post("/setup")
    def setup() -> Response:
        body = _body()
        service = loading.get()
        project = ProjectRef.parse(body.get("project"), g.host)
        service.locator.note_public_url(body.get("hostname"), g.host)
        service.projects.of(*project)
        answer: JSONObject = {"model_version": service.model_version}
        schema = body.get("schema")
        if isinstance(schema, str) and schema.strip():
            answer |= journal.config_checks.setup(str(project), schema)
        return _json(answer)

    @routes.post("/predict")
    def predict() -> Response:
        body = _body()
        g.project = ProjectRef.parse(body.get("project"), g.host)
        params = {} if body.get("params") is None else body["params"]
        if not isinstance(params, dict):
            raise MalformedRequestError("`params` is not an object", hint="send {} or null")
        service = loading.get()
        results = EdgeFlowBackend(service=service).predict(
            body.get("tasks"),  # type: ignore[arg-type]  # checked there
            context=params.get("context"),
            label_config=body.get("label_config"),
            project=g.project,
        )
        return _json({"results": results, "model_version": service.model_version})

    @routes.post("/webhook")
    @routes.post("/train", defaults={"action": TRAIN})  # of a Label Studio without that event
    def webhook(action: str | None = None) -> Response:
        event = Event.parse(_body(), g.host, action)
        metrics.count_event(event.action)
        take_note(event, journal)
        service = loading.get() if loading.ready() else None
        noted = EdgeFlowBackend(service=service).fit(event.action, event.content, host=g.host)
        return _json(noted, HTTPStatus.CREATED)

    @routes.route("/versions", methods=["GET", "POST"])
    def versions() -> Response:
        return _json({"versions": [loading.get().model_version]})


def _add_monitoring(routes: Blueprint, loading: Loading, metrics: Metrics) -> None:
    @routes.get("/", endpoint="index")
    @routes.get("/health", endpoint="health")
    def health() -> Response:
        try:
            service = loading.get(patience_s=0.0)
        except NotReadyError as error:
            status = "DOWN" if loading.failure() else "LOADING"
            answer = {"status": status, "error": _describe(error.code, error.message, error.hint)}
            return _json(answer, HTTPStatus.SERVICE_UNAVAILABLE)
        return _json(
            {
                "status": "UP",
                "model_class": EdgeFlowBackend.__name__,
                "model_version": service.model_version,
                "runtime": service.segmenter.runtime,
            }
        )

    @routes.get("/metrics")
    def show_metrics() -> Response:
        if loading.ready():
            loading.get().observe_caches()
        return Response(metrics.render(), content_type=CONTENT_TYPE_LATEST)


def _add_status(routes: Blueprint, settings: Settings, loading: Loading, journal: Journal) -> None:
    @routes.get("/status", endpoint="status")
    def show_status() -> Response:
        try:
            snapshot = take_snapshot(loading.get(patience_s=0.0))
        except NotReadyError as error:
            state: ModelState = "failed" if loading.failure() else "loading"
            snapshot = Snapshot(state, settings.model, message=error.message, hint=error.hint)
        body = report(journal, snapshot)
        if wants_json(request.accept_mimetypes, request.args.get("format")):
            response = _json(body)
        else:
            response = Response(render_html(body), content_type="text/html; charset=utf-8")
        response.headers.update(HEADERS)
        return response


def take_snapshot(service: SegmentationService) -> Snapshot:
    """The state of a service whose model is loaded."""
    settings, segmenter = service.settings, service.segmenter
    return Snapshot(
        state="ready",
        version=service.model_version,
        runtime=segmenter.runtime,
        waiting=segmenter.waiting,
        queue_limit=settings.queue_limit,
        caches=tuple(segmenter.caches()),
        shared=(*segmenter.shared(), *service.shared()),
        refining=describe_rules(settings.refine, service.projects.known()),
        label_studios={
            name: studio.public_url or studio.url for name, studio in settings.label_studios.items()
        },
    )


def _add_error_handlers(app: Flask, settings: Settings, journal: Journal) -> None:
    @app.errorhandler(RefusedRequestError)
    def refuse(error: RefusedRequestError) -> Response:
        response = _refusal(journal, error.http_status, error.code, error.message, error.hint)
        if error.retry_after_s is not None:
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        hint = (
            f"the limit is EDGEFLOW_MAX_BODY_MB={settings.max_body_mb:g}"
            if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            else "docs/protocol.md lists the routes and methods of this backend"
        )
        code = error.name.lower().replace(" ", "_")
        response = _refusal(journal, status, code, error.name, hint)
        response.headers.update(h for h in error.get_headers() if h[0] != "Content-Type")
        return response

    @app.errorhandler(Exception)
    def refuse_unexpected(error: Exception) -> Response:
        get_logger().error("unexpected error", endpoint=_endpoint(), exc_info=error)
        return _refusal(
            journal,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "an unexpected error",
            "see the backend's log",
        )


def _endpoint() -> str:
    """The endpoint of the request, without the prefix of its blueprint."""
    return (request.endpoint or "unknown").rpartition(".")[2]


def _body() -> JSONObject:
    """The request's JSON object.

    Raises:
        MalformedRequestError: The body is not a JSON object.
    """
    try:
        data = request.get_data(cache=False)
        if request.content_length is None and len(data) == request.max_content_length:
            raise RequestEntityTooLarge  # Werkzeug cuts a body without Content-Length there
        body: object = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MalformedRequestError(
            f"the body is not valid JSON ({error.msg})", hint="send a JSON object"
        ) from error
    if not isinstance(body, dict):
        raise MalformedRequestError("the body is not a JSON object", hint="send a JSON object")
    return body


def _json(body: JSONObject, status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(body), status=int(status), content_type="application/json")


def _describe(code: str, message: str, hint: str) -> JSONObject:
    return {"code": code, "message": clean(message), "hint": clean(hint)}


def _refusal(journal: Journal, status: int, code: str, message: str, hint: str) -> Response:
    """An HTTP error, logged; one that costs a click also goes to the status page."""
    error = _describe(code, message, hint)
    if _endpoint() == "predict":
        project = str(g.get("project", ""))
        error["id"] = journal.failures.note(code, message, hint, project=project)
    get_logger().warning("request refused", **error)
    return _json({"error": error}, status)
