"""Inputs, and the reference that runtimes are compared with."""

from __future__ import annotations

import torch
from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.runtime.base import Precision, StepOutput
from edgeflow.runtime.folding.inference_network import InferenceNetwork
from edgeflow.runtime.graph.trace import trace
from edgeflow.runtime.onnx import ONNXRuntime, onnx_files
from edgeflow.runtime.openvino import OpenVINORuntime, openvino_files
from edgeflow.runtime.torch_eager import TorchRuntime

CPU = torch.device("cpu")
ARCHITECTURES = ("edgeflow_lite", "edgeflow_hrnet", "ritm_hrnet")

FOLDING_TOLERANCES = {"edgeflow_lite": 1e-4, "edgeflow_hrnet": 5e-4, "ritm_hrnet": 1e-4}
"""Of float32 logits; the tiny EdgeFlow itself differs by 1e-4 from its result in float64."""


def step_input(height: int = 64, width: int = 96, batch: int = 1) -> tuple[Tensor, Tensor]:
    """Images with some structure, and prompts with a feedback map and disks."""
    coarse = torch.rand(batch, 3, height // 16 + 1, width // 16 + 1)
    image = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    prompt = torch.zeros(batch, 3, height, width)
    prompt[:, 0] = torch.rand(batch, height, width)
    prompt[:, 1, height // 3 : height // 3 + 9, width // 3 : width // 3 + 9] = 1
    prompt[:, 2, :5, :5] = 1
    return image, prompt


def reference_of(checkpoint: Checkpoint) -> TorchRuntime:
    """The network's own modules, unfolded."""
    return TorchRuntime(checkpoint.load(), CPU)


def start_graph_runtime(
    kind: str, checkpoint: Checkpoint, precision: Precision = "float32"
) -> OpenVINORuntime | ONNXRuntime:
    """OpenVINO or ONNX Runtime on a fresh graph, without a cache."""
    graph, feedback = trace(InferenceNetwork(checkpoint.load())), checkpoint.entry.feedback
    if kind == "onnx":
        return ONNXRuntime(onnx_files(graph), CPU, feedback=feedback, threads=1)
    return OpenVINORuntime(openvino_files(graph), precision, feedback=feedback, threads=1)


def logit_difference(one: StepOutput, other: StepOutput) -> float:
    """Largest difference of mask or feedback logits within ±4.6, where float32 resolves 1e-5."""
    pairs = zip(one, other, strict=True)
    return max(float((a.logit(1e-2) - b.logit(1e-2)).abs().max()) for a, b in pairs)


def iou(one: Tensor, other: Tensor) -> float:
    """IoU of two masks given as probabilities; 1 if both are empty."""
    a, b = one > 0.5, other > 0.5
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0
