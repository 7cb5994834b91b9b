"""Clicks while a project trains beside them, against clicks while it does not.

Usage: ``python -m benchmarks.learning_load [--annotators 20] [--think 2] [--seconds 30]
[--rounds 4]``. One backend serves all the time. Annotators as in ``benchmarks.load`` click for so
many seconds without and with a training, in turn, so that whatever else the machine does meets both
alike. The training is the real one, as a backend starts it: a process of the lowest priority with
one thread, on drawings that are put on record before. It shares the backend's session, as there,
since Linux weighs priorities within one. Rounds begin once it learns; for those without it, it is
halted. Prints a table, and the ratio of the 95th percentiles of all rounds together; writes
``artifacts/bench-learning-load.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.load import Backend, Served, measure, percentile_95, running_backend
from edgeflow.evaluate.machine import describe_machine
from edgeflow.learning.accepted import AcceptedObject, MaskCode, Origin
from edgeflow.masks.patch import MaskPatch
from edgeflow.train.drawings import draw
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.learning.training.trainer import COMMAND
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings

PROJECT = ProjectRef("", "1")
TASKS = 60
OBJECTS_A_TASK = 2
LEAST_PIXELS = 200
LEARNS = " objects in "
"""In the log of a training that begins to learn."""

OUTPUT = Path("artifacts") / "bench-learning-load.json"


def settings_of(folder: Path) -> Settings:
    """A backend's, with one project that learns."""
    return Settings(learn_projects=PROJECT.id, learn_dir=str(folder), learn_minutes=60)


def put_on_record(settings: Settings, tasks: int = TASKS) -> None:
    """Put a drawing with its largest shapes on record for each task, as if somebody drew them."""
    files = Shelf(settings, Pictures(settings)).files(PROJECT)
    for task in range(1, tasks + 1):
        rgb, labels = draw(np.random.default_rng(task))
        data = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
        digest = hashlib.sha256(data).hexdigest()
        files.cache.put(digest, data)
        counts = np.bincount(labels.ravel(), minlength=256)
        largest = sorted(range(1, 256), key=lambda label: -int(counts[label]))[:OBJECTS_A_TASK]
        masks = [labels == label for label in largest if counts[label] >= LEAST_PIXELS]
        origin = Origin(task, task, f"2026-01-01T00:00:{task % 60:02}Z", "", 1, False, True)
        objects = [
            AcceptedObject(
                origin=origin,
                id=f"{task}-{number}",
                picture=digest,
                control="mask",
                labels=("Shape",),
                start="hand",
                clicks=(),
                model="",
                edited=False,
                mask=MaskCode.of(MaskPatch.of(mask)),
            )
            for number, mask in enumerate(masks)
        ]
        files.store.put(task, "stamp", objects)


@contextlib.contextmanager
def training(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A training as a backend starts it, halted once it has begun to learn."""
    environment = {
        **os.environ,
        "EDGEFLOW_LEARN_PROJECTS": PROJECT.id,
        "EDGEFLOW_LEARN_DIR": str(folder),
        "EDGEFLOW_LEARN_MINUTES": "60",
        "EDGEFLOW_LOG_LEVEL": "DEBUG",
    }
    log = folder / "training.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*COMMAND, *PROJECT], env=environment, stderr=output)
    try:
        while LEARNS not in log.read_text(encoding="utf-8"):
            if process.poll() is not None:
                raise SystemExit(f"the training ended:\n{log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.5)
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def going_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let a halted training compute meanwhile."""
    process.send_signal(signal.SIGCONT)
    try:
        yield
        if process.poll() is not None:
            raise SystemExit("the training ended meanwhile: ask for fewer rounds")
    finally:
        process.send_signal(signal.SIGSTOP)


def row(name: str, round_: int, served: list[Served]) -> dict[str, Any]:
    """What one round came to."""
    latencies = [each.latency for each in served]
    return {
        "with": name,
        "round": round_,
        "clicks": len(served),
        "unanswered": sum(not each.digest for each in served),
        "p50_ms": 1000 * statistics.median(latencies),
        "p95_ms": 1000 * percentile_95(latencies),
        "load_average": os.getloadavg()[0],
    }


def run(
    backend: Backend, options: argparse.Namespace, process: subprocess.Popen[bytes]
) -> dict[str, Any]:
    """All rounds."""
    rows: list[dict[str, Any]] = []
    together: dict[str, list[Served]] = {"nothing": [], "training": []}
    measure(backend, options.annotators, options.think, options.seconds / 2, -1)  # its images
    for number in range(options.rounds):
        # Which comes first alternates, since the load of a shared machine drifts.
        for name in sorted(together, reverse=bool(number % 2)):
            beside = going_on(process) if name == "training" else contextlib.nullcontext()
            with beside:
                # Other clicks each time: what was clicked before is answered from what is kept.
                seed = len(rows)
                served = measure(backend, options.annotators, options.think, options.seconds, seed)
            together[name] += served
            rows.append(row(name, number, served))
            print(
                "  ".join(f"{key} {_short(value)}" for key, value in rows[-1].items()), flush=True
            )
    total = {name: row(name, -1, served) for name, served in together.items()}
    ratios = {key: total["training"][key] / total["nothing"][key] for key in ("p50_ms", "p95_ms")}
    print(f"p50 × {ratios['p50_ms']:.2f}, p95 × {ratios['p95_ms']:.2f}")
    return {"rounds": rows, "together": list(total.values()), "ratios": ratios}


def _short(value: float | str) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotators", type=int, default=20)
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between clicks")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    machine = describe_machine("auto")
    print(machine)
    with tempfile.TemporaryDirectory() as name, running_backend(session=False) as backend:
        folder = Path(name)
        put_on_record(settings_of(folder))
        with training(folder) as process:
            found = run(backend, options, process)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": machine, "options": vars(options), **found}, indent=2))
    print(OUTPUT)


if __name__ == "__main__":
    main()
