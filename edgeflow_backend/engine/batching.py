"""Several network steps in one run."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from edgeflow.inference.runs import StepInput
from edgeflow.runtime.base import Runtime, StepOutput

CUDA_BATCH = 32


def default_batch(device: torch.device) -> int:
    """Number of steps worth running together.

    One on CPUs: a single step keeps all cores busy, and larger batches only cause cache misses
    (docs/throughput.md).
    """
    return CUDA_BATCH if device.type == "cuda" else 1


@torch.inference_mode()
def run_together(runtime: Runtime, inputs: Sequence[StepInput]) -> list[StepOutput | Exception]:
    """Run steps of equal shapes at once.

    A single step runs exactly as it is. If a batch fails, its steps run one by one, so that a step
    that cannot run, or a batch too large for the device's memory, costs nobody else a click.

    Args:
        runtime: Runtime that runs them.
        inputs: Inputs of one or more steps, each of one or more views.

    Returns:
        For each step, its slice of the output or its own failure.
    """
    if len(inputs) == 1:
        return [_run_alone(runtime, inputs[0])]
    try:
        images, prompts = (torch.cat(parts) for parts in zip(*inputs, strict=True))
        output = runtime.run(images, prompts)
        views = [len(step.image) for step in inputs]
        masks, feedbacks = (torch.split(part, views) for part in output)
        # Copies, so that a cached state does not keep the whole batch alive.
        return [
            StepOutput(mask.clone(), feedback.clone())
            for _, mask, feedback in zip(inputs, masks, feedbacks, strict=True)
        ]
    except Exception:  # noqa: BLE001 - a single step may be the cause
        return [_run_alone(runtime, step) for step in inputs]


def _run_alone(runtime: Runtime, step: StepInput) -> StepOutput | Exception:
    try:
        return runtime.run(step.image, step.prompt)
    except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
        return error
