"""The same class under the ``label-studio-ml`` package from PyPI, in an environment of its own."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator

import pytest
import requests

from demo.label_studio import Service, free_port
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from tests.contract.images import photo
from tests.contract.wire import captured, check_brush_region
from tests.e2e.conftest import environment

pytestmark = [pytest.mark.peer, pytest.mark.slow]

SCRIPT = "from edgeflow_backend.model import EdgeFlowBackend\n"
"""What docs/label-studio-ml.md tells its reader to put into a file."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("label-studio-ml")
    (folder / "model.py").write_text(SCRIPT)
    tools = environment("label-studio-ml")
    path = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    program = str(tools / "label-studio-ml")
    subprocess.run(
        [program, "init", "served", "--script", "model.py:EdgeFlowBackend"],
        cwd=folder,
        env={**os.environ, **path},
        check=True,
        capture_output=True,
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [program, "start", str(folder / "served"), "--host", "127.0.0.1", "-p", str(port)]
    with Service(command, f"{url}/health", folder / "log", path) as service:
        service.wait(60)
        yield url


def test_health_setup_and_a_captured_click(url: str) -> None:
    body = captured("ui_03_alt_neg_028_predict.json")
    image = base64.b64encode(photo()).decode()
    body["tasks"][0]["data"]["image"] = f"data:image/png;base64,{image}"

    assert requests.get(f"{url}/health", timeout=5).json()["status"] == "UP"
    setup = {
        "project": body["project"],
        "schema": body["label_config"],
        "hostname": "http://127.0.0.1:8080",
        "access_token": "token",
    }
    response = requests.post(f"{url}/setup", json=setup, timeout=30)
    assert response.status_code == 200, response.text
    assert response.json()["model_version"]

    response = requests.post(f"{url}/predict", json=body, timeout=60)
    assert response.status_code == 200, response.text
    (prediction,) = response.json()["results"]
    check_brush_region(prediction["result"][0], body)
    assert prediction["model_version"].startswith(f"{DEFAULT_MODEL}-")

    body["params"]["context"] = None
    assert requests.post(f"{url}/predict", json=body, timeout=60).json()["results"] == [[]]


def test_a_webhook_is_accepted(url: str) -> None:
    body = captured("ui_50_submit_059_webhook.json")
    response = requests.post(f"{url}/webhook", json=body, timeout=30)
    assert response.status_code == 201
    assert response.json()["job_id"]
