"""Milliseconds of one network step on every runtime, as ratios to PyTorch float32 in one run.

The runtimes take turns on the same inputs, so that whatever else the machine does hits all alike;
warm-up rounds do not count. With ``--cold`` also the seconds from the start of a process to its
first mask. The clicks that each takes are counted by ``edgeflow evaluate --runtime``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, Checkpoint, find
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Size
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.runtime.agreement import Agreement
from edgeflow.runtime.base import Runtime
from edgeflow.runtime.cuda_replay import RUNS_BEFORE
from edgeflow.runtime.devices import pick_device
from edgeflow.runtime.selection import RUNTIMES, start_runtime
from edgeflow.runtime.torch_eager import TorchRuntime

REFERENCE = "torch, as published"
NAMES = tuple(RUNTIMES)
IMAGE = Size(480, 640)
WARM_UP = RUNS_BEFORE + 2  # what is replayed has been recorded by then

COLD = """
import sys
import numpy as np
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import load_predictor
from edgeflow.prompts.click import Click
predictor = load_predictor(sys.argv[1], runtime=sys.argv[2])
image = predictor.encode(np.full((480, 640, 3), 128, np.uint8))
predictor.predict(image, [Click(ImagePoint(320, 240))])
"""


def runtimes(checkpoint: Checkpoint, device: str) -> dict[str, Runtime]:
    """Every runtime that starts here under its own name."""
    started: dict[str, Runtime] = {REFERENCE: TorchRuntime(checkpoint.load(), pick_device(device))}
    for name in NAMES:
        runtime = start_runtime(name, checkpoint, device=device)
        if runtime.name not in [other.name for other in started.values()]:
            started[name] = runtime
    return started


def time_steps(
    started: dict[str, Runtime], size: Size, batch: int, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds of each step, by runtime; the clock stops when the masks are on the host."""
    torch.manual_seed(0)
    image, prompt = torch.rand(2, batch, 3, *size)
    times: dict[str, list[float]] = {name: [] for name in started}
    for number in range(repeats + WARM_UP):
        for name, runtime in started.items():
            inputs = (image.to(runtime.device), prompt.to(runtime.device))
            begun = time.perf_counter()
            runtime.run(*inputs).mask.cpu()
            if number >= WARM_UP:
                times[name].append((time.perf_counter() - begun) * 1000)
    return times


def cold_starts(model: str, repeats: int) -> dict[str, list[float]]:
    """Seconds from the start of a process to its first mask; the first one makes the export."""
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    for number in range(repeats + 1):
        for name in NAMES:
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", COLD, model, name], check=True)
            if number:
                seconds[name].append(time.perf_counter() - begun)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch", type=int, default=1, help="clicks in one step")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    checkpoint, policy = find(arguments.model), ZoomPolicy()
    size = policy.network_size(IMAGE)
    started = runtimes(checkpoint, arguments.device)
    machine = describe_machine("see the table")
    for label, value in machine.items():
        print(f"{label:<22} {value}")
    times = time_steps(started, size, arguments.batch, arguments.repeats)
    base = statistics.median(times[REFERENCE])
    print(f"\n{checkpoint.version}, {IMAGE.width}×{IMAGE.height} image, ", end="")
    print(
        f"{size.width}×{size.height} at the network, {arguments.repeats} rounds, ms a step ", end=""
    )
    print(f"of {arguments.batch} clicks")
    columns = f"{'median':>8}{'10 %':>8}{'90 %':>8}{'× torch':>9}{'clicks/s':>10}"
    print(f"  {'':<22}{columns}  executed by")
    rows: dict[str, Any] = {}
    torch.manual_seed(0)
    case = torch.rand(2, 1, 3, *size)
    expected = started[REFERENCE].run(*(x.to(started[REFERENCE].device) for x in case))
    for name, values in times.items():
        ordered, runtime = sorted(values), started[name]
        median = statistics.median(ordered)
        low, high = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
        agreement = Agreement.between(runtime.run(*(x.to(runtime.device) for x in case)), expected)
        rows[name] = {
            "runtime": runtime.name,
            "median_ms": median,
            "low_ms": low,
            "high_ms": high,
            "ratio": median / base,
            "clicks_per_second": 1000 * arguments.batch / median,
            "mask_iou": agreement.iou,
            "logit_difference": agreement.logit_difference,
        }
        print(f"  {name:<22}{median:>8.1f}{low:>8.1f}{high:>8.1f}{median / base:>9.2f}", end="")
        print(f"{1000 * arguments.batch / median:>10.1f}  {runtime.name}")
    if arguments.cold:
        for name, values in cold_starts(arguments.model, 3).items():
            rows[name]["cold_s"] = statistics.median(values)
            print(f"  first mask after {statistics.median(values):.2f} s  {name}")
    machine["load average at the end"] = round(os.getloadavg()[0], 2)
    print(f"load average at the end {machine['load average at the end']}")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        document = {"machine": machine, "size": [size.height, size.width]}
        document |= {"batch": arguments.batch, "runtimes": rows}
        arguments.json.write_text(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
