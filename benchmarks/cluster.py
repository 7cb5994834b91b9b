"""The cluster: what a hop costs, state hits, a killed replica, and throughput by replicas.

Usage: ``python -m benchmarks.cluster [hop] [kill] [scale]``; all of them by default. A real Ray
with a token runs on this machine.

* hop: the same clicks on one process and through a door with two replicas, by turns.
* kill: twenty annotators, one of two replicas is killed, all answers are compared with what a
  predictor of our own makes of their clicks.
* scale: a network that only sleeps, as a CPU sleeps while a GPU works, behind 1, 2, 4 and 8
  replicas, each always with work.

Prints what it measures and writes ``artifacts/bench-cluster.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import requests
import torch
from torch import Tensor
from typing_extensions import override

from benchmarks.click import body, jpeg, serve_folder
from demo.label_studio import Service, free_port
from demo.ray_head import Head, ray_head
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Size
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.nn.interface import Feedback
from edgeflow.runtime.base import Runtime, StepOutput
from edgeflow_backend.protocol.record import read_record, replay_click
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics

SIZE = Size(480, 640)
SMALL = Size(240, 320)
CLICKS = ((43.0, 60.0), (43.0, 20.0), (40.0, 75.0), (60.0, 90.0), (50.0, 45.0))
SLEEP_S = 0.5
REPLICAS = (1, 2, 4, 8)
PEOPLE_A_REPLICA = 16
STEPS = "edgeflow_network_steps_total"
OUTPUT = Path("artifacts") / "bench-cluster.json"
JSONObject = dict[str, Any]


class SleepingRuntime(Runtime):
    """A network whose step takes its time and no core, as on a GPU."""

    @property
    @override
    def name(self) -> str:
        return f"sleeps {SLEEP_S * 1000:g} ms"

    @property
    @override
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    @override
    def feedback(self) -> Feedback:
        return "edge"

    @override
    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        time.sleep(SLEEP_S)
        mask = torch.zeros_like(prompt[:, :1])
        mask[..., 100:200, 100:200] = 0.9
        return StepOutput(mask, mask)


def load_sleeping(
    settings: Settings, metrics: Metrics, *, on_note: Callable[[str], None] | None = None
) -> LocalSegmenter:
    """What a replica loads instead of a network."""
    predictor = Predictor(SleepingRuntime(), version="sleeping", policy=ZoomPolicy())
    return LocalSegmenter(settings, predictor, metrics, on_note=on_note)


class Backend(NamedTuple):
    """A running ``serve``."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """Processor time that it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def backend(environment: dict[str, str], *options: str) -> Iterator[Backend]:
    """Start one, and end it."""
    port = free_port()
    command = [sys.executable, "-m", "edgeflow_backend.cli", "serve", "--port", str(port), *options]
    url = f"http://127.0.0.1:{port}"
    settings = {
        "EDGEFLOW_LOG_LEVEL": "WARNING",
        "EDGEFLOW_ALLOWED_HOSTS": "127.0.0.1",
        "EDGEFLOW_CPU_THREADS": "1",
    }
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with Service(command, f"{url}/health", log, {**settings, **environment}) as service:
            service.wait(180)
            yield Backend(url, service.process.pid)


@contextlib.contextmanager
def images(count: int, size: Size) -> Iterator[str]:
    """A host of images named by number; yields its address."""
    with tempfile.TemporaryDirectory() as name:
        for number in range(count):
            (Path(name) / f"{number}.jpg").write_bytes(jpeg(size, 5 * number))
        with serve_folder(Path(name)) as host:
            yield host


def ask(session: requests.Session, url: str, asked: JSONObject) -> tuple[float, list[JSONObject]]:
    """Milliseconds and regions of a request; no regions where it was not answered."""
    started = time.perf_counter()
    try:
        answer = session.post(f"{url}/predict", json=asked, timeout=120).json()
        regions: list[JSONObject] = answer["results"][0]["result"]
    except (requests.RequestException, LookupError, ValueError):
        regions = []
    return (time.perf_counter() - started) * 1000, regions


