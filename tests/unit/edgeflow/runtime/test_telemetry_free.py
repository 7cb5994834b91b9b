from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

QUIET = """
import sys
events = []
def listen(event, details):
    if event.startswith(("socket.", "subprocess.", "os.posix_spawn", "os.exec", "os.fork")):
        events.append(event)
sys.addaudithook(listen)
import torch
from edgeflow.checkpoints.checkpoint import find
from edgeflow.runtime.selection import start_runtime
for name in ("openvino", "onnx"):
    runtime = start_runtime(name, find("edgeflow_lite"))
    assert runtime.name.startswith(name), runtime.name
    runtime.run(torch.rand(1, 3, 64, 64), torch.zeros(1, 3, 64, 64))
assert "openvino_telemetry" not in sys.modules
assert not events, events
"""


@pytest.mark.slow
def test_nothing_is_sent_and_no_identifier_is_left(tmp_path: Path) -> None:
    # OpenVINO's converter and ONNX Runtime send events by default, and keep who it was.
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_WAIT_POLICY": "passive"}
    subprocess.run(
        [sys.executable, "-c", QUIET],
        env=environment,
        cwd=Path(__file__).parents[4],
        check=True,
        timeout=120,
    )
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert len(left) == 2, left
    assert all(path.startswith(".cache/edgeflow/exports/") for path in left)
