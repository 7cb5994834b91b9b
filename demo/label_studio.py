"""Runs a real Label Studio on loopback, from its own environment; also used by the tests."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

EMAIL = "demo@example.com"
PASSWORD = "edgeflow-demo"
TOKEN = "e".ljust(40, "f")

PRIVATE_SUBNETS = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::ffff:0:0/96", "::ffff:0:0:0/96",
    "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:20::/28", "2001:db8::/32",
    "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
)  # fmt: skip
"""What Label Studio refuses to call by default, without loopback, where the backend runs."""

ENVIRONMENT = {
    "USE_DEFAULT_BANNED_SUBNETS": "false",
    "USER_ADDITIONAL_BANNED_SUBNETS": ",".join(PRIVATE_SUBNETS),
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    # The first start compiles what it imports; were that not kept, every start would take as long.
    "PYTHONDONTWRITEBYTECODE": "",
}

JSONObject = dict[str, Any]


def free_port(preferred: int = 0) -> int:
    """``preferred`` if nothing listens there, else another free port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", preferred))
            return int(probe.getsockname()[1])
    return free_port()


class Service:
    """A server process that is stopped, with its children, at the end of a ``with`` block.

    Args:
        command: Program and arguments.
        health: URL that answers 200 once the server is ready.
        log: File that its output is appended to.
        environment: Environment variables added to those of this process.
        session: Whether it gets a session of its own. Linux weighs priorities within a session
            only, each of which gets its share.
    """

    def __init__(
        self,
        command: list[str],
        health: str,
        log: Path,
        environment: dict[str, str],
        *,
        session: bool = True,
    ) -> None:
        self.health = health
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=session,
                preexec_fn=None if session else os.setpgrp,  # noqa: PLW1509 - no threads yet
            )

    def wait(self, seconds: float, tell: Callable[[], None] = lambda: None) -> None:
        """Wait until the service answers 200.

        Args:
            seconds: To wait at most.
            tell: Called every five seconds meanwhile.

        Raises:
            RuntimeError: The service ended, or did not answer in time.
        """
        deadline = time.monotonic() + seconds
        told = time.monotonic()
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if time.monotonic() - told > 5:
                tell()
                told = time.monotonic()
            with contextlib.suppress(requests.RequestException):
                if requests.get(self.health, timeout=2).ok:
                    return
            time.sleep(0.2)
        tail = self.log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.health} does not answer; its log {self.log} ends with:\n{tail}")

    def stop(self) -> None:
        """End the process and its children."""
        for sign, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
                return

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_label_studio(
    executable: Path, folder: Path, port: int, *, serve_files_below: Path | None = None
) -> Service:
    """Start Label Studio without waiting for it.

    Args:
        executable: The program ``label-studio`` in an environment of its own.
        folder: Folder of its data, which stay there between runs.
        port: Port on loopback.
        serve_files_below: Root of Label Studio's "local files" storage; None for no such storage.
    """
    url = f"http://127.0.0.1:{port}"
    command = [
        str(executable), "start", "-b",
        "--data-dir", str(folder), "--internal-host", "127.0.0.1", "-p", str(port),
        "--host", url, "--username", EMAIL, "--password", PASSWORD,
        "--user-token", TOKEN, "--enable-legacy-api-token",
    ]  # fmt: skip
    environment = dict(ENVIRONMENT)
    if serve_files_below is not None:
        environment["LOCAL_FILES_SERVING_ENABLED"] = "true"
        environment["LOCAL_FILES_DOCUMENT_ROOT"] = str(serve_files_below)
    return Service(command, f"{url}/health", folder / "label-studio.log", environment)


def start_backend(
    executable: Path, port: int, log: Path, environment: dict[str, str], *, session: bool = True
) -> Service:
    """Start ``edgeflow-backend serve`` on loopback without waiting for it."""
    command = [str(executable), "serve", "--host", "127.0.0.1", "--port", str(port)]
    return Service(command, f"http://127.0.0.1:{port}/health", log, environment, session=session)


class Client:
    """The few calls of Label Studio's HTTP API that are needed here.

    Args:
        url: URL of Label Studio without a trailing slash.
        token: Legacy token.
    """

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {token}"

    def call(self, method: str, path: str, **kwargs: Any) -> Any:  # noqa: ANN401 - JSON
        """Call ``/api/…`` and return the JSON answer.

        Raises:
            RuntimeError: The answer is an HTTP error; the message has its text.
        """
        response = self.raw(method, path, **kwargs)
        return response.json() if response.content else None

    def raw(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Like :meth:`call`, but return the whole response."""
        response = self._session.request(method, f"{self.url}/api/{path}", timeout=120, **kwargs)
        if not response.ok:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        return response

    def find_project(self, title: str) -> JSONObject | None:
        """The project with this title, if there is one."""
        projects = self.call("GET", "projects", params={"title": title})["results"]
        return next((project for project in projects if project["title"] == title), None)

    def create_project(self, title: str, label_config: str) -> JSONObject:
        """Create a project that lets annotators use the smart tools."""
        body = {
            "title": title,
            "label_config": label_config,
            "reveal_preannotations_interactively": True,
        }
        project: JSONObject = self.call("POST", "projects", json=body)
        return project

    def import_images(self, project: int, images: Iterable[Path]) -> None:
        """Upload images, one task each."""
        for image in images:
            with image.open("rb") as file:
                self.call("POST", f"projects/{project}/import", files={image.name: file})

    def tasks(self, project: int) -> list[JSONObject]:
        """All tasks of a project, oldest first."""
        answer = self.call("GET", "tasks", params={"project": project, "page_size": 100})
        tasks: list[JSONObject] = answer["tasks"]
        return sorted(tasks, key=lambda task: int(task["id"]))

    def connect_backend(self, project: int, url: str) -> JSONObject:
        """Connect an interactive ML backend, or update the URL of the connected one."""
        body = {"url": url, "project": project, "title": "EdgeFlow", "is_interactive": True}
        backends = self.call("GET", "ml", params={"project": project})
        if backends:
            backend: JSONObject = self.call("PATCH", f"ml/{backends[0]['id']}", json=body)
        else:
            backend = self.call("POST", "ml", json=body)
        return backend
