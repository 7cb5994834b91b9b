"""Several network steps in one run."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from edgeflow.inference.steps import StepInput
from edgeflow.runtime.base import Runtime, StepOutput

CUDA_BATCH = 32


def default_batch(device: torch.device) -> int:
    """How many steps are worth running together.

    On CPUs one: a single step keeps all cores busy, and more at once only miss the caches
    (docs/throughput.md).
    """
    return CUDA_BATCH if device.type == "cuda" else 1


@torch.inference_mode()
def run_together(runtime: Runtime, inputs: Sequence[StepInput]) -> list[StepOutput | Exception]:
    """Run steps of equal shapes at once; each gets its own slice of the output, or its own failure.

    A single step runs exactly as it is. Where a batch fails, its steps run one by one, so that a
    step that cannot run, or a batch too large for the device's memory, costs nobody else a click.

    Args:
        runtime: which runs them.
        inputs: one or more.
    """
    if len(inputs) == 1:
        return [_run_alone(runtime, inputs[0])]
    try:
        images, prompts = (torch.cat(parts) for parts in zip(*inputs, strict=True))
        output = runtime.run(images, prompts)
        masks, feedbacks = (torch.split(part, 1) for part in output)
        # Copies: a state that is kept must not keep the whole batch alive.
        return [
            StepOutput(mask.clone(), feedback.clone())
            for _, mask, feedback in zip(inputs, masks, feedbacks, strict=True)
        ]
    except Exception:  # noqa: BLE001 - whatever it is, it may be of one step only
        return [_run_alone(runtime, step) for step in inputs]


def _run_alone(runtime: Runtime, step: StepInput) -> StepOutput | Exception:
    try:
        return runtime.run(step.image, step.prompt)
    except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
        return error
