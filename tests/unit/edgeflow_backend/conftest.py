from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import torch

from edgeflow.checkpoints import find
from edgeflow.crop import ZoomPolicy
from edgeflow.manifest import add_to_manifest
from edgeflow.predictor import Predictor, load_predictor
from edgeflow_backend.metrics import Metrics
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.loopback import Host, serve

MakeService = Callable[..., SegmentationService]


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    monkeypatch.setenv("HOME", str(empty_home))
    for name in list(os.environ):
        if name.startswith(("EDGEFLOW_", "LABEL_STUDIO_")) or name.lower().endswith("_proxy"):
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


@pytest.fixture(scope="session")
def predictor() -> Iterator[Predictor]:
    """The shipped network on small views; one thread, so that busy machines do not slow it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load_predictor(device="cpu", policy=ZoomPolicy(long_side=96))
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one more model, ``other``, whose weights are the shipped ones."""
    shipped = find("edgeflow_lite")
    folder = tmp_path_factory.mktemp("models")
    entry = shipped.entry.model_copy(update={"file": "other.safetensors"})
    shutil.copy(shipped.path, folder / entry.file)
    add_to_manifest(folder, "other", entry)
    return folder


@pytest.fixture
def make_service(predictor: Predictor) -> Iterator[MakeService]:
    """Makes services with changed settings."""
    services: list[SegmentationService] = []

    def make(**changes: Any) -> SegmentationService:
        services.append(SegmentationService(Settings(**changes), predictor, Metrics()))
        return services[-1]

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
