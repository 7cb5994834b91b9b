"""Redis as a second tier: bytes and milliseconds of a state, and a click with it and without.

Needs a redis-server on this machine; starts its own on loopback. Prints a table and writes
``artifacts/bench-redis.json``.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.click import PHOTO, Times, timed
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.prompts.click import Click
from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.protocol.prompts import ClickPrompt
from edgeflow_backend.requests import Request
from edgeflow_backend.service import SegmentationService, build_service
from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.connection import Server
from edgeflow_backend.shared.sealing import Seal
from edgeflow_backend.shared.states import pack_state, unpack_state
from edgeflow_backend.shared.tier import Tier
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.metrics import Metrics
from tests.redis_server import redis_server

OUTPUT = Path("artifacts") / "bench-redis.json"
KEY = "a-secret-of-the-benchmark"


def measure_state(predictor: Predictor, url: str, repeats: int) -> tuple[int, Times]:
    """A state's bytes, and the milliseconds of each of its stations."""
    rgb = Image.open(PHOTO).convert("RGB").resize((640, 480))
    image = predictor.encode(np.array(rgb))
    state = predictor.predict(image, [Click(ImagePoint(275, 250))]).state
    times: Times = {}
    tier = Tier("benchmark", Server(url, "", 5, 5), Seal(KEY), Metrics(), queue_bytes=10**8)
    name, body = tier.name("state", "benchmark"), pack_state(state)
    for number in range(repeats + 1):
        if number == 1:
            times.clear()  # the first round connects
        with timed(times, "pack"):
            body = pack_state(state)
        with timed(times, "seal and write"):
            tier.put(name, body, 60)
        with timed(times, "look up and read"):
            found = tier.first(["edgeflow:1:state:none", name])
        assert found is not None
        with timed(times, "unpack"):
            unpack_state(found[1], image.size)
        with timed(times, "look up, none there"):
            tier.first(["edgeflow:1:state:none"])
    tier.close()
    return len(body), times


def request(seed: int, count: int) -> Request:
    """The first clicks on an object in a task and an image of their own."""
    rgb = Image.open(PHOTO).convert("RGB").resize((640, 480))
    rgb.paste((seed % 256, seed // 256, 0), (0, 0, 16, 16))
    buffer = io.BytesIO()
    rgb.save(buffer, "JPEG", quality=90)
    url = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    points = [
        {
            "id": f"{seed} {n}", "type": "keypointlabels", "from_name": "click", "to_name": "image",
            "original_width": 640, "original_height": 480, "is_positive": True,
            "value": {"x": x, "y": y, "width": 0.3, "keypointlabels": ["Object"]},
        }
        for n, (x, y) in enumerate([(43.0, 52.0), (43.0, 20.0), (40.0, 70.0)])
    ]  # fmt: skip
    data = {"image": url}
    prompt = ClickPrompt.parse(points[:count], max_clicks=9)
    config = parse_label_config(RECOMMENDED).for_task(data)
    return Request({"id": seed, "data": data}, prompt, config)


def measure_clicks(services: dict[str, SegmentationService], rounds: int) -> Times:
    """The second click of each object, in turns with and without Redis, and the difference."""
    times: Times = {}
    for number in range(rounds + 1):
        if number == 1:
            times.clear()
        turns = list(services.items())
        for name, service in turns if number % 2 else reversed(turns):
            service.segment(request(number, 1))
            with timed(times, name):
                service.segment(request(number, 2))
    pairs = zip(times["with"], times["without"], strict=True)
    return times | {"difference": [one - other for one, other in pairs]}


def measure_takeover(services: dict[str, SegmentationService], rounds: int, first: int) -> Times:
    """The third click of an object whose first two another process answered."""
    times: Times = {}
    with_redis, without, taking_over = services.values()
    for seed in range(first, first + rounds):
        for count in (1, 2):
            with_redis.segment(request(seed, count))
        time.sleep(0.3)  # until it is written
        for name, service in (("with Redis", taking_over), ("without Redis", without)):
            service.segment(request(seed + 10_000, 1))  # the same work before both
            with timed(times, name):
                service.segment(request(seed, 3))
    return times


def summary(times: Times) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of each row."""
    return {
        name: {
            "p50_ms": round(statistics.median(each), 2),
            "p95_ms": round(sorted(each)[int(0.95 * (len(each) - 1))], 2),
        }
        for name, each in times.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--runtime", default="auto")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(redis_server(folder))
        services = {}
        for name, url in (("with", server.url), ("without", ""), ("taking over", server.url)):
            settings = Settings(redis_url=url, redis_key=KEY, runtime=asked.runtime, refine="off")
            services[name] = build_service(settings, Metrics(), Journal())
            stack.callback(services[name].close)
        predictor = services["with"].segmenter.predictor  # type: ignore[attr-defined]
        nbytes, stations = measure_state(predictor, server.url, asked.rounds)
        pair = {name: services[name] for name in ("with", "without")}
        result = {
            "machine": describe_machine(predictor.runtime.name),
            "state_bytes": nbytes,
            "state": summary(stations),
            "second click": summary(measure_clicks(pair, asked.rounds)),
            "third click after a takeover": summary(
                measure_takeover(services, asked.rounds, first=20_000)
            ),
        }
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
