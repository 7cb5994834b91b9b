"""Does a click get slower with the masks that are drawn already? p50 with 0, 50 and 200 of them.

Requests with few and with many masks take turns, so that the machine's moods hit all alike. Masks
are smooth blobs of the task's image, once as this backend makes them (with a record in ``meta``)
and once as other tools do. Prints a table and writes ``artifacts/bench-large-tasks.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
import requests

from benchmarks.click import Times, body, jpeg, serve_folder, summarise, timed
from demo.label_studio import free_port, start_backend
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.segmented_object import SegmentedObject

SIZE = Size(480, 640)
COUNTS = (0, 50, 200)
OUTPUT = Path("artifacts") / "bench-large-tasks.json"


def accepted_region(number: int, *, ours: bool) -> dict[str, Any]:
    """An accepted brush region somewhere in the lower right of the image."""
    rng = np.random.default_rng(number)
    mask = np.zeros(SIZE, dtype=np.uint8)
    centre = (int(rng.integers(400, 620)), int(rng.integers(320, 460)))
    axes = (int(rng.integers(8, 60)), int(rng.integers(8, 60)))
    cv2.ellipse(mask, centre, axes, float(rng.integers(180)), 0, 360, 1, -1)
    solid = mask.astype(bool)
    region: dict[str, Any] = {
        "id": f"r{number}", "type": "brushlabels", "from_name": "mask", "to_name": "image",
        "original_width": SIZE.width, "original_height": SIZE.height, "image_rotation": 0,
        "origin": "prediction",
        "value": {"format": "rle", "rle": list(encode_brush(solid)), "brushlabels": ["Object"]},
    }  # fmt: skip
    if ours:
        so_far = SegmentedObject(region["id"], "mask", ("Object",))
        region["meta"] = so_far.record(region, MaskPatch.of(solid), "some-model")
    return region


def request(image: str, count: int, *, ours: bool) -> bytes:
    """A later click (the first one is in the upper left) in a task with ``count`` masks."""
    asked = body(SIZE, image, [(43, 60), (43, 20)])
    result = [accepted_region(number, ours=ours) for number in range(count)]
    draft = {"id": 1, "updated_at": "2026-01-01T00:00:00Z", "result": result}
    asked["tasks"][0]["drafts"] = [draft] if count else []
    return orjson.dumps(asked)


def measure(repeats: int) -> tuple[Times, dict[str, int]]:
    """Milliseconds of a later click's whole request, and the bodies' bytes."""
    times: Times = {}
    sizes: dict[str, int] = {}
    command = Path(sys.executable).with_name("edgeflow-backend")
    environment = {"EDGEFLOW_LOG_LEVEL": "WARNING", "EDGEFLOW_ALLOWED_HOSTS": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as name, requests.Session() as session:
        folder, port = Path(name), free_port()
        with (
            serve_folder(folder) as host,
            start_backend(command, port, folder / "log", environment) as backend,
        ):
            backend.wait(60)

            def ask(data: bytes) -> None:
                answer = session.post(f"http://127.0.0.1:{port}/predict", data=data, timeout=60)
                if not answer.json()["results"][0]["result"]:
                    raise RuntimeError(f"no region: {answer.text[:500]}")

            for number in range(repeats + 1):
                if number == 1:
                    times.clear()
                for count in COUNTS:
                    for ours in (True, False) if count else (True,):
                        # An image of its own, so that the click is a step and no cache hit.
                        file = f"{number}-{count}-{ours}.jpg"
                        seed = 40 * (number * 16 + count // 50 * 2 + ours)  # JPEG blurs less
                        (folder / file).write_bytes(jpeg(SIZE, seed))
                        image = f"{host}/{file}"
                        ask(orjson.dumps(body(SIZE, image, [(43, 60)])))
                        label = f"{count} masks" + ("" if not count else " of ours" if ours else "")
                        data = request(image, count, ours=ours)
                        sizes[label] = len(data)
                        with timed(times, label):
                            ask(data)
    return times, sizes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    machine = {**describe_machine("torch cpu float32"), "repeats": repeats}
    for name, value in machine.items():
        print(f"{name:<22} {value}")
    times, sizes = measure(repeats)
    rows = summarise(times)
    base = rows["0 masks"]["p50"]
    print(f"\n{'masks in the request':<22} {'KB':>8} {'p50':>8} {'p95':>8} {'ratio':>8}")
    for name, row in rows.items():
        row["ratio"], row["kilobytes"] = row["p50"] / base, sizes[name] / 1000
        print(
            f"{name:<22} {row['kilobytes']:>8.0f} {row['p50']:>8.1f} {row['p95']:>8.1f} "
            f"{row['ratio']:>8.2f}"
        )
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": machine, "later click": rows}, indent=2))
    print(f"\n{OUTPUT}")


if __name__ == "__main__":
    main()