def objects(host: str, size: Size, number: int, task: str) -> list[JSONObject]:
    """The requests of five clicks on one object of an image; each task's are its own."""
    chance = random.Random(task)
    clicks = [(x + chance.uniform(-3, 3), y + chance.uniform(-3, 3)) for x, y in CLICKS]
    bodies = []
    for count in range(1, len(CLICKS) + 1):
        asked = body(size, f"{host}/{number}.jpg", clicks[:count])
        asked["tasks"][0]["id"] = task
        bodies.append(asked)
    return bodies


def metric(url: str, name: str) -> float:
    """Sum of a metric over its labels."""
    lines = requests.get(f"{url}/metrics", timeout=30).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def measure_hop(one: str, front: Backend, host: str, images_count: int) -> JSONObject:
    """Each click on one process and through the door, in an order that changes.

    All objects get their first clicks, then all their second ones: of a request that follows its
    last answer sooner than a person can click, each point is answered by itself.
    """
    door, cpu_s = front.url, front.cpu_s()
    times: dict[str, list[float]] = {one: [], door: []}
    chance, session = random.Random(0), requests.Session()
    before = {url: metric(url, STEPS) for url in times}
    numbers = range(images_count)
    for count, bodies in enumerate(
        zip(*(objects(host, SIZE, number, f"hop {number}") for number in numbers), strict=True)
    ):
        for number, asked in enumerate(bodies):
            for url in chance.sample([one, door], 2):
                spent, regions = ask(session, url, asked)
                if not regions:
                    raise RuntimeError(f"{url} gave no region")
                if count and number > 2:
                    times[url].append(spent)
    steps = {url: metric(url, STEPS) - before[url] for url in times}
    clicks, later = images_count * len(CLICKS), images_count * (len(CLICKS) - 1)
    p50 = {url: statistics.median(values) for url, values in times.items()}
    p10 = {url: statistics.quantiles(values, n=10)[0] for url, values in times.items()}
    gaps = [there - here for here, there in zip(times[one], times[door], strict=True)]
    return {
        "later_clicks": len(gaps),
        "one_process_p50_ms": p50[one],
        "door_p50_ms": p50[door],
        "one_process_p10_ms": p10[one],
        "door_p10_ms": p10[door],
        "difference_of_p50_ms": p50[door] - p50[one],
        "median_of_differences_ms": statistics.median(gaps),
        "state_hits": 1 - (steps[door] - steps[one]) / later,
        "door_cpu_ms_a_click": (front.cpu_s() - cpu_s) / clicks * 1000,
    }


def differs(predictor: Predictor, asked: JSONObject, region: JSONObject) -> bool:
    """Whether a region's mask is not that of its clicks, replayed by a predictor of our own."""
    record = read_record(region)
    if record is None:
        return True
    number = int(Path(asked["tasks"][0]["data"]["image"]).stem)
    image = predictor.encode(decode_image(jpeg(SIZE, 5 * number)))
    clicks = [replay_click(each, SIZE) for each in record.clicks]
    return predictor.predict(image, clicks).patch.digest != record.digest


def measure_kill(door: str, host: str, head: Head, seconds: float) -> JSONObject:
    """Twenty annotators with two seconds between clicks; a replica dies after a third."""
    start = time.perf_counter() + 1
    killed_at = start + seconds / 3

    def annotate(number: int) -> list[tuple[float, float, JSONObject, list[JSONObject]]]:
        chance, session = random.Random(number), requests.Session()
        served: list[tuple[float, float, JSONObject, list[JSONObject]]] = []
        for turn in range(1000):
            for asked in objects(host, SIZE, (number * 7 + turn) % 40, f"kill {number} {turn}"):
                intended = time.perf_counter() + chance.expovariate(0.5)
                if intended > start + seconds:
                    return served
                time.sleep(max(intended - time.perf_counter(), 0))
                spent, regions = ask(session, door, asked)
                served.append((intended, spent, asked, regions))
        return served

    with ThreadPoolExecutor(20) as pool:
        futures = [pool.submit(annotate, number) for number in range(20)]
        time.sleep(max(killed_at - time.perf_counter(), 0))
        os.kill(head.replicas()[0], signal.SIGKILL)
        served = [each for future in futures for each in future.result()]
    torch.set_num_threads(1)
    predictor = load_predictor(runtime="auto")
    wrong = sum(
        differs(predictor, asked, each) for *_, asked, regions in served for each in regions
    )

    def p95(chosen: Callable[[float], bool]) -> float:
        values = [spent for intended, spent, *_ in served if chosen(intended)]
        return statistics.quantiles(values, n=20, method="inclusive")[-1]

    return {
        "clicks": len(served),
        "lost": sum(not regions for *_, regions in served),
        "wrong": wrong,
        "retries": metric(door, "edgeflow_cluster_retries_total"),
        "p95_before_ms": p95(lambda intended: intended < killed_at),
        "p95_following_ten_seconds_ms": p95(lambda at: killed_at <= at < killed_at + 10),
        "p95_after_that_ms": p95(lambda intended: intended >= killed_at + 10),
    }


