"""Milliseconds to encode and decode brush masks, beside Label Studio's SDK on the same masks.

Usage: ``python -m benchmarks.codec [--sdk PYTHON] [--json FILE]``. The SDK runs in an environment
of its own: the Makefile's ``label-studio`` by default. Both take turns, so that a busy machine
slows both; figures are medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Size
from edgeflow.label_studio.brush_rle import decode_brush, encode_brush

BoolMask = npt.NDArray[np.bool_]

REPEATS = 9
SDK_REPEATS = 3
SDK = Path(__file__).parents[1] / ".envs" / "label-studio" / "bin" / "python"

SDK_SCRIPT = """
import json, sys, time
import numpy as np
from label_studio_sdk.converter.brush import decode_rle, mask2rle
mask = np.load(sys.argv[1]).astype(np.uint8) * 255
def timed(call):
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began
encode, decode = [], []
for _ in range(int(sys.argv[2])):
    code, took = timed(lambda: mask2rle(mask))
    encode.append(took)
    flat, took = timed(lambda: decode_rle(code))
    decode.append(took)
print(json.dumps({"encode": encode, "decode": decode, "code": list(code)}))
"""


def masks() -> dict[str, BoolMask]:
    """Smooth and ragged masks of several sizes, and the worst case."""
    smooth = np.zeros((3000, 4000), dtype=np.uint8)
    cv2.ellipse(smooth, (2000, 1500), (1200, 800), 20, 0, 360, [1], -1)
    cv2.ellipse(smooth, (1200, 900), (500, 400), 0, 0, 360, [1], -1)
    inside, outside = (cv2.distanceTransform(m, cv2.DIST_L2, 5) for m in (smooth, 1 - smooth))
    noise = np.random.default_rng(0).random(smooth.shape) < 0.5
    ragged = np.where(np.maximum(inside, outside) < 25, noise, smooth.astype(np.bool_))
    return {
        "4000×3000, smooth": smooth.astype(np.bool_),
        "4000×3000, ragged": ragged,
        "1920×1080, smooth": cv2.resize(smooth, (1920, 1080)).astype(np.bool_),
        "640×480, smooth": cv2.resize(smooth, (640, 480)).astype(np.bool_),
        "1000×1000, checkerboard": np.indices((1000, 1000)).sum(axis=0) % 2 == 1,
    }


def ours(mask: BoolMask) -> tuple[float, float, bytes]:
    """Median seconds to encode and decode, and the code."""
    code = encode_brush(mask)
    size = Size(*mask.shape)
    return (
        _median(lambda: encode_brush(mask)),
        _median(lambda: decode_brush(code, size)),
        code,
    )


def theirs(mask: BoolMask, python: Path) -> tuple[float, float, bytes]:
    """The same with the SDK."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.npy"
        np.save(path, mask)
        run = subprocess.run(
            [python, "-c", SDK_SCRIPT, path, str(SDK_REPEATS)],
            check=True,
            capture_output=True,
            text=True,
        )
    data = json.loads(run.stdout)
    return statistics.median(data["encode"]), statistics.median(data["decode"]), bytes(data["code"])


def main() -> None:
    """Measure, check that the bytes agree, print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sdk", type=Path, default=SDK)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.sdk.is_file():
        sys.exit(f"there is no {options.sdk}: run `make envs`, or name a Python with --sdk")
    rows = []
    for name, mask in masks().items():
        encode, decode, code = ours(mask)
        sdk_encode, sdk_decode, sdk_code = theirs(mask, options.sdk)
        rows.append(
            {
                "mask": name,
                "bytes": len(code),
                "encode_ms": encode * 1000,
                "sdk_encode_ms": sdk_encode * 1000,
                "encode_ratio": sdk_encode / encode,
                "decode_ms": decode * 1000,
                "sdk_decode_ms": sdk_decode * 1000,
                "decode_ratio": sdk_decode / decode,
                "same_bytes": code.rstrip(b"\0") == sdk_code.rstrip(b"\0"),
            }
        )
        print(
            f"{name:<24} encode {encode * 1000:7.2f} ms, SDK {sdk_encode * 1000:8.1f} ms "
            f"({sdk_encode / encode:5.0f}×)   decode {decode * 1000:7.2f} ms, "
            f"SDK {sdk_decode * 1000:8.1f} ms ({sdk_decode / decode:5.0f}×)   "
            f"{'same bytes' if rows[-1]['same_bytes'] else 'OTHER BYTES'}"
        )
    machine = describe_machine("none")
    print(machine)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "codec": rows}, indent=2))


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
