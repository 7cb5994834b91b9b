"""A real Ray on this machine, with a token, on ports that are all chosen here."""

from __future__ import annotations

import compileall
import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demo.label_studio import Service

ROOT = Path(__file__).parents[1]
FIRST_PORT = 25000
STARTED = "Ray runtime started"
START_S = 120.0

PORTS = (
    "port",
    "object-manager-port",
    "node-manager-port",
    "ray-client-server-port",
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "runtime-env-agent-port",
    "metrics-export-port",
    "dashboard-port",
    "min-worker-port",
)
WORKER_PORTS = 60


@dataclass(frozen=True)
class Head:
    """A running head of a cluster.

    Attributes:
        pid: Of the process that started all others.
        port: The head's own.
        dashboard: URL of the dashboard, which also takes jobs.
        environment: What members of the cluster have in their environment.
        logs: Folder of Ray's logs.
    """

    pid: int
    port: int
    dashboard: str
    environment: dict[str, str]
    logs: Path

    @property
    def address(self) -> str:
        """For ``serve --cluster``."""
        return f"127.0.0.1:{self.port}"

    def replicas(self) -> list[int]:
        """Process ids of the replicas, oldest first."""
        found = []
        for pid in _descendants(self.pid):
            with contextlib.suppress(OSError):
                if b"ServeReplica:edgeflow" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return sorted(found)


@contextlib.contextmanager
def ray_head(
    first_port: int = FIRST_PORT, *, token: bool = True, dashboard: bool = True, cpus: int = 4
) -> Iterator[Head]:
    """Start the head of a cluster, and end it with all that it started.

    Args:
        first_port: All ports are among the hundred from here.
        token: Whether members need a token.
        dashboard: Whether to serve the dashboard, and with it jobs, on loopback.
        cpus: Cores that Ray believes to have.
    """
    _compile()
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # short: paths of sockets have 107 characters
    secret = folder / "token"
    secret.write_text(secrets.token_hex(32))
    secret.chmod(0o600)
    ports = {name: first_port + number for number, name in enumerate(PORTS)}
    environment = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token" if token else "disabled",
        "RAY_AUTH_TOKEN_PATH": str(secret),
        "AUTOSCALER_METRIC_PORT": str(first_port + 80),
        "DASHBOARD_METRIC_PORT": str(first_port + 81),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "RAY_worker_niceness": "0",  # 15 by default: beside other work, replicas would starve
        "RAY_raylet_start_wait_time_s": "120",  # 30 by default, too little on a busy machine
    }
    command = [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
        "--node-ip-address", "127.0.0.1", "--dashboard-host", "127.0.0.1",
        "--max-worker-port", str(first_port + len(PORTS) + WORKER_PORTS),
        "--object-store-memory", "100000000", "--num-cpus", str(cpus), "--num-gpus", "0",
        "--include-dashboard", str(dashboard).lower(), "--include-log-monitor", "false",
        "--disable-usage-stats", "--temp-dir", str(folder),
        *(text for name, port in ports.items() for text in (f"--{name}", str(port))),
    ]  # fmt: skip
    log = folder / "head.log"
    service = Service(command, "", log, environment)
    try:
        _wait_for_start(service.process, log)
        yield Head(
            service.process.pid,
            ports["port"],
            f"http://127.0.0.1:{ports['dashboard-port']}",
            environment,
            folder / "session_latest" / "logs",
        )
    finally:
        workers = _descendants(service.process.pid)  # have process groups of their own
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.process.pid, signal.SIGKILL)  # told to end, Ray takes ten seconds
        service.process.wait()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _compile() -> None:
    """Compile Ray's modules: its dashboard gives up where its first import has to."""
    ray = importlib.util.find_spec("ray")
    assert ray is not None
    for folder in ray.submodule_search_locations or ():
        compileall.compile_dir(folder, quiet=2)


def _wait_for_start(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while STARTED not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Ray did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)


def _descendants(pid: int) -> list[int]:
    """Processes that a process started, and those that they started."""
    try:
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return [each for child in children for each in (child, *_descendants(child))]
