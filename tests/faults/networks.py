"""Three machines in a row, as network namespaces: annotators, the backend, and its hosts."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOSTS_PORT = 8000


@dataclass(frozen=True)
class Network:
    """Machines and the two cables between them.

    Attributes:
        backend: Name of the backend's namespace; annotators are in the one of this process.
        hosts: Name of the one with the pictures' host and Label Studio.
        subnet: First three numbers of all addresses.
    """

    backend: str
    hosts: str
    subnet: str

    @property
    def backend_address(self) -> str:
        """Of the backend, as annotators reach it."""
        return f"{self.subnet}.2"

    @property
    def hosts_address(self) -> str:
        """Of the hosts, as the backend reaches them."""
        return f"{self.subnet}.6"

    @property
    def pictures(self) -> str:
        """URL of the pictures' host."""
        return f"http://{self.hosts_address}:{HOSTS_PORT}"

    @property
    def studio(self) -> str:
        """URL of Label Studio."""
        return f"http://{self.hosts_address}:{HOSTS_PORT + 1}"

    @contextlib.contextmanager
    def without_hosts(self) -> Iterator[None]:
        """Pull the cable between backend and hosts at the hosts' end."""
        with _down(self.hosts, "far"):
            yield

    @contextlib.contextmanager
    def without_annotators(self) -> Iterator[None]:
        """Pull the cable between annotators and backend at the backend's end."""
        with _down(self.backend, "front"):
            yield


def can_make_networks() -> bool:
    """Whether this process may make network namespaces, and cables between them."""
    if shutil.which("ip") is None:
        return False
    name, cable = f"ef{os.getpid()}t", ("link", "add", "one", "type", "veth")
    try:
        _ip("netns", "add", name)
    except subprocess.CalledProcessError:
        return False
    try:
        _ip("-n", name, *cable)
    except subprocess.CalledProcessError:
        return False
    finally:
        _ip("netns", "del", name)
    return True


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Lay the cables and start the hosts; see :func:`can_make_networks`."""
    number = os.getpid()
    made = Network(f"ef{number}b", f"ef{number}h", f"10.{100 + number // 250 % 100}.{number % 250}")
    near = f"ef{number}"
    backend, hosts = made.backend, made.hosts
    with contextlib.ExitStack() as stack:
        for name in (backend, hosts):
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", near, "type", "veth", "peer", "name", "front", "netns", backend)
        _ip(
            "-n",
            backend,
            "link",
            "add",
            "back",
            "type",
            "veth",
            "peer",
            "name",
            "far",
            "netns",
            hosts,
        )
        for place, device, last in (
            ([], near, 1),
            (["-n", backend], "front", 2),
            (["-n", backend], "back", 5),
            (["-n", hosts], "far", 6),
        ):
            _ip(*place, "addr", "add", f"{made.subnet}.{last}/30", "dev", device)
            _ip(*place, "link", "set", device, "up")
        stack.enter_context(_serving(made))
        yield made


@contextlib.contextmanager
def _serving(network: Network) -> Iterator[None]:
    command = [*inside(network.hosts), sys.executable, "-m", "tests.faults.hosts"]
    with subprocess.Popen(
        [*command, network.hosts_address, str(HOSTS_PORT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield
        finally:
            process.kill()


def inside(namespace: str) -> list[str]:
    """Command that runs the command after it on another machine."""
    return ["ip", "netns", "exec", namespace]


@contextlib.contextmanager
def _down(namespace: str, device: str) -> Iterator[None]:
    _ip("-n", namespace, "link", "set", device, "down")
    try:
        yield
    finally:
        _ip("-n", namespace, "link", "set", device, "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
