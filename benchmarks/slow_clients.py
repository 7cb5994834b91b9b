"""What slow and silent clients cost an annotator: clicks and ``/health`` beside 500 of each kind.

Usage: ``python -m benchmarks.slow_clients [--clients 500] [--clicks 60] [--kinds slow-body …]``. A
real backend serves. For each kind, clicks are timed without and with its clients, in turns, so that
both see the same machine; then with all kinds at once. Between them the backend's memory is read.
The last row is ``/health`` while so many first clicks arrive at once, each with another image.
Prints a table and writes ``artifacts/bench-slow-clients.json``.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import os
import resource
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from benchmarks.click import body, jpeg
from demo.label_studio import Service, free_port, start_backend
from edgeflow.evaluate.machine import describe_machine
from edgeflow.geometry import Size

SIZE = Size(480, 640)
ROUNDS = 4
PACE_S = 1.0
"""Seconds between two bytes of a slow client."""

RETURN_S = 5.0
"""Seconds until a client that was sent away comes again."""

HEAD = b"POST /predict HTTP/1.1\r\nHost: backend\r\nContent-Type: application/json\r\n"
GET = b"GET /metrics HTTP/1.1\r\nHost: backend\r\n"

KINDS: dict[str, tuple[bytes, bytes]] = {
    "silent": (b"", b""),
    "slow-head": (b"POST /predict HTTP/1.1\r\nX-Slow: ", b"x"),
    "slow-body": (HEAD + b"Content-Length: 1000000\r\n\r\n{", b" "),
    "slow-chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "slow-reader": ((GET + b"\r\n") * 4, b""),
    "lazy-close": (GET + b"Connection: close\r\n\r\n", b""),
    "half-closed": (HEAD + b"Content-Length: 1000\r\n\r\n{", b""),
    "tls-hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), b""),
    "idle": (b"GET /health HTTP/1.1\r\nHost: backend\r\n\r\n", b""),
}
"""What a client of each kind sends at once, and then again and again."""

UNREAD = ("slow-reader", "lazy-close")
"""Kinds that never read."""

OUTPUT = Path("artifacts") / "bench-slow-clients.json"


class SlowClients:
    """So many clients of some kinds, which come again when they are sent away.

    Args:
        port: The backend's port on loopback.
        kinds: Names of :data:`KINDS`.
        count: Clients of each kind.
    """

    def __init__(self, port: int, kinds: Sequence[str], count: int) -> None:
        self._port = port
        self._wanted = [kind for kind in kinds for _ in range(count)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.connected = threading.Event()
        self.sent_away = 0

    def __enter__(self) -> SlowClients:
        self._thread.start()
        if not self.connected.wait(60):
            raise RuntimeError("the slow clients could not connect")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        clients = {index: self._connect(kind) for index, kind in enumerate(self._wanted)}
        self.connected.set()
        away: dict[int, float] = {}
        for index in itertools.cycle(range(len(self._wanted))):
            if self._stop.wait(PACE_S / len(self._wanted)):
                break
            if index in away:
                if time.monotonic() > away[index]:
                    del away[index]
                    clients[index] = self._connect(self._wanted[index])
                continue
            _, drip = KINDS[self._wanted[index]]
            try:
                if drip:
                    clients[index].send(drip)
                elif self._wanted[index] not in UNREAD and not clients[index].recv(4096):
                    raise ConnectionError
            except BlockingIOError:
                continue
            except OSError:
                self.sent_away += 1
                clients[index].close()
                away[index] = time.monotonic() + RETURN_S
        for client in clients.values():
            client.close()

    def _connect(self, kind: str) -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        with contextlib.suppress(OSError):
            client.connect(("127.0.0.1", self._port))
            client.sendall(KINDS[kind][0])
            if kind == "half-closed":
                client.shutdown(socket.SHUT_WR)
        client.setblocking(False)
        return client


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


def memory_mb(service: Service) -> float:
    """Resident memory of the backend's processes."""
    pages = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[2]) == service.process.pid:  # its process group
                pages += int(fields[21])
    return pages * resource.getpagesize() / 1e6


def inline(seed: int) -> str:
    """An image as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(SIZE, seed)).decode()


def time_calls(call: Callable[[int], None], count: int) -> list[float]:
    """Milliseconds of each of ``count`` calls."""
    times = []
    for number in range(count):
        started = time.perf_counter()
        call(number)
        times.append((time.perf_counter() - started) * 1000)
    return times


def p95(values: Sequence[float]) -> float:
    """95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


