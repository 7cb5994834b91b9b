"""Entry points: the command's own server, and ``create`` for any other WSGI server."""

from __future__ import annotations

from flask import Flask

from edgeflow_backend import log
from edgeflow_backend.app import Build, create_app
from edgeflow_backend.cluster.join import join, load_remote
from edgeflow_backend.memory.malloc import configure_malloc
from edgeflow_backend.server.listener import listen
from edgeflow_backend.server.server import Server
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.trace_export import TraceExport
from edgeflow_backend.tracing.middleware import TracedApplication
from edgeflow_backend.tracing.tracer import open_tracer


def create() -> Flask:
    """Make the application with the settings of the environment.

    Raises:
        TracingUnavailableError: Traces are wanted, but their packages are not installed.
    """
    return _create(Settings(), Metrics())


def serve(host: str, port: int, settings: Settings, cluster: str = "") -> None:
    """Serve from this process, which holds the click states, until it is told to stop.

    Args:
        host: Host name or IP to listen on.
        port: Port to listen on.
        settings: Settings of the backend.
        cluster: Address of the Ray cluster that holds the click states instead; empty for none.

    Raises:
        ListenError: The server cannot listen there.
        TracingUnavailableError: Traces are wanted, but their packages are not installed.
        ClusterError: The cluster cannot be joined, or should not be.
    """
    metrics = Metrics()
    with listen(host, port) as listener:  # before the model is loaded
        build = build_service
        if cluster:
            join(cluster, settings)
            build = _build_in_cluster
        Server(_create(settings, metrics, build), listener, settings, metrics).run()


def _build_in_cluster(
    settings: Settings, metrics: Metrics, journal: Journal
) -> SegmentationService:
    segmenter = load_remote(settings, metrics, on_note=journal.note_image)
    return SegmentationService(settings, segmenter, metrics, journal=journal)


def _create(settings: Settings, metrics: Metrics, build: Build = build_service) -> Flask:
    configure_malloc()
    log.configure(settings.log_level, settings.log_format)
    collector = settings.collector(settings.uplink.tls)
    tracer = open_tracer(collector, TraceExport(metrics)) if collector else None
    app = create_app(settings, build, metrics=metrics)
    if tracer is not None:  # which sends what is left when the process ends
        app.wsgi_app = TracedApplication(app.wsgi_app, tracer)  # type: ignore[method-assign]
    return app