def measure_scale(host: str, seconds: float, counts: tuple[int, ...]) -> list[JSONObject]:
    """Clicks a second by replicas, through the door's HTTP."""
    from benchmarks.cluster_door import running_door  # noqa: PLC0415 - imports Ray

    rows: list[JSONObject] = []
    for count in counts:
        with running_door(count, count * PEOPLE_A_REPLICA) as url:
            ends = time.perf_counter() + 5 + seconds
            times: list[float] = []

            def annotate(
                number: int, url: str = url, ends: float = ends, times: list[float] = times
            ) -> None:
                session = requests.Session()
                for turn in range(10_000):
                    shown = (number * 31 + turn * 7) % 400
                    for asked in objects(host, SMALL, shown, f"scale {number} {turn}"):
                        if time.perf_counter() > ends:
                            return
                        _, regions = ask(session, url, asked)
                        if not regions:
                            raise RuntimeError("no region")
                        times.append(time.perf_counter())

            before = time.process_time()
            with ThreadPoolExecutor(count * PEOPLE_A_REPLICA) as pool:
                for each in [
                    pool.submit(annotate, number) for number in range(count * PEOPLE_A_REPLICA)
                ]:
                    each.result()
            cpu = time.process_time() - before
            steady = [at for at in times if ends - seconds <= at <= ends]
            rate = len(steady) / seconds
            row = {
                "replicas": count,
                "clicks_a_second": rate,
                "of_linear": rate * SLEEP_S / count,
                "door_and_clients_cpu_ms_a_click": cpu / len(times) * 1000,
            }
            print(row)
            rows.append(row)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["hop", "kill", "scale"])
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--replicas", type=int, nargs="+", default=REPLICAS)
    parser.add_argument("--first-port", type=int, default=25000)
    arguments = parser.parse_args()
    report: JSONObject = {"machine": describe_machine(""), "load_average": os.getloadavg()}
    if {"hop", "kill"} & set(arguments.parts):
        with (
            ray_head(arguments.first_port, dashboard=False) as head,
            images(max(arguments.images, 40), SIZE) as host,
            backend({"OMP_NUM_THREADS": "1"}) as alone,
            backend(head.environment, "--cluster", head.address) as front,
        ):
            one, door = alone.url, front.url
            report["runtime"] = requests.get(f"{door}/health", timeout=10).json()["runtime"]
            if "hop" in arguments.parts:
                report["hop"] = measure_hop(one, front, host, arguments.images)
                print(json.dumps(report["hop"], indent=2))
            if "kill" in arguments.parts:
                report["kill"] = measure_kill(door, host, head, arguments.seconds)
                print(json.dumps(report["kill"], indent=2))
    if "scale" in arguments.parts:
        with (
            ray_head(arguments.first_port, dashboard=False, cpus=16) as head,
            images(400, SMALL) as host,
        ):
            os.environ.update(head.environment)
            os.environ["RAY_ADDRESS"] = head.address
            rows = measure_scale(host, arguments.seconds, tuple(arguments.replicas))
            report["scale"] = {"sleep_s": SLEEP_S, "rows": rows}
    print(json.dumps(report, indent=2, default=str))
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(report, indent=2, default=str))


if __name__ == "__main__":
    main()