class Annotator:
    """Clicks on one image over one connection, and asks for ``/health`` over fresh ones."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._image = inline(0)
        self._chance = itertools.count()

    def click(self, _: int) -> None:
        """A later click that was not made before."""
        x = 20 + next(self._chance) * 0.37 % 60
        asked = body(SIZE, self._image, [(43.0, 60.0), (x, 40.0)])
        answer = self._session.post(f"{self._url}/predict", json=asked, timeout=120).json()
        if not answer["results"][0]["result"]:
            raise RuntimeError(f"no region: {str(answer)[:300]}")

    def health(self, _: int) -> None:
        """One call of ``/health``."""
        requests.get(f"{self._url}/health", timeout=120).raise_for_status()


def measure(
    annotator: Annotator,
    port: int,
    service: Service,
    kinds: Sequence[str],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Clicks without and with the clients of some kinds, in turns."""
    alone: list[float] = []
    beside: list[float] = []
    health: list[float] = []
    sent_away = 0
    before = most = memory_mb(service)
    for _ in range(ROUNDS):
        alone += time_calls(annotator.click, options.clicks // ROUNDS)
        with SlowClients(port, kinds, options.clients) as clients:
            beside += time_calls(annotator.click, options.clicks // ROUNDS)
            health += time_calls(annotator.health, 10)
            most = max(most, memory_mb(service))
        sent_away += clients.sent_away
        time.sleep(0.5)
    return {
        "alone_p95_ms": p95(alone),
        "beside_p95_ms": p95(beside),
        "health_p95_ms": p95(health),
        "health_max_ms": max(health),
        "memory_mb": before,
        "growth_mb": most - before,
        "sent_away": sent_away,
    }


def first_clicks_at_once(port: int, annotator: Annotator, count: int) -> dict[str, Any]:
    """``/health`` while so many annotators each make a first click on another image."""
    bodies = [json.dumps(body(SIZE, inline(seed), [(43.0, 60.0)])) for seed in range(1, count + 1)]
    start = threading.Barrier(count + 1)

    def click(text: str) -> int:
        start.wait()
        answer = requests.post(f"http://127.0.0.1:{port}/predict", data=text, timeout=300)
        return answer.status_code

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(click, text) for text in bodies]
        start.wait()
        health: list[float] = []
        while not all(future.done() for future in futures):
            health += time_calls(annotator.health, 1)
            time.sleep(0.05)
        statuses = [future.result() for future in futures]
    return {
        "health_p50_ms": statistics.median(health),
        "health_p95_ms": p95(health),
        "health_max_ms": max(health),
        "calls": len(health),
        "answers": {str(status): statuses.count(status) for status in sorted(set(statuses))},
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=500, help="of each kind")
    parser.add_argument("--clicks", type=int, default=60, help="without, and again with them")
    parser.add_argument("--kinds", nargs="*", default=[*KINDS, "all"])
    parser.add_argument(
        "--command", nargs=argparse.REMAINDER, default=[], help="another server, with {port}"
    )
    options = parser.parse_args()
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    rows: dict[str, Any] = {}
    with running_backend(options.command) as (port, service):
        health = requests.get(f"http://127.0.0.1:{port}/health", timeout=10).json()
        machine = describe_machine(str(health["runtime"]))
        print(machine)
        annotator = Annotator(port)
        time_calls(annotator.click, 20)
        for kind in options.kinds:
            kinds = list(KINDS) if kind == "all" else [kind]
            row = rows[kind] = measure(annotator, port, service, kinds, options)
            print(
                f"{kind:<12} click p95 {row['alone_p95_ms']:7.1f} -> {row['beside_p95_ms']:7.1f} ms"
                f"  ({row['beside_p95_ms'] / row['alone_p95_ms']:.2f})"
                f"  health p95 {row['health_p95_ms']:6.1f}, max {row['health_max_ms']:6.1f} ms"
                f"  memory +{row['growth_mb']:.0f} of {row['memory_mb']:.0f} MB"
                f"  sent away {row['sent_away']}  load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
        row = rows["first clicks"] = first_clicks_at_once(port, annotator, options.clients)
        print("first clicks", row)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2))
    print(OUTPUT)


if __name__ == "__main__":
    main()
