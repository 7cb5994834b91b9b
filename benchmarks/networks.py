"""Milliseconds of a click's computation, side by side: every network and runtime, and OpenCV.

Everything takes turns in one process, so ratios hold whatever else the machine does. The published
networks get random weights here, which cost as much as trained ones; they go through the converter
like downloaded ones. OpenCV's ``grabCut`` gets the same image at the network's size, a box, and
five iterations. Writes ``artifacts/bench-networks.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.click import PHOTO
from benchmarks.runtimes import runtimes
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, Checkpoint, find
from edgeflow.checkpoints.convert.convert import convert
from edgeflow.evaluate.machine import describe_machine
from edgeflow.nn.edgeflow import EdgeFlow
from edgeflow.nn.ritm import RITM
from edgeflow.runtime.base import Runtime, StepOutput

SIDE = 448
WARM_UP = 2
GRABCUT = "OpenCV grabCut"
OUTPUT = Path("artifacts") / "bench-networks.json"


def converted(network: nn.Module, name: str, folder: Path) -> Checkpoint:
    """Write a network's weights as RITM does and convert them."""
    source = folder / f"{name}.pth"
    torch.save({"state_dict": network.state_dict()}, source)
    return convert(source, folder / f"{name}.safetensors")


def grab_cut() -> None:
    """Five iterations from a box around the astronaut."""
    with Image.open(PHOTO) as photo:
        image = np.asarray(photo.convert("RGB").resize((SIDE, SIDE)))
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    models = np.zeros((2, 1, 65), dtype=np.float64)
    box = [SIDE // 8, 0, SIDE * 5 // 8, SIDE - 1]
    cv2.grabCut(image, mask, box, models[0], models[1], 5, cv2.GC_INIT_WITH_RECT)


def run_once(runtime: Runtime, side: int) -> Callable[[], object]:
    """One step of a network."""
    image, prompt = torch.rand(2, 1, 3, side, side, device=runtime.device)
    return partial(runtime.run, image, prompt)


def measure(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of each, interleaved."""
    times: dict[str, list[float]] = {label: [] for label in calls}
    for number in range(repeats + WARM_UP):
        for label, call in calls.items():
            started = time.perf_counter()
            result = call()
            if isinstance(result, StepOutput):
                result.mask.cpu()  # waits for the device
            if number >= WARM_UP:
                times[label].append((time.perf_counter() - started) * 1000)
    return {label: statistics.median(values) for label, values in times.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    calls: dict[str, Callable[[], object]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoints = {
            "EdgeFlow-Lite": find(DEFAULT_MODEL),
            "EdgeFlow HRNet18 OCR64": converted(EdgeFlow(), "edgeflow", folder),
            "RITM HRNet18 OCR64": converted(RITM(), "ritm18", folder),
            "RITM HRNet18s OCR48": converted(RITM(18, 48, small=True), "ritm18s", folder),
        }
        for label, checkpoint in checkpoints.items():
            for how, runtime in runtimes(checkpoint, arguments.device).items():
                calls[f"{label}, {how}"] = run_once(runtime, SIDE)
    calls[GRABCUT] = grab_cut
    machine = describe_machine("see the rows; torch, openvino and onnx in float32")
    for label, value in machine.items():
        print(f"{label:<22} {value}")
    medians = measure(calls, arguments.repeats)
    base = min(median for label, median in medians.items() if label.startswith("EdgeFlow-Lite"))
    print(f"\n{SIDE}×{SIDE}, one step{'':<32}{'p50 ms':>8} {'× Lite at its fastest':>22}")
    for label, median in medians.items():
        print(f"  {label:<48} {median:>8.1f} {median / base:>22.2f}")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": machine, "p50": medians}, indent=2))
    print(f"\n{OUTPUT}")


if __name__ == "__main__":
    main()
