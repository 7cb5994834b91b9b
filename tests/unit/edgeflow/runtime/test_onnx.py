from __future__ import annotations

import pytest
import torch

from edgeflow.runtime.base import RuntimeUnavailableError
from edgeflow.runtime.onnx import ONNXRuntime
from tests.unit.edgeflow.runtime.cases import CPU


def test_a_file_that_is_not_a_model_is_refused() -> None:
    with pytest.raises(RuntimeUnavailableError, match="does not load"):
        ONNXRuntime({"model.onnx": b"not a model"}, CPU, feedback="edge", threads=1)


def test_a_build_without_cuda_is_refused_on_cuda() -> None:
    with pytest.raises(RuntimeUnavailableError, match="no CUDA"):
        ONNXRuntime({"model.onnx": b""}, torch.device("cuda"), feedback="edge", threads=1)
