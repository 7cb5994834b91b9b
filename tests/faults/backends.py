"""The backend under test: where it is reached, and how it is killed, frozen and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import requests

from demo.label_studio import Service, free_port

COMMAND = Path(sys.executable).with_name("edgeflow-backend")
DECODER = "edgeflow_backend.images.decoding.child"
START_S = 60.0


class Backend(Protocol):
    """Whatever answers clicks at a URL: one process, or a cluster of them."""

    @property
    def url(self) -> str:
        """Without a trailing slash."""
        ...

    @property
    def pids(self) -> list[int]:
        """Its processes, the one that answers first."""
        ...

    @property
    def log(self) -> Path:
        """File of its output."""
        ...

    def kill(self) -> None:
        """End what answers clicks at once, as a crash or the system does."""
        ...

    def terminate(self) -> int:
        """Ask it to stop; wait until it has, and return its exit status."""
        ...

    def start(self) -> None:
        """Start what was ended, and wait until it answers."""
        ...


class OneProcess:
    """``edgeflow-backend serve``.

    Args:
        folder: Folder of its log.
        environment: Settings.
        before: Command that runs the backend's command, which follows it.
        options: Further ones of ``serve``.
        start_s: Seconds that it may take to start.
        address: Where it listens.
        port: Where it listens; 0 for a free one.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        before: Sequence[str] = (),
        options: Sequence[str] = (),
        start_s: float = START_S,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.log = folder / "backend.log"
        self.environment = dict(environment)
        self._before = before
        self._options = options
        self._start_s = start_s
        self._address = address
        self._port = port or free_port()
        self._service: Service | None = None

    @property
    def url(self) -> str:
        """See :class:`Backend`."""
        return f"http://{self._address}:{self._port}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def pids(self) -> list[int]:
        """See :class:`Backend`."""
        return processes_of(self._running.process.pid)

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._running.process.poll() is None

    @property
    def listens(self) -> bool:
        """Whether its port takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex((self._address, self._port)) == 0

    def launch(self) -> None:
        """Start the process without waiting for it."""
        serve = ["serve", "--host", self._address, "--port", str(self._port), *self._options]
        command = [*self._before, str(COMMAND), *serve]
        self._service = Service(command, f"{self.url}/health", self.log, self.environment)

    def start(self) -> None:
        """See :class:`Backend`."""
        self.launch()
        self._running.wait(self._start_s)

    def kill(self) -> None:
        """See :class:`Backend`."""
        self._running.process.kill()
        self._running.process.wait()

    def ask_to_stop(self) -> None:
        """Send SIGTERM without waiting."""
        self._running.process.terminate()

    def terminate(self) -> int:
        """See :class:`Backend`."""
        self.ask_to_stop()
        return self.wait()

    def wait(self) -> int:
        """Wait until it has stopped; returns its exit status."""
        return self._running.process.wait(30)

    def stop(self) -> None:
        """End it and all that it started."""
        if self._service is not None:
            self._service.stop()

    def __enter__(self) -> OneProcess:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _running(self) -> Service:
        if self._service is None:
            raise RuntimeError("it was not started")
        return self._service


def processes_of(group: int) -> list[int]:
    """Ids of the processes of a group, the leader first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                found.append(int(stat.parent.name))
    return sorted(found, key=lambda pid: (pid != group, pid))


def decoders_of(backend: Backend) -> list[int]:
    """Ids of the child processes that decode pictures."""
    found = []
    for pid in backend.pids:
        with contextlib.suppress(OSError):
            if DECODER.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


@contextlib.contextmanager
def frozen(pids: Sequence[int]) -> Iterator[None]:
    """Stop processes for a while, as a machine does that swaps or is moved."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def memory_mb(backend: Backend) -> float:
    """Proportional set size of its processes, megabytes."""
    kilobytes = 0
    for pid in backend.pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
    return kilobytes / 1000


def descriptors(backend: Backend) -> int:
    """Open files and sockets of its processes."""
    count = 0
    for pid in backend.pids:
        with contextlib.suppress(OSError):
            count += len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return count


def has_read_all(port: int) -> bool:
    """Whether a server on this machine has accepted all connections and read all that was sent."""
    local = f":{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(local) and int(fields[4].partition(":")[2], 16):
            return False
    return True


def health(url: str) -> requests.Response:
    """The answer of ``/health``."""
    return requests.get(f"{url}/health", timeout=10)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: It does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it does not come true")
        time.sleep(0.02)
