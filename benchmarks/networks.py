"""Milliseconds of one network step: every architecture at full size, as ratios in one run.

The published networks get random weights here, which cost as much as trained ones; they go through
the converter like downloaded ones. Writes ``artifacts/bench-networks.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from edgeflow.checkpoints import find
from edgeflow.convert.convert import convert
from edgeflow.machine import describe_machine
from edgeflow.nn.edgeflow import EdgeFlow
from edgeflow.nn.ritm import RITM
from edgeflow.runtime.torch_eager import TorchRuntime, pick_device

SIDE = 448
OUTPUT = Path("artifacts") / "bench-networks.json"


def converted(network: nn.Module, name: str, folder: Path) -> nn.Module:
    """Write a network's weights as RITM does, convert and load them again."""
    source = folder / f"{name}.pth"
    torch.save({"state_dict": network.state_dict()}, source)
    return convert(source, folder / f"{name}.safetensors").load()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    device = pick_device(arguments.device)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        networks = {
            "EdgeFlow-Lite": find("edgeflow_lite").load(),
            "EdgeFlow HRNet18 OCR64": converted(EdgeFlow(), "edgeflow", folder),
            "RITM HRNet18 OCR64": converted(RITM(), "ritm18", folder),
            "RITM HRNet18s OCR48": converted(RITM(18, 48, small=True), "ritm18s", folder),
        }
    runtimes = {
        label: TorchRuntime(network, device, feedback="mask" if "RITM" in label else "edge")
        for label, network in networks.items()
    }
    machine = describe_machine(next(iter(runtimes.values())).name)
    for label, value in machine.items():
        print(f"{label:<22} {value}")
    image, prompt = torch.rand(2, 1, 3, SIDE, SIDE, device=device)
    times: dict[str, list[float]] = {label: [] for label in runtimes}
    for number in range(arguments.repeats + 2):
        for label, runtime in runtimes.items():  # interleaved, so that drift hits all alike
            started = time.perf_counter()
            runtime.run(image, prompt).mask.cpu()
            if number > 1:
                times[label].append((time.perf_counter() - started) * 1000)
    medians = {label: statistics.median(values) for label, values in times.items()}
    base = medians["EdgeFlow-Lite"]
    print(f"\n{SIDE}×{SIDE}, one step      {'p50 ms':>8} {'× Lite':>8} {'parameters':>12}")
    for label, median in medians.items():
        count = sum(p.numel() for p in networks[label].parameters())
        print(f"  {label:<24} {median:>8.1f} {median / base:>8.2f} {count:>12,}")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": machine, "p50": medians}, indent=2))
    print(f"\n{OUTPUT}")


if __name__ == "__main__":
    main()
