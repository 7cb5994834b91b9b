"""The servers under test, each in a process of its own."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from demo.label_studio import Service, free_port, start_backend


@contextlib.contextmanager
def running_backend(command: list[str]) -> Iterator[tuple[int, Service]]:
    """A real backend and its port."""
    # A small cache, so that growing memory is that of the clients.
    environment = {"EDGEFLOW_LOG_LEVEL": "ERROR", "EDGEFLOW_STATE_CACHE_MB": "64"}
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        log = Path(name) / "log"
        if command:
            filled = [part.format(port=port) for part in command]
            service = Service(filled, f"http://127.0.0.1:{port}/health", log, environment)
        else:
            executable = Path(sys.executable).with_name("edgeflow-backend")
            service = start_backend(executable, port, log, environment)
        with service:
            service.wait(60)
            yield port, service


@contextlib.contextmanager
def bare_server() -> Iterator[int]:
    """The port of a server that does nothing."""
    command = [sys.executable, "-m", "benchmarks.slow_clients.bare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else "")
        finally:
            process.kill()


def memory_mb(service: Service) -> float:
    """Resident memory of the backend's processes."""
    pages = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[2]) == service.process.pid:  # its process group
                pages += int(fields[21])
    return pages * resource.getpagesize() / 1e6
