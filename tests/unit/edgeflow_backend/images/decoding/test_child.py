from __future__ import annotations

import subprocess
import sys

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
