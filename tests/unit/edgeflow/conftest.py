from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from edgeflow.checkpoints import find
from edgeflow.crop import ZoomPolicy
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.predictor import Predictor, load_predictor


@pytest.fixture(scope="session", autouse=True)
def _a_home_without_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """On a busy machine, two threads that wait for each other take many times as long as one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _a_fixed_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shipped_network() -> EdgeFlowLite:
    """The shipped weights, in evaluation mode. Shared: a test that changes it takes a copy."""
    network = find("edgeflow_lite").load()
    assert isinstance(network, EdgeFlowLite)
    return network


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    """The shipped network on small views."""
    return load_predictor(device="cpu", policy=ZoomPolicy(long_side=96))
