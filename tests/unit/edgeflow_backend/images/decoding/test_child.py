from __future__ import annotations

import subprocess
import sys

import pytest

SQUEEZED = """
import resource
from edgeflow_backend.images.decoding.child import limits

with limits(10_000_000, 60):
    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (own, own))  # as prlimit does from outside
assert resource.getrlimit(resource.RLIMIT_AS) == (own, own)
"""


def test_a_limit_that_was_lowered_meanwhile_stays() -> None:
    done = subprocess.run([sys.executable, "-c", SQUEEZED], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


STARVED = """
import io, mmap, os, resource
from pathlib import Path
from PIL import Image
import cv2
from edgeflow_backend.images.decoding import child

cv2.setNumThreads(1)  # a thread that gets no memory of its own ends the process
data = io.BytesIO()
Image.effect_noise((1200, 900), 50).convert("RGB").save(data, FORMAT)
file = os.memfd_create("image")
os.write(file, data.getvalue())
codes, own = set(), resource.getrlimit(resource.RLIMIT_AS)
request = {"strips": STRIPS, "max_pixels": 10**7, "as_stored": False}
child.answer(file, request)  # what is imported late is there
descriptors = len(os.listdir("/proc/self/fd"))
for room in range(1 << 20, 64 << 20, 1 << 20):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    resource.setrlimit(resource.RLIMIT_AS, (used + room, own[1]))
    reply, result = child.answer(file, request)
    resource.setrlimit(resource.RLIMIT_AS, own)
    if result is not None:
        os.close(result)
    codes.add(reply.get("code", "decoded"))
assert len(os.listdir("/proc/self/fd")) == descriptors
print(*codes)
"""


@pytest.mark.parametrize("strips", [False, True])
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_wherever_memory_ends_it_is_told_and_nothing_is_left(format: str, *, strips: bool) -> None:
    code = STARVED.replace("FORMAT", repr(format)).replace("STRIPS", repr(strips))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    # Pillow's PNG decoder tells some of it as a broken file.
    assert {"decoded", "memory"} <= set(done.stdout.split()) <= {
        "decoded", "memory", "image_unreadable",
    }  # fmt: skip
