"""Milliseconds a click: by stage in one process, and whole requests through HTTP.

Prints a table and writes ``artifacts/bench-click.json``. Stages are measured with the caches of the
real path: a first click brings an image nobody has seen, a later click finds its prefix known.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import requests
import torch
from PIL import Image

from demo.label_studio import free_port, start_backend
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import ImagePoint, Size
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.label_studio.config.recommended import recommended_config
from edgeflow.prompts.click import Click
from edgeflow_backend.protocol.config_check import RECOMMENDED

PHOTO = Path(__file__).parents[1] / "demo" / "photos" / "astronaut.jpg"
SIZES = (Size(480, 640), Size(1080, 1920), Size(3000, 4000))
OUTPUT = Path("artifacts") / "bench-click.json"

FORMS = {"": RECOMMENDED, " as bitmask": recommended_config("Bitmask")}
"""Labelling configs by how the rows of their answers are named; brush first."""

Times = dict[str, list[float]]


def jpeg(size: Size, seed: int) -> bytes:
    """A JPEG photograph of ``size`` whose first pixels depend on ``seed``."""
    image = Image.open(PHOTO).resize((size.width, size.height))
    image.paste((seed % 256, seed // 256 % 256, 0), (0, 0, 16, 16))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@contextlib.contextmanager
def timed(times: Times, name: str) -> Iterator[None]:
    """Append the milliseconds of a block to ``times[name]``."""
    started = time.perf_counter()
    yield
    times.setdefault(name, []).append((time.perf_counter() - started) * 1000)


def measure_stages(predictor: Predictor, size: Size, repeats: int) -> Times:
    """Each station of a click's way, one after the other in this process."""
    times: Times = {}
    for number in range(repeats + 1):
        if number == 1:
            times.clear()  # the first round warms up
        data = jpeg(size, number)
        with timed(times, "decode"):
            rgb = decode_image(data)
        with timed(times, "encode"):
            image = predictor.encode(rgb)
        state = predictor.start(image)
        for name, x, y in (("first", 0.43, 0.6), ("later", 0.43, 0.2)):
            click = Click(ImagePoint(x * size.width, y * size.height))
            with timed(times, f"{name} step"):
                state, probability = predictor.step(image, state, click)
        network = Size(*state.probability.shape[-2:])
        view = torch.rand(1, 3, *network)
        prompt = torch.cat((state.feedback, torch.zeros(1, 2, *network)), dim=1)
        with timed(times, "network alone"):
            predictor.runtime.run(view, prompt)
        mask = (probability > 0.5).cpu().numpy()
        with timed(times, "RLE"):
            rle = list(encode_brush(mask))
        with timed(times, "JSON"):
            orjson.dumps({"rle": rle})
    return times


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep the table clean."""


@contextlib.contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; yields its address."""
    handler: Callable[..., SimpleHTTPRequestHandler] = partial(_QuietHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def body(
    size: Size, image: str, clicks: list[tuple[float, float]], config: str = RECOMMENDED
) -> dict[str, Any]:
    """A request as Label Studio sends it; clicks in percent."""
    points = [
        {
            "id": f"{x}-{y}", "type": "keypointlabels", "from_name": "click", "to_name": "image",
            "original_width": size.width, "original_height": size.height, "image_rotation": 0,
            "is_positive": True,
            "value": {"x": x, "y": y, "width": 0.3, "keypointlabels": ["Object"]},
        }
        for x, y in clicks
    ]  # fmt: skip
    return {
        "tasks": [{"id": 1, "data": {"image": image}}],
        "label_config": config,
        "params": {"context": {"result": points}},
    }


def measure_http(size: Size, repeats: int) -> Times:
    """Whole requests: a real server, images fetched from loopback."""
    times: Times = {}
    command = Path(sys.executable).with_name("edgeflow-backend")
    with tempfile.TemporaryDirectory() as name, requests.Session() as session:
        folder = Path(name)
        port = free_port()
        environment = {"EDGEFLOW_LOG_LEVEL": "WARNING", "EDGEFLOW_ALLOWED_HOSTS": "127.0.0.1"}
        with (
            serve_folder(folder) as host,
            start_backend(command, port, folder / "log", environment) as backend,
        ):
            backend.wait(60)

            def ask(image: str, clicks: list[tuple[float, float]], config: str) -> None:
                answer = session.post(
                    f"http://127.0.0.1:{port}/predict",
                    json=body(size, image, clicks, config),
                    timeout=60,
                )
                if not answer.json()["results"][0]["result"]:
                    raise RuntimeError(f"no region: {answer.text[:500]}")

            for number in range(repeats + 1):
                if number == 1:
                    times.clear()
                for form, config in FORMS.items():
                    # An image of its own, so that no form finds the other's clicks known.
                    file = f"{number}{form}.jpg"
                    (folder / file).write_bytes(jpeg(size, 100 * len(form) + number))
                    image = f"{host}/{file}"
                    with timed(times, f"first click{form}, HTTP"):
                        ask(image, [(43, 60)], config)
                    with timed(times, f"later click{form}, HTTP"):
                        ask(image, [(43, 60), (43, 20)], config)
                    with timed(times, f"repeated{form}, HTTP"):
                        ask(image, [(43, 60), (43, 20)], config)
    return times


def summarise(times: Times) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of each row, milliseconds."""
    return {
        name: {
            "p50": statistics.median(values),
            "p95": statistics.quantiles(values, n=20, method="inclusive")[-1],
        }
        for name, values in times.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    predictor = load_predictor(device=arguments.device, runtime="auto")
    machine = {
        **describe_machine(predictor.runtime.name),
        "model": predictor.version,
        "repeats": arguments.repeats,
    }
    for name, value in machine.items():
        print(f"{name:<22} {value}")
    report: dict[str, Any] = {"machine": machine, "milliseconds": {}}
    for size in SIZES:
        rows = summarise(
            measure_stages(predictor, size, arguments.repeats)
            | measure_http(size, arguments.repeats)
        )
        label = f"{size.width}×{size.height}"
        report["milliseconds"][label] = rows
        print(f"\n{label:<32} {'p50':>8} {'p95':>8}  milliseconds")
        for name, row in rows.items():
            print(f"  {name:<30} {row['p50']:>8.1f} {row['p95']:>8.1f}")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(report, indent=2, ensure_ascii=False))
    print(f"\n{OUTPUT}")


if __name__ == "__main__":
    main()
