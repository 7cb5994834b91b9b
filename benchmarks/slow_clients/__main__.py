"""What slow and silent clients cost an annotator: clicks and ``/health`` beside 500 of each kind.

Usage: ``python -m benchmarks.slow_clients [--clients 500] [--clicks 60] [--kinds slow-body …]``. A
real backend serves. For each kind, clicks are timed without its clients, with them at a bare server
(what they cost the machine), and with them at the backend, in turns, so that all see the same
machine; then with all kinds at once. The backend's memory is read beside them.
The last row is ``/health`` while so many first clicks arrive at once, each with another image.
Prints a table and writes ``artifacts/bench-slow-clients.json``.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from benchmarks.click import body, jpeg
from benchmarks.slow_clients.clients import KINDS, SlowClients, allow_many_files
from benchmarks.slow_clients.processes import bare_server, memory_mb, running_backend
from demo.label_studio import Service
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Size

SIZE = Size(480, 640)
ROUNDS = 4
OUTPUT = Path("artifacts") / "bench-slow-clients.json"


def inline(seed: int) -> str:
    """An image as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(SIZE, seed)).decode()


def time_calls(call: Callable[[int], None], count: int) -> list[float]:
    """Milliseconds of each of ``count`` calls."""
    times = []
    for number in range(count):
        started = time.perf_counter()
        call(number)
        times.append((time.perf_counter() - started) * 1000)
    return times


def p95(values: Sequence[float]) -> float:
    """95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


class Annotator:
    """Clicks on one image over one connection, and asks for ``/health`` over fresh ones."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._image = inline(0)
        self._chance = itertools.count()

    def click(self, _: int) -> None:
        """A later click that was not made before."""
        x = 20 + next(self._chance) * 0.37 % 60
        asked = body(SIZE, self._image, [(43.0, 60.0), (x, 40.0)])
        answer = self._session.post(f"{self._url}/predict", json=asked, timeout=120).json()
        if not answer["results"][0]["result"]:
            raise RuntimeError(f"no region: {str(answer)[:300]}")

    def health(self, _: int) -> None:
        """One call of ``/health``."""
        requests.get(f"{self._url}/health", timeout=120).raise_for_status()


def measure(
    annotator: Annotator,
    port: int,
    service: Service,
    kinds: Sequence[str],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Clicks without and with the clients of some kinds, in turns."""
    times: dict[str, list[float]] = {"alone": [], "bare": [], "beside": []}
    count = options.clicks // ROUNDS
    health: list[float] = []
    sent_away = 0
    before = most = memory_mb(service)
    for _ in range(ROUNDS):
        times["alone"] += time_calls(annotator.click, count)
        with bare_server() as bare, SlowClients(bare, kinds, options.clients):
            times["bare"] += time_calls(annotator.click, count)
        with SlowClients(port, kinds, options.clients) as clients:
            times["beside"] += time_calls(annotator.click, count)
            health += time_calls(annotator.health, 10)
            most = max(most, memory_mb(service))
        sent_away += clients.sent_away
        time.sleep(0.5)
    return {
        **{f"{name}_p50_ms": statistics.median(values) for name, values in times.items()},
        **{f"{name}_p95_ms": p95(values) for name, values in times.items()},
        "health_p95_ms": p95(health),
        "health_max_ms": max(health),
        "memory_mb": before,
        "growth_mb": most - before,
        "sent_away": sent_away,
    }


def first_clicks_at_once(port: int, annotator: Annotator, count: int) -> dict[str, Any]:
    """``/health`` while so many annotators each make a first click on another image."""
    bodies = [json.dumps(body(SIZE, inline(seed), [(43.0, 60.0)])) for seed in range(1, count + 1)]
    start = threading.Barrier(count + 1)

    def click(text: str) -> int:
        start.wait()
        answer = requests.post(f"http://127.0.0.1:{port}/predict", data=text, timeout=300)
        return answer.status_code

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(click, text) for text in bodies]
        start.wait()
        health: list[float] = []
        while not all(future.done() for future in futures):
            health += time_calls(annotator.health, 1)
            time.sleep(0.05)
        statuses = [future.result() for future in futures]
    return {
        "health_p50_ms": statistics.median(health),
        "health_p95_ms": p95(health),
        "health_max_ms": max(health),
        "calls": len(health),
        "answers": {str(status): statuses.count(status) for status in sorted(set(statuses))},
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=500, help="of each kind")
    parser.add_argument("--clicks", type=int, default=60, help="without, and again with them")
    parser.add_argument("--kinds", nargs="*", default=[*KINDS, "all"])
    parser.add_argument(
        "--command", nargs=argparse.REMAINDER, default=[], help="another server, with {port}"
    )
    options = parser.parse_args()
    allow_many_files()
    rows: dict[str, Any] = {}
    with running_backend(options.command) as (port, service):
        health = requests.get(f"http://127.0.0.1:{port}/health", timeout=10).json()
        machine = describe_machine(str(health["runtime"]))
        print(machine)
        annotator = Annotator(port)
        time_calls(annotator.click, 20)
        for kind in options.kinds:
            kinds = list(KINDS) if kind == "all" else [kind]
            row = rows[kind] = measure(annotator, port, service, kinds, options)
            print(
                f"{kind:<12} click p95 {row['alone_p95_ms']:6.1f}, beside a bare server's clients"
                f" {row['bare_p95_ms']:6.1f}, beside ours {row['beside_p95_ms']:6.1f} ms"
                f"  ({row['beside_p95_ms'] / row['alone_p95_ms']:.2f} of alone,"
                f" {row['beside_p95_ms'] / row['bare_p95_ms']:.2f} of bare;"
                f" p50 {row['beside_p50_ms'] / row['alone_p50_ms']:.2f},"
                f" {row['beside_p50_ms'] / row['bare_p50_ms']:.2f})"
                f"  health p95 {row['health_p95_ms']:6.1f}, max {row['health_max_ms']:6.1f} ms"
                f"  memory +{row['growth_mb']:.0f} of {row['memory_mb']:.0f} MB"
                f"  sent away {row['sent_away']}  load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
        row = rows["first clicks"] = first_clicks_at_once(port, annotator, options.clients)
        print("first clicks", row)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2))
    print(OUTPUT)


if __name__ == "__main__":
    main()
