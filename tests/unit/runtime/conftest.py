from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from edgeflow.checkpoints import Checkpoint, find
from edgeflow.convert.convert import convert

GOLDEN = Path(__file__).parents[2] / "golden" / "eiseg"


@pytest.fixture(scope="session", autouse=True)
def _a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
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
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """One model of each architecture: the shipped one, and two tiny ones."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny = {"edgeflow_hrnet": "tiny_edgeflow", "ritm_hrnet": "tiny_hrnet"}
    made = {
        name: convert(GOLDEN / f"{source}_w4_ocr8_small.pdparams", folder / f"{name}.safetensors")
        for name, source in tiny.items()
    }
    return {"edgeflow_lite": find("edgeflow_lite"), **made}
