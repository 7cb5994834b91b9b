from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.label_studio import (
    ENVIRONMENT,
    TOKEN,
    Client,
    JSONObject,
    Service,
    free_port,
    start_backend,
    start_label_studio,
)
from edgeflow_backend.protocol.config_check import RECOMMENDED

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT / "demo" / "photos"
ARTIFACTS = ROOT / "artifacts"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

LONGEST = (
    "learning_whole", "docker", "recommended_configs", "compose", "annotating", "nothing_happens",
    "shown_labels", "reopened_tasks", "shown_images", "quick_clicks", "export_formats", "demo",
    "wheel", "similar", "pages", "export", "learning", "order", "what_requests_hold",
    "label_studio_ml", "repair",
)  # fmt: skip
"""Files that take most of a minute or more, the longest first; some need no Label Studio yet."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no process works alone at the end.

    Needs ``--no-loadscope-reorder``: else the files with most tests begin.
    """
    ranks = {f"test_{name}.py": rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))


def environment(name: str) -> Path:
    """The ``bin`` folder of one of the Makefile's environments."""
    folder = ROOT / ".envs" / name / "bin"
    if not folder.is_dir():
        pytest.fail(f"the environment {name} is missing: run `make envs`, or `make test-fast`")
    return folder


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where images for people are kept after a test run."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@dataclass(frozen=True)
class Studio:
    """A running Label Studio with a running backend."""

    url: str
    backend_url: str
    backend: Service
    client: Client

    def project(self, title: str, images: list[str], config: str = RECOMMENDED) -> JSONObject:
        """Make a project with sample photographs and the backend connected as interactive."""
        project = self.client.create_project(title, config)
        self.client.import_images(project["id"], [PHOTOS / f"{name}.jpg" for name in images])
        self.client.connect_backend(project["id"], self.backend_url)
        return project


@pytest.fixture(scope="session")
def empty_studio(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Data of a Label Studio that was started once, without a user: its tables take a core 38 s.

    Made by whichever process of this run comes first.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "empty-label-studio"
    made = folder / "made"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            port = free_port()
            command = [
                str(environment("label-studio") / "label-studio"), "start", "--no-browser",
                "--data-dir", str(folder), "--internal-host", "127.0.0.1", "-p", str(port),
            ]  # fmt: skip
            log = folder / "label-studio.log"
            with Service(command, f"http://127.0.0.1:{port}/health", log, ENVIRONMENT) as server:
                server.wait(600)  # demo.run waits as long, too
            made.touch()
    return folder


def copy_studio(empty: Path, folder: Path) -> None:
    """Spare a new Label Studio whose data are in a folder the making of its tables."""
    shutil.copytree(empty, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.log"))


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory, empty_studio: Path) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("label-studio")
    copy_studio(empty_studio, folder)
    port, backend_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    command = Path(sys.executable).with_name("edgeflow-backend")
    settings = {
        "LABEL_STUDIO_URL": url,
        "LABEL_STUDIO_API_KEY": TOKEN,
        "EDGEFLOW_SIMILAR_SECONDS": "60",  # on a busy machine all are found, too
        "EDGEFLOW_PAGES_SECONDS": "90",
    }
    with (
        start_label_studio(
            environment("label-studio") / "label-studio", folder, port, serve_files_below=ROOT
        ) as server,
        start_backend(command, backend_port, folder / "backend.log", settings) as backend,
    ):
        backend.wait(120)
        server.wait(240)
        yield Studio(url, f"http://127.0.0.1:{backend_port}", backend, Client(url))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; without one these tests fail in CI and are skipped aloud elsewhere."""
    for name in CHROMIUM_NAMES:
        if (path := shutil.which(name)) is not None:
            return path
    message = "NO CHROMIUM FOUND: the tests with a real browser did not run (install chromium)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
