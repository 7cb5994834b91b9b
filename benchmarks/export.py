"""Masks a second from a Label Studio export to COCO run-length codes, and memory meanwhile.

Usage: ``python -m benchmarks.export [--tasks 10000] [--json FILE]``. Each task has an image of one
megapixel with five brush masks: blobs of a few ellipses, with holes, of a few thousand code bytes.
The images themselves are not at hand, and not needed. Time is that of the whole way: reading the
file for its labels and again for its masks, decoding, encoding, the journal, and the COCO file.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.left_out import LeftOut
from edgeflow.evaluate.machine import describe_machine
from edgeflow.export.classes import Classes
from edgeflow.export.format import Plan
from edgeflow.export.formats.table import FORMATS
from edgeflow.export.reading.sources import open_annotations
from edgeflow.export.run import Export
from edgeflow.export.splits import Splits
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import encode_brush

SIZE = Size(1000, 1000)
MASKS_PER_TASK = 5
POOL = 100
"""Different masks; tasks take turns with them."""

REPORTS = 20
PAGE = resource.getpagesize()
CONFIG = (
    '<View><Image name="image" value="$image"/><BrushLabels name="brush" toName="image">'
    '<Label value="a"/><Label value="b"/></BrushLabels></View>'
)


class Run(NamedTuple):
    """What was measured.

    Attributes:
        masks: How many were exported.
        seconds: For all of them, by the clock.
        processor_seconds: Of them, those that a core worked; the rest it was busy with other work.
        resident: Resident memory at each report, megabytes.
    """

    masks: int
    seconds: float
    processor_seconds: float
    resident: list[float]


def masks() -> list[BoolMask]:
    """Blobs with holes, between a hundredth and a third of the image."""
    chance = np.random.default_rng(0)
    drawn = []
    for _ in range(POOL):
        mask = np.zeros(SIZE, dtype=np.uint8)
        middle, spread = chance.integers(200, 800, 2), int(chance.integers(20, 150))
        for value in (1, 1, 1, 0):
            centre = np.clip(middle + chance.normal(0, spread, 2), 0, 999).astype(int).tolist()
            axes = (np.array([0.5, 1.2]) * spread * (1 if value else 0.3)).astype(int) + 1
            angle = float(chance.uniform(0, 180))
            cv2.ellipse(mask, centre, axes.tolist(), angle, 0, 360, [value], -1)
        drawn.append(mask.astype(np.bool_))
    return drawn


def write_tasks(path: Path, count: int) -> None:
    """An export of a project in the format JSON."""
    codes = [json.dumps(list(encode_brush(mask))) for mask in masks()]
    with path.open("w", encoding="ascii") as file:
        for task in range(count):
            results = ",".join(
                _result(task, number, codes[(task * MASKS_PER_TASK + number) % POOL])
                for number in range(MASKS_PER_TASK)
            )
            annotation = f'[{{"id": {task}, "result": [{results}]}}]'
            image = f'{{"image": "/data/upload/1/{task:08x}-x.jpg"}}'
            file.write("," if task else "[")
            file.write(f'{{"id": {task}, "data": {image}, "annotations": {annotation}}}')
        file.write("]")


def _result(task: int, number: int, code: str) -> str:
    label = "ab"[number % 2]
    return (
        f'{{"id": "{task}-{number}", "type": "brushlabels", "from_name": "brush",'
        f'"to_name": "image", "original_width": {SIZE.width}, "original_height": {SIZE.height},'
        f'"value": {{"format": "rle", "brushlabels": ["{label}"], "rle": {code}}}}}'
    )


def resident_mb() -> float:
    """Resident memory of this process, without files that are mapped, megabytes."""
    _, resident, shared, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return (int(resident) - int(shared)) * PAGE / 1e6


def export(tasks: Path, config: Path, output: Path, count: int) -> Run:
    """Export, and watch."""
    began, began_working = time.perf_counter(), time.process_time()
    annotations = open_annotations(tasks, label_config=config)
    plan = Plan("benchmark", Classes(annotations.labels, unlabelled=True))
    run = Export({output: FORMATS["coco"]}, plan, Splits(), "auto")
    resident, objects = [], 0
    for done, image in enumerate(annotations.images, start=1):
        if isinstance(image, LeftOut):
            raise TypeError(f"{image.fault}: {image.reason}")
        objects += len(image.objects)
        if left_out := list(run.add(image)):
            raise TypeError(left_out[0].reason)
        if done % max(1, count // REPORTS) == 0:
            resident.append(resident_mb())
            seconds = time.perf_counter() - began
            print(f"{done:>7} tasks  {resident[-1]:6.0f} MB  {seconds:6.1f} s", flush=True)
    list(run.finish())
    resident.append(resident_mb())
    seconds, working = time.perf_counter() - began, time.process_time() - began_working
    return Run(objects, seconds, working, resident)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tasks, config = folder / "tasks.json", folder / "config.xml"
        config.write_text(CONFIG, encoding="utf-8")
        write_tasks(tasks, options.tasks)
        megabytes = tasks.stat().st_size / 1e6
        run = export(tasks, config, folder / "out", options.tasks)
    late = run.resident[len(run.resident) // 2 :]
    middle = statistics.mean(late)
    spread = max(abs(each - middle) for each in late) / middle
    speed, alone = run.masks / run.seconds, run.masks / run.processor_seconds
    print(
        f"{run.masks} masks of a file of {megabytes:.0f} MB in {run.seconds:.1f} s: "
        f"{speed:.0f} masks/s, {alone:.0f} a second of processor time; "
        f"second half {middle:.0f} MB, at most {spread:.1%} away from it"
    )
    machine = describe_machine("none")
    print(machine)
    if options.json:
        figures = {
            "tasks": options.tasks,
            "masks_per_s": speed,
            "masks_per_processor_s": alone,
            "resident_mb": run.resident,
        }
        options.json.write_text(json.dumps({"machine": machine, "export": figures}, indent=2))


if __name__ == "__main__":
    main()
