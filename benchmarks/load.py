"""Annotators who do not wait for each other: latency through HTTP under open load.

Usage: ``python -m benchmarks.load [--annotators 1 5 20 50] [--think 2] [--seconds 40]
[--repeats 5]``. A real backend serves; images come from loopback. Each annotator means to click
at times that were drawn before (exponential gaps with the mean ``--think``), and latency counts
from the *intended* time, so a slow answer makes the next click late and is not hidden. Objects get
five clicks of their own, then the next image. Every repeat begins with a warm-up that is not
counted. Some answers are compared with what a predictor of our own makes of the same clicks. Prints
a table, writes ``artifacts/bench-load.json`` and ``.png``.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks.click import body, jpeg, serve_folder
from demo.label_studio import free_port, start_backend
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import ImagePoint, Size
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.prompts.click import Click

SIZE = Size(480, 640)
CLICKS = ((43.0, 60.0), (43.0, 20.0), (40.0, 75.0), (60.0, 90.0), (50.0, 45.0))
"""On one object, percent, each with a little chance added."""

IMAGES = 40
CHECKED = 25
"""Answers of each number of annotators that are compared."""

WARM_UP_S = 5.0
OUTPUT = Path("artifacts") / "bench-load.json"


@dataclass(frozen=True)
class Served:
    """One click that was answered, or not.

    Attributes:
        intended: seconds after the start at which it was meant to be sent.
        latency: from then to the answer, seconds.
        shown: number of the image.
        clicks: on it, percent.
        digest: of the mask's code; empty where there was none.
    """

    intended: float
    latency: float
    shown: int
    clicks: tuple[tuple[float, float], ...]
    digest: str


@dataclass(frozen=True)
class Backend:
    """A running backend and where its images are."""

    url: str
    images: str


@contextlib.contextmanager
def running_backend(*, session: bool = True) -> Iterator[Backend]:
    """A real backend, with images to click on; ``session`` as of :class:`.Service`."""
    command = Path(sys.executable).with_name("edgeflow-backend")
    environment = {"EDGEFLOW_LOG_LEVEL": "WARNING", "EDGEFLOW_ALLOWED_HOSTS": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(IMAGES):
            (folder / f"{number}.jpg").write_bytes(jpeg(SIZE, number))
        port = free_port()
        with (
            serve_folder(folder) as host,
            start_backend(command, port, folder / "log", environment, session=session) as backend,
        ):
            backend.wait(60)
            yield Backend(f"http://127.0.0.1:{port}", host)


def annotate(
    backend: Backend, number: int, think_s: float, seconds: float, start: float, seed: int
) -> list[Served]:
    """One annotator's clicks, from before the start (warm-up) until the end."""
    chance = random.Random(f"{seed}|{number}")
    served: list[Served] = []
    intended = -WARM_UP_S + chance.uniform(0, think_s)
    with requests.Session() as session:
        for turn in itertools.count():
            shown = (number * 7 + turn) % IMAGES
            clicks: tuple[tuple[float, float], ...] = ()
            for x, y in CLICKS:
                if intended >= seconds:
                    return served
                time.sleep(max(0.0, start + intended - time.perf_counter()))
                clicks = (*clicks, (x + chance.uniform(-3, 3), y + chance.uniform(-3, 3)))
                asked = body(SIZE, f"{backend.images}/{shown}.jpg", list(clicks))
                asked["tasks"][0]["id"] = 1000 * number + turn
                digest = _digest(session, backend, asked)
                latency = time.perf_counter() - start - intended
                served.append(Served(intended, latency, shown, clicks, digest))
                intended += chance.expovariate(1 / think_s)
    return served


def _digest(session: requests.Session, backend: Backend, asked: dict[str, Any]) -> str:
    try:
        answer = session.post(f"{backend.url}/predict", json=asked, timeout=120).json()
        rle = answer["results"][0]["result"][0]["value"]["rle"]
    except (requests.RequestException, LookupError, ValueError):
        return ""
    return hashlib.sha256(bytes(rle)).hexdigest()


