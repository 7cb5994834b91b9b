"""The Flask application: Label Studio's ML backend protocol over :class:`EdgeFlowBackend`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from importlib.metadata import version

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import RequestEntityTooLarge

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.background import PATIENCE_S, Background
from edgeflow_backend.calls.events import TRAIN, Event, take_note
from edgeflow_backend.errors import MalformedRequestError, NotReadyError
from edgeflow_backend.label_studio.connection import SECRET_HEADER
from edgeflow_backend.learning.answering import version_of, versions_for
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.objects.refine_rule import describe_rules
from edgeflow_backend.openapi.document import describe
from edgeflow_backend.protocol.body import parse_body
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.page import render_html
from edgeflow_backend.status.report import HEADERS, ModelState, Snapshot, report, wants_json
from edgeflow_backend.web.answers import (
    add_error_handlers,
    describe_error,
    endpoint_name,
    json_answer,
    refusal,
)
from edgeflow_backend.web.auth import (
    BasicAuth,
    EventSecret,
    asked_by_a_page,
    read_authorization,
)
from edgeflow_backend.web.hosts import add_hosts

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
    # A click's time begins once the model is there; Label Studio waits for both, 100 s at most.
    patience_s = min(PATIENCE_S, settings.request_timeout_s)
    routed = threading.Event()

    def load() -> SegmentationService:
        # Each route makes Werkzeug parse code, and loading makes other libraries parse theirs: at
        # once in two threads, CPython 3.11 may fail with "AST constructor recursion depth
        # mismatch".
        routed.wait()
        return build(settings, metrics, journal)

    loading: Loading = Background(load, patience_s)
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # by a redirect to whatever host the client names
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    auth = BasicAuth(settings.basic_auth_user, settings.basic_auth_password)
    metrics.note_limits(settings)
    _add_request_count(app, metrics)
    _add_authentication(app, auth, journal)
    add_error_handlers(app, settings, journal)
    routes = Blueprint("backend", __name__)
    _add_protocol(routes, settings, loading, metrics, journal)
    _add_monitoring(routes, settings, loading, metrics)
    _add_status(routes, settings, loading, journal)
    add_hosts(app, routes, settings)
    app.register_blueprint(routes)
    app.register_blueprint(routes, url_prefix="/hosts/<host>", name="host")
    routed.set()
    return app


def _add_authentication(app: Flask, auth: BasicAuth, journal: Journal) -> None:
    @app.before_request
    def authenticate() -> Response | None:
        authorization = read_authorization(request.headers.get("Authorization"))
        # Not below /hosts/<host>, where it would tell which names there are.
        if request.endpoint == "backend.health" or auth.allows(authorization):
            return None
        response = refusal(
            journal,
            HTTPStatus.UNAUTHORIZED,
            "unauthorised",
            "this backend requires a user and a password",
            "enter them in the project's settings under Model, as Basic Auth",
        )
        response.headers["WWW-Authenticate"] = 'Basic realm="edgeflow"'
        return response

    @app.before_request
    def refuse_pages() -> Response | None:
        if not asked_by_a_page(request.method, request.headers.get("Origin")):
            return None
        return refusal(
            journal,
            HTTPStatus.FORBIDDEN,
            "forbidden",
            "this backend answers Label Studio's server, not pages in a browser",
            "call it without an Origin header, from a program",
        )


def _add_request_count(app: Flask, metrics: Metrics) -> None:
    @app.before_request
    def begin() -> None:
        metrics.in_progress.inc()

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        metrics.in_progress.dec()

    @app.after_request
    def count(response: Response) -> Response:
        metrics.requests.labels(endpoint_name(), str(response.status_code)).inc()
        return response


def _add_protocol(
    routes: Blueprint, settings: Settings, loading: Loading, metrics: Metrics, journal: Journal
) -> None:
    secret = EventSecret(settings.webhook_secret)

    @routes.post("/setup")
    def setup() -> Response:
        body = _body()
        service = loading.get()
        project = ProjectRef.parse(body.get("project"), g.host)
        service.locator.note_public_url(body.get("hostname"), g.host)
        service.projects.of(*project)
        answer: JSONObject = {"model_version": version_of(settings, service.segmenter, project)}
        schema = body.get("schema")
        if isinstance(schema, str) and schema.strip():
            answer |= journal.config_checks.setup(str(project), schema)
        return json_answer(answer)

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
        answering = version_of(settings, service.segmenter, g.project)
        return json_answer({"results": results, "model_version": answering})

    @routes.post("/webhook")
    @routes.post("/train", defaults={"action": TRAIN})  # of a Label Studio without that event
    def webhook(action: str | None = None) -> Response:
        event = Event.parse(_body(), g.host, action)
        if not secret.allows(event.action, request.headers.get(SECRET_HEADER)):
            return refusal(
                journal,
                HTTPStatus.FORBIDDEN,
                "forbidden",
                "this backend takes no event without its secret",
                "run `edgeflow-backend connect`, which has Label Studio send it",
            )
        metrics.count_event(event.action)
        take_note(event, journal)
        service = loading.get() if loading.ready() else None
        noted = EdgeFlowBackend(service=service).fit(event.action, event.content, host=g.host)
        return json_answer(noted, HTTPStatus.CREATED)

    @routes.route("/versions", methods=["GET", "POST"])
    def versions() -> Response:
        # Label Studio asks by GET and does not say for which project.
        body: JSONObject = {}
        with contextlib.suppress(MalformedRequestError):
            body = parse_body(request.get_data(cache=False))
        project = ProjectRef.parse(body.get("project"), g.host)
        segmenter = loading.get().segmenter
        return json_answer({"versions": versions_for(settings, segmenter, project)})


def _add_monitoring(
    routes: Blueprint, settings: Settings, loading: Loading, metrics: Metrics
) -> None:
    @routes.get("/", endpoint="index")
    @routes.get("/health", endpoint="health")
    def health() -> Response:
        try:
            service = loading.get(patience_s=0.0)
        except NotReadyError as error:
            status = "DOWN" if loading.failure() else "LOADING"
            answer = {
                "status": status,
                "error": describe_error(error.code, error.message, error.hint),
            }
            return json_answer(answer, HTTPStatus.SERVICE_UNAVAILABLE)
        return json_answer(
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
        metrics.observe(_observe(settings, loading))
        return Response(metrics.render(), content_type=CONTENT_TYPE_LATEST)

    @routes.get("/openapi.json", endpoint="openapi")
    def show_description() -> Response:
        return json_answer(describe())


def _add_status(routes: Blueprint, settings: Settings, loading: Loading, journal: Journal) -> None:
    @routes.get("/status", endpoint="status")
    def show_status() -> Response:
        body = report(journal, _observe(settings, loading))
        if wants_json(request.accept_mimetypes, request.args.get("format")):
            response = json_answer(body)
        else:
            response = Response(render_html(body), content_type="text/html; charset=utf-8")
        response.headers.update(HEADERS)
        return response


def _observe(settings: Settings, loading: Loading) -> Snapshot:
    try:
        return take_snapshot(loading.get(patience_s=0.0))
    except NotReadyError as error:
        state: ModelState = "failed" if loading.failure() else "loading"
        return Snapshot(state, settings.model, message=error.message, hint=error.hint)


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
        learning=tuple(
            replace(each, answers=version_of(settings, segmenter, ref))
            for ref, each in zip(service.learning.projects, service.learning.entries(), strict=True)
        ),
    )


def _body() -> JSONObject:
    """The request's JSON object.

    Raises:
        MalformedRequestError: The body is not a JSON object.
    """
    data = request.get_data(cache=False)
    if request.content_length is None and len(data) == request.max_content_length:
        raise RequestEntityTooLarge  # Werkzeug cuts a body without Content-Length there
    return parse_body(data)
