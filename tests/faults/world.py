"""A backend with all that it depends on, each of which can be spoiled."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.contract.images import TOKEN
from tests.faults.annotators import Annotator, Tally, Team
from tests.faults.backends import Backend, OneProcess, health
from tests.faults.hosts import Host
from tests.faults.oracle import Oracle

CLOCK = Path(__file__).parent / "jumping_clock"
ROOT = Path(__file__).parents[2]

SETTINGS = {
    "EDGEFLOW_ALLOWED_HOSTS": "127.0.0.1",
    "EDGEFLOW_CONNECT_TIMEOUT_S": "3",
    "EDGEFLOW_READ_TIMEOUT_S": "3",
    "EDGEFLOW_DOWNLOAD_TIMEOUT_S": "5",
    "EDGEFLOW_REQUEST_TIMEOUT_S": "20",
    "EDGEFLOW_MAX_IMAGE_MB": "2",
    # Small, so that pictures are fetched again and states are computed again.
    "EDGEFLOW_IMAGE_CACHE_MB": "8",
    "EDGEFLOW_STATE_CACHE_MB": "40",
}
"""Short waits and small caches."""

PATIENT = {"EDGEFLOW_READ_TIMEOUT_S": "10", "EDGEFLOW_DOWNLOAD_TIMEOUT_S": "15"}
"""Where hosts are well: a busy machine is no fault."""

DISK_CACHE_MB = 1.0
"""A few pictures' files: some are found there, others are fetched again."""


@dataclass
class World:
    """What is there, to be spoiled.

    Attributes:
        backend: Answers clicks.
        pictures: A host of pictures.
        studio: A Label Studio, which has pictures, too.
        cache: Folder of the backend's cache of pictures' files.
        clock: File of the seconds by which the backend's wall clock is off.
        oracle: Judges answers.
    """

    backend: Backend
    pictures: Host
    studio: Host
    cache: Path
    clock: Path
    oracle: Oracle

    def team(self, people: int, tally: Tally, think_s: float = 0.03) -> Team:
        """People who click; some pictures are at Label Studio."""
        images = (self.pictures.url, self.pictures.url, "/data/upload/1")
        return Team(
            [
                Annotator(number, self.backend.url, images, self.oracle, tally, think_s)
                for number in range(people)
            ]
        )


def settings_of(studio: Host, folder: Path, disk_cache_mb: float) -> dict[str, str]:
    """Settings of a backend in a world, with its clock."""
    clock = folder / "clock"
    clock.write_text("0")
    return {
        **SETTINGS,
        "LABEL_STUDIO_URL": studio.url,
        "LABEL_STUDIO_API_KEY": TOKEN,
        "EDGEFLOW_IMAGE_DISK_CACHE_DIR": str(folder / "cache"),
        "EDGEFLOW_IMAGE_DISK_CACHE_MB": str(disk_cache_mb),
        "FAULTS_CLOCK": str(clock),
        "PYTHONPATH": f"{CLOCK}:{ROOT}",
    }


MakeBackend = Callable[[Path, Mapping[str, str]], contextlib.AbstractContextManager[Backend]]
"""Starts a backend with settings, in a folder."""


@contextlib.contextmanager
def world(
    make: MakeBackend = OneProcess,
    *,
    disk_cache_mb: float = DISK_CACHE_MB,
    settings: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """Make a world, and check at its end that nobody saw a token or a traceback.

    Args:
        make: Starts the backend.
        disk_cache_mb: Size of its cache of pictures' files.
        settings: Further settings.
    """
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as name,
        Host() as pictures,
        Host(token=TOKEN) as studio,
    ):
        folder = Path(name)
        environment = settings_of(studio, folder, disk_cache_mb) | dict(settings or {})
        with make(folder, environment) as backend:
            named = health(backend.url).json()["runtime"]
            oracle = Oracle(named.partition(", on ")[0])  # without the number of replicas
            yield World(backend, pictures, studio, folder / "cache", folder / "clock", oracle)
        check_log(backend.log)
        assert pictures.tokens_seen == 0, "a picture's host was sent Label Studio's token"


def check_log(log: Path) -> None:
    """Assert that a backend met nothing that it did not expect, and told no secret."""
    text = log.read_text(errors="replace")
    assert "Traceback" not in text, text[text.index("Traceback") - 500 :][:3000]
    assert TOKEN not in text
