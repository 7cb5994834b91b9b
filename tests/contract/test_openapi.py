"""A running backend against its own description, with requests that schemathesis makes up.

Among them are bodies that the description forbids, other methods, and wrong passwords. They are the
same in all runs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.label_studio import Service, free_port, start_backend
from edgeflow_backend.openapi.operations import OPERATIONS
from tests.contract.conftest import LIMITS

CONFIG = Path(__file__).with_name("schemathesis.toml")
PATIENCE_S = 600
USER, PASSWORD = "user", "pass-word"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("openapi")
    command = Path(sys.executable).with_name("edgeflow-backend")
    environment = {
        **LIMITS,
        "EDGEFLOW_BASIC_AUTH_USER": USER,
        "EDGEFLOW_BASIC_AUTH_PASSWORD": PASSWORD,
    }
    with start_backend(command, free_port(), folder / "log", environment) as service:
        service.wait(60)
        yield service


@pytest.mark.slow
def test_whatever_is_asked_is_answered_as_described(service: Service, tmp_path: Path) -> None:
    url = service.health.replace("/health", "/openapi.json")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", url]
    asked = subprocess.run(
        [*command, "--auth", f"{USER}:{PASSWORD}", "--no-color"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    others = len(OPERATIONS) - 1  # the description's own is left out
    assert re.search(rf"Operations: +{others} selected", asked.stdout), asked.stdout
    log = service.log.read_text()
    assert "Traceback" not in log
    assert PASSWORD not in log
