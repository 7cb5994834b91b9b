"""A door in this process, in front of replicas whose network sleeps; for benchmarks.cluster."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator

from ray import serve

from benchmarks.cluster import load_sleeping
from edgeflow_backend import log
from edgeflow_backend.app import create_app
from edgeflow_backend.cluster.join import join, load_remote
from edgeflow_backend.server.listener import listen
from edgeflow_backend.server.server import Server
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics


@contextlib.contextmanager
def running_door(replicas: int, people: int) -> Iterator[str]:
    """Yields the door's URL."""
    settings = Settings(
        cluster_replicas=replicas,
        allowed_hosts="127.0.0.1",
        http_threads=people + 8,
        queue_limit=people,
        log_level="ERROR",
        state_cache_mb=64,
        image_cache_mb=64,
    )

    def build(settings: Settings, metrics: Metrics, journal: Journal) -> SegmentationService:
        segmenter = load_remote(settings, metrics, load=load_sleeping)
        return SegmentationService(settings, segmenter, metrics, journal=journal)

    log.configure(settings.log_level, settings.log_format)
    join(os.environ["RAY_ADDRESS"], settings)
    metrics = Metrics()
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = create_app(settings, build, metrics=metrics)
    while "UP" not in app.test_client().get("/health").text:
        time.sleep(0.5)
    server = Server(app, listener, settings, metrics)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        thread.join()
        serve.delete("edgeflow")