def measure(
    backend: Backend, annotators: int, think_s: float, seconds: float, seed: int
) -> list[Served]:
    """All annotators at once; what was meant for the warm-up is left out."""
    start = time.perf_counter() + WARM_UP_S
    with ThreadPoolExecutor(annotators) as pool:
        futures = [
            pool.submit(annotate, backend, number, think_s, seconds, start, seed)
            for number in range(annotators)
        ]
        served = [each for future in futures for each in future.result()]
    return [each for each in served if each.intended >= 0]


def differing(predictor: Predictor, served: Sequence[Served]) -> int:
    """How many answers are not, byte for byte, what the predictor makes of the same clicks."""
    wrong = 0
    for each in served:
        image = predictor.encode(decode_image(jpeg(SIZE, each.shown)))
        clicks = [
            Click(ImagePoint(x / 100 * SIZE.width - 0.5, y / 100 * SIZE.height - 0.5))
            for x, y in each.clicks
        ]
        mask = predictor.predict(image, clicks).mask
        wrong += hashlib.sha256(encode_brush(mask)).hexdigest() != each.digest
    return wrong


def describe(
    predictor: Predictor, runs: Sequence[Sequence[Served]], annotators: int
) -> dict[str, Any]:
    """Medians over repeats of each repeat's percentiles, with their range; and what went wrong."""
    p50 = [statistics.median(each.latency for each in run) * 1000 for run in runs]
    p95 = [percentile_95([each.latency for each in run]) * 1000 for run in runs]
    load = os.getloadavg()[0]
    answered = [each for each in itertools.chain(*runs) if each.digest]
    checked = random.Random(0).sample(answered, min(CHECKED, len(answered)))
    return {
        "annotators": annotators,
        "clicks": sum(map(len, runs)),
        "p50_ms": statistics.median(p50),
        "p50_range_ms": [min(p50), max(p50)],
        "p95_ms": statistics.median(p95),
        "p95_range_ms": [min(p95), max(p95)],
        "unanswered": sum(not each.digest for each in itertools.chain(*runs)),
        "checked": len(checked),
        "differing": differing(predictor, checked),
        "load_average": load,
    }


def percentile_95(values: Sequence[float]) -> float:
    """The value that one of twenty exceeds."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def draw(rows: Sequence[dict[str, Any]], path: Path, note: str) -> None:
    """Latency against the number of annotators."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - optional
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    counts = [row["annotators"] for row in rows]
    for name in ("p50", "p95"):
        low, high = zip(*(row[f"{name}_range_ms"] for row in rows), strict=True)
        axes.plot(counts, [row[f"{name}_ms"] for row in rows], marker="o", label=name)
        axes.fill_between(counts, low, high, alpha=0.2)
    axes.set(xlabel="annotators", ylabel="milliseconds, from the intended time", title=note)
    axes.title.set_fontsize("small")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    FigureCanvasAgg(figure).print_png(str(path))  # type: ignore[no-untyped-call]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotators", type=int, nargs="+", default=[1, 5, 20, 50])
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between clicks")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with running_backend() as backend:
        health = requests.get(f"{backend.url}/health", timeout=10).json()
        runtime = str(health.get("runtime") or health.get("device"))
        machine = describe_machine(runtime)
        print(machine)
        predictor = load_predictor(runtime="auto")
        rows = []
        for annotators in options.annotators:
            runs = [
                measure(backend, annotators, options.think, options.seconds, seed)
                for seed in range(options.repeats)
            ]
            row = describe(predictor, runs, annotators)
            rows.append(row)
            print(
                f"{annotators:>3} annotators  {row['clicks']:>5} clicks  "
                f"p50 {row['p50_ms']:6.0f} ms  p95 {row['p95_ms']:6.0f} ms  "
                f"({row['p95_range_ms'][0]:.0f} to {row['p95_range_ms'][1]:.0f})  "
                f"unanswered {row['unanswered']}  "
                f"other masks {row['differing']} of {row['checked']}  "
                f"load {row['load_average']:.1f}",
                flush=True,
            )
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": machine, "load": rows}, indent=2))
    note = f"{SIZE.width}×{SIZE.height}, one click every {options.think:g} s each; {runtime}"
    draw(rows, OUTPUT.with_suffix(".png"), note)
    print(OUTPUT)


if __name__ == "__main__":
    main()
