"""Fixtures of all unit tests: nothing but loopback, a home of its own, one thread, a fixed seed."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import torch

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, Checkpoint, find
from edgeflow.checkpoints.convert.convert import convert
from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.checkpoints.manifest import add_to_manifest
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import Cleanup
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow_backend.images.decoding.decoder import MAX_PLACES
from edgeflow_backend.images.decoding.pool import Pool
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from tests.unit.edgeflow_backend.internet import Internet
from tests.unit.edgeflow_backend.loopback import Host, serve
from tests.unit.edgeflow_backend.samples import projects_with_overlap
from tests.unit.edgeflow_backend.status.clock import Clock
from tests.unit.local_service import local_service

GOLDEN = Path(__file__).parents[1] / "golden" / "eiseg"

MakeService = Callable[..., SegmentationService]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long runs the same lines over and over: watched, it would take twice as long.

    The quick tests alone must run nearly every line.
    """
    for item in items:
        repeats = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if repeats or item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.no_cover)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """No collection of garbage looks through what stays until the end: a million objects.

    It would take a third of the time in which the tests are found, and a fifth of the tests' own.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """On a busy machine, two threads that wait for each other take many times as long as one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home without models, for fixtures of the whole session, too."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HOME", str(home))
        yield home


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    monkeypatch.setenv("HOME", str(empty_home))
    for name in list(os.environ):
        ours = name.startswith(("EDGEFLOW_", "LABEL_STUDIO_", "SSL_CERT_", "REQUESTS_CA_"))
        if ours or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _nothing_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        assert self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _a_clean_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _a_fixed_seed() -> None:
    # torch.manual_seed also notes a traceback for each GPU library, for when one is used.
    torch.default_generator.manual_seed(0)


@pytest.fixture(scope="session")
def shipped_network() -> EdgeFlowLite:
    """``edgeflow_lite``, in evaluation mode. Shared: a test that changes it takes a copy."""
    network = find("edgeflow_lite").load()
    assert isinstance(network, EdgeFlowLite)
    return network


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """One model of each architecture: the shipped one, and two tiny ones."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny = {"edgeflow_hrnet": "tiny_edgeflow", "ritm_hrnet": "tiny_hrnet"}
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("edgeflow.checkpoints.convert.convert.read_source", open_source)
        converted = {
            name: convert(
                GOLDEN / f"{source}_w4_ocr8_small.pdparams", folder / f"{name}.safetensors"
            )
            for name, source in tiny.items()
        }
    return {"edgeflow_lite": find(DEFAULT_MODEL), **converted}


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    """The shipped network on small views, on which it is sure of little: every piece stays."""
    return load_predictor(
        device="cpu", policy=ZoomPolicy(long_side=96), cleanup=Cleanup(min_certainty=0)
    )


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one more model, ``other``, whose weights are the shipped ones."""
    shipped = find(DEFAULT_MODEL)
    folder = tmp_path_factory.mktemp("models")
    entry = shipped.entry.model_copy(update={"file": "other.safetensors"})
    shutil.copy(shipped.path, folder / entry.file)
    add_to_manifest(folder, "other", entry)
    return folder


class _SharedPool(Pool):
    def close(self) -> None:
        """Its children stay, for the next service."""


@pytest.fixture(scope="session")
def decoding() -> Iterator[Pool]:
    """Children that decode images, for all services: each takes a quarter of a second to start."""
    pool = _SharedPool(MAX_PLACES)
    yield pool
    Pool.close(pool)


@pytest.fixture
def make_service(
    predictor: Predictor, decoding: Pool, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeService]:
    """Makes services with changed settings."""
    monkeypatch.setattr("edgeflow_backend.images.decoding.decoder.Pool", lambda _: decoding)
    services: list[SegmentationService] = []

    def make(
        *,
        overlap: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        **changes: Any,
    ) -> SegmentationService:
        """A service; Label Studio says this overlap of every project, or nothing."""
        projects = None if overlap is None else projects_with_overlap(overlap)
        service = local_service(
            Settings(**changes), predictor, Metrics(), projects=projects, clock=clock
        )
        services.append(service)
        return service

    yield make
    for service in services:
        service.close()


@pytest.fixture
def service(make_service: MakeService) -> SegmentationService:
    return make_service()


@pytest.fixture
def host() -> Iterator[Host]:
    with serve() as running:
        yield running


@pytest.fixture
def other_host() -> Iterator[Host]:
    with serve() as running:
        yield running


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    return Internet(monkeypatch)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(clock: Clock) -> Journal:
    return Journal(clock)
