"""``make demo``: it comes up, the printed addresses work, and Ctrl-C stops everything."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from demo.label_studio import Client, free_port
from tests.e2e.conftest import ROOT, copy_studio, environment

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def start(data: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the demo; return it with what it printed once it is ready."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "demo.run",
            "--label-studio", str(environment("label-studio") / "label-studio"),
            "--data", str(data), "--port", str(free_port()), "--backend-port", str(free_port()),
        ],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    printed = ""
    while "Ctrl-C" not in printed:
        line = process.stdout.readline()
        assert line, f"the demo ended:\n{printed}"
        printed += line
    return process, printed


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert "Stopped." in output
    assert process.returncode == 0


def test_the_demo_comes_up_twice_with_the_same_project_and_stops_on_ctrl_c(
    tmp_path: Path, empty_studio: Path
) -> None:
    copy_studio(empty_studio, tmp_path / "demo")
    for _ in range(2):
        process, printed = start(tmp_path / "demo")
        url, backend = re.findall(r"http://127\.0\.0\.1:\d+", printed)[:2]
        assert requests.get(backend, timeout=5).json()["status"] == "UP"
        client = Client(url)
        (project,) = client.call("GET", "projects")["results"]
        assert project["title"] == "EdgeFlow demo"
        assert len(client.tasks(project["id"])) == 6
        (connected,) = client.call("GET", "ml", params={"project": project["id"]})
        assert connected["state"] == "CO"
        assert connected["url"] == backend
        stop(process)
        for address in (url, backend):
            with pytest.raises(requests.ConnectionError):
                requests.get(address, timeout=2)
        time.sleep(0.5)
