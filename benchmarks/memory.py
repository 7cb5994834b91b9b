"""Resident memory over many clicks on many images: it must level off.

Usage: ``python -m benchmarks.memory [--clicks 10000] [--images 200]``. In one process, without
HTTP; images come back in random order, so that every cache fills and evicts. Prints resident
memory as it goes, and its spread over the second half.
"""

from __future__ import annotations

import argparse
import base64
import random
import resource
import statistics
import time
from pathlib import Path

from benchmarks.click import body, jpeg
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Size
from edgeflow_backend import log
from edgeflow_backend.memory.malloc import configure_malloc
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.segmenter.local import load_segmenter
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics

SIZE = Size(480, 640)
REPORTS = 20
PAGE = resource.getpagesize()


def resident_mb() -> float:
    """Resident memory of this process, megabytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE / 1e6


def watch(clicks: int, images: int) -> list[float]:
    """Click; return resident memory at each report, megabytes."""
    settings, metrics = Settings(), Metrics()
    segmenter = load_segmenter(settings, metrics)
    service = SegmentationService(settings, segmenter, metrics)
    backend = EdgeFlowBackend(service=service)
    chance = random.Random(0)
    seen: list[float] = []
    try:
        print(describe_machine(segmenter.runtime))
        began = time.perf_counter()
        for done in range(1, clicks + 1):
            shown = chance.randrange(images)
            data = base64.b64encode(jpeg(SIZE, shown)).decode()
            points = [
                (chance.uniform(5, 95), chance.uniform(5, 95)) for _ in range(chance.randint(1, 3))
            ]
            asked = body(SIZE, f"data:image/jpeg;base64,{data}", points)
            asked["tasks"][0]["id"] = shown
            backend.predict(
                asked["tasks"],
                asked["params"]["context"],
                label_config=asked["label_config"],
                project="1.1",
            )
            if done % max(1, clicks // REPORTS) == 0:
                seen.append(resident_mb())
                minutes = (time.perf_counter() - began) / 60
                print(f"{done:>7} clicks  {seen[-1]:7.0f} MB  {minutes:5.1f} min", flush=True)
    finally:
        service.close()
    return seen


def main() -> None:
    """Click and watch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=10_000)
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    configure_malloc()  # as the server does
    log.configure("ERROR", "console")
    late = (seen := watch(options.clicks, options.images))[len(seen) // 2 :]
    middle = statistics.mean(late)
    spread = max(abs(each - middle) for each in late) / middle
    print(f"second half: {middle:.0f} MB, at most {spread:.1%} away from it")


if __name__ == "__main__":
    main()
