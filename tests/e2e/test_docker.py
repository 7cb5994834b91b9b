"""The container files: parsed as Docker would, and their commands run without an engine."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml
from dockerfile_parse import DockerfileParser

from demo.label_studio import Service, free_port
from tests.contract.images import photo
from tests.contract.wire import check_brush_region, keypoint, request
from tests.e2e.conftest import ROOT

DOCKER = ROOT / "docker"
COMPOSE_FILES = ("compose.yml", "compose.cuda.yml")


def instructions() -> list[dict[str, str]]:
    parser = DockerfileParser(path=str(DOCKER / "Dockerfile"))
    structure: list[dict[str, str]] = parser.structure
    return structure


def values(name: str) -> list[str]:
    return [entry["value"] for entry in instructions() if entry["instruction"] == name]


def test_the_final_image_has_no_build_tools_no_root_and_a_healthcheck() -> None:
    stages = [i for i, entry in enumerate(instructions()) if entry["instruction"] == "FROM"]
    assert len(stages) == 2
    final = instructions()[stages[-1] :]
    assert not any("apt-get" in entry["value"] or "pip" in entry["value"] for entry in final)
    kinds = [entry["instruction"] for entry in final]
    assert kinds.index("USER") < kinds.index("CMD")
    assert "root" not in values("USER")
    assert "HEALTHCHECK" in kinds


def test_everything_that_is_copied_exists_and_reaches_the_build() -> None:
    sent = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().split()}
    for value in values("COPY"):
        words = shlex.split(value)
        if not words[0].startswith("--from"):
            for source in words[:-1]:
                assert (ROOT / source).exists(), source
                assert source in sent, source


def test_the_compose_files_are_valid_and_put_label_studio_beside_the_backend() -> None:
    merged = [yaml.safe_load((DOCKER / name).read_text()) for name in COMPOSE_FILES]
    services = merged[0]["services"]
    assert set(services) == {"label-studio", "backend"}
    assert services["backend"]["environment"]["LABEL_STUDIO_URL"] == "http://label-studio:8080"
    assert services["label-studio"]["environment"]["ML_BLOCK_LOCAL_IP"] == "false"
    dockerfile = DOCKER.parent / services["backend"]["build"]["dockerfile"]
    assert dockerfile == DOCKER / "Dockerfile"

    compose = shutil.which("docker-compose")
    if compose is None and os.environ.get("CI"):
        pytest.fail("NO docker-compose FOUND: install it (it needs no engine to check files)")
    if compose is not None:
        files = [part for name in COMPOSE_FILES for part in ("-f", str(DOCKER / name))]
        subprocess.run([compose, *files, "config", "--quiet"], check=True, cwd=ROOT)


@pytest.fixture(scope="module")
def image_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the build stage makes, in a folder: its own RUN lines, with paths moved there."""
    root = tmp_path_factory.mktemp("image")
    source = root / "src"
    source.mkdir()
    for value in values("COPY"):
        words = shlex.split(value)
        if words[0].startswith("--from"):
            continue
        for name in words[:-1]:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__py*"))
            else:
                shutil.copy2(ROOT / name, source / name)
    arguments = {name: value for name, _, value in (v.partition("=") for v in values("ARG"))}
    environment = {key: value for key, value in os.environ.items() if "PYTHON" not in key}
    builder = root / "builder"
    subprocess.run([sys.executable, "-m", "venv", str(builder)], check=True)
    environment["PATH"] = f"{builder / 'bin'}{os.pathsep}{environment['PATH']}"
    for line in values("RUN"):
        if "useradd" in line:
            continue
        command = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], line)
        command = command.replace("/opt/edgeflow", str(root / "edgeflow"))
        command = command.replace("--extra-index-url", "--retries 1 --extra-index-url")
        subprocess.run(command, shell=True, check=True, cwd=source, env=environment)
    shutil.rmtree(source)
    yield root / "edgeflow"
    shutil.rmtree(root)


@pytest.mark.slow
@pytest.mark.e2e
def test_the_images_own_commands_install_start_and_answer(image_root: Path, tmp_path: Path) -> None:
    start = json.loads(values("CMD")[-1])
    port = free_port()
    start[start.index("0.0.0.0")] = "127.0.0.1"
    start[start.index("9090")] = str(port)
    url = f"http://127.0.0.1:{port}"
    path = {"PATH": f"{image_root / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}
    command = [str(image_root / "bin" / start[0]), *start[1:]]
    with Service(command, f"{url}/health", tmp_path / "log", path) as service:
        service.wait(60)
        check = json.loads(values("HEALTHCHECK")[0].partition("CMD")[2])
        check = [part.replace("9090", str(port)) for part in check]
        subprocess.run([str(image_root / "bin" / check[0]), *check[1:]], check=True)
        body = request(keypoint(50, 50), image=inline_photo())
        (region,) = requests.post(f"{url}/predict", json=body, timeout=30).json()["results"][0][
            "result"
        ]
        check_brush_region(region, body)


def inline_photo() -> str:
    return "data:image/png;base64," + base64.b64encode(photo()).decode()
