"""What Compose starts, started without an engine: its own commands and variables, on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from dockerfile_parse import DockerfileParser

from demo.label_studio import ENVIRONMENT, Client, JSONObject, Service, free_port
from edgeflow_backend.connect.sample import TITLE
from edgeflow_backend.protocol.config_check import RECOMMENDED
from tests.e2e.conftest import PHOTOS, ROOT, copy_studio, environment

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

GIVEN = {
    "LABEL_STUDIO_USERNAME": "anna@example.com",
    "LABEL_STUDIO_PASSWORD": "a-password-of-our-own",
    "LABEL_STUDIO_API_KEY": "a-token-of-our-own",
    "EDGEFLOW_BASIC_AUTH_USER": "label-studio",
    "EDGEFLOW_BASIC_AUTH_PASSWORD": "a-third-secret",
}
"""Variables of whoever starts Compose."""

GUARDS = ("USE_DEFAULT_BANNED_SUBNETS", "USER_ADDITIONAL_BANNED_SUBNETS")


def services() -> dict[str, Any]:
    """The services, with the variables filled in as Compose does."""

    def fill(match: re.Match[str]) -> str:
        return GIVEN.get(match[1], match[2])

    text = (ROOT / "docker" / "compose.yml").read_text()
    found: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+):-([^}]*)\}", fill, text))["services"]
    return found


@dataclass
class Stack:
    """The services on loopback instead of a network of their own."""

    folder: Path
    port: int
    backend_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def backend_url(self) -> str:
        return f"http://127.0.0.1:{self.backend_port}"

    @property
    def client(self) -> Client:
        return Client(self.url, GIVEN["LABEL_STUDIO_API_KEY"])

    def variables(self, name: str) -> dict[str, str]:
        """A service's variables; the backend's network is loopback here."""
        found: dict[str, str] = dict(services()[name]["environment"])
        for key, value in found.items():
            found[key] = value.replace("http://label-studio:8080", self.url).replace(
                "http://backend:9090", self.backend_url
            )
        if name == "label-studio":
            banned = found["USER_ADDITIONAL_BANNED_SUBNETS"].split(",")
            found["USER_ADDITIONAL_BANNED_SUBNETS"] = ",".join(
                subnet for subnet in banned if subnet != "127.0.0.0/8"
            )
        return found

    @contextmanager
    def label_studio(self, **guards: str) -> Iterator[None]:
        """Label Studio with Compose's guard against private addresses, or with another one."""
        quiet = {key: value for key, value in ENVIRONMENT.items() if key not in GUARDS}
        variables = {**quiet, **self.variables("label-studio")}
        if guards:
            variables = {key: value for key, value in variables.items() if key not in GUARDS}
        command = [
            str(environment("label-studio") / "label-studio"), "start", "--no-browser",
            "--data-dir", str(self.folder), "--internal-host", "127.0.0.1", "-p", str(self.port),
        ]  # fmt: skip
        log = self.folder / "label-studio.log"
        with Service(command, f"{self.url}/health", log, {**variables, **guards}) as service:
            service.wait(240)
            yield

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the service ``setup``."""
        program = str(Path(sys.executable).with_name(command[0]))
        arguments = [word.replace("/photos", str(PHOTOS)) for word in command[1:]]
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, **self.variables("setup")},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        for secret in ("a-third-secret", "a-token-of-our-own"):
            assert secret not in done.stdout + done.stderr
        return done

    def events(self, action: str) -> float:
        """How many events of a kind the backend has had."""
        login = (GIVEN["EDGEFLOW_BASIC_AUTH_USER"], GIVEN["EDGEFLOW_BASIC_AUTH_PASSWORD"])
        text = requests.get(f"{self.backend_url}/metrics", auth=login, timeout=10).text
        counts = re.findall(
            rf'^edgeflow_\w*events_total{{[^}}]*"{action}"[^}}]*}} (\S+)', text, re.MULTILINE
        )
        return sum(map(float, counts))

    def annotate(self, project: int) -> None:
        """Submit an annotation of a project's first task."""
        task = self.client.call("GET", "tasks", params={"project": project})["tasks"][0]
        self.client.call("POST", f"tasks/{task['id']}/annotations/", json={"result": []})

    def new_project(self, title: str) -> int:
        project = self.client.create_project(title, RECOMMENDED)
        self.client.import_images(project["id"], [PHOTOS / "coins.jpg"])
        return int(project["id"])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, empty_studio: Path) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("compose")
    copy_studio(empty_studio, folder)
    stack = Stack(folder, free_port(), free_port())
    parser = DockerfileParser(path=str(ROOT / "docker" / "Dockerfile"))
    (start,) = [entry["value"] for entry in parser.structure if entry["instruction"] == "CMD"]
    command = [
        word.replace("0.0.0.0", "127.0.0.1").replace("9090", str(stack.backend_port))
        for word in json.loads(start)
    ]
    command[0] = str(Path(sys.executable).with_name(command[0]))
    variables = stack.variables("backend")
    health = f"{stack.backend_url}/health"
    with Service(command, health, folder / "backend.log", variables) as backend:
        backend.wait(120)
        yield stack


def rows(stack: Stack, project: int) -> tuple[list[JSONObject], list[JSONObject]]:
    backends = stack.client.call("GET", "ml", params={"project": project})
    webhooks = stack.client.call("GET", "webhooks/", params={"project": project})
    for row in (*backends, *webhooks):
        row.pop("updated_at")
    return backends, webhooks


def test_the_first_start_is_the_whole_set_up(stack: Stack) -> None:
    with stack.label_studio():
        setup = services()["setup"]["command"]
        done = stack.run(*setup)
        assert done.returncode == 0, done.stdout + done.stderr
        project = stack.client.find_project(TITLE)
        assert project is not None
        number = project["id"]
        tasks = stack.client.call("GET", "tasks", params={"project": number})["tasks"]
        assert len(tasks) == len(list(PHOTOS.glob("*.jpg")))

        (backend,), (webhook,) = before = rows(stack, number)
        assert (backend["state"], backend["is_interactive"]) == ("CO", True)
        assert webhook["url"] == f"{stack.backend_url}/webhook"
        check_a_click_gets_a_mask(stack, backend["id"], tasks[0]["id"])
        stack.annotate(number)
        assert stack.events("ANNOTATION_CREATED") == 1, "the password went along"

        again = stack.run(*setup)
        assert again.returncode == 0
        assert rows(stack, number) == before
        stack.client.call("PATCH", f"webhooks/{webhook['id']}/", json={"headers": {}})
        report = stack.run("edgeflow-backend", "doctor", "--project", str(number))
        assert report.returncode == 1
        assert "gets the clicks" in report.stdout
        assert report.stdout.count("fail ") == 1, report.stdout
        assert "sends no password" in report.stdout
        stack.annotate(number)
        assert stack.events("ANNOTATION_CREATED") == 1, "such an event gets 401"
        assert stack.run("edgeflow-backend", "connect", "--project", str(number)).returncode == 0
        stack.annotate(number)
        assert stack.events("ANNOTATION_CREATED") == 2
        check_who_may_come_in(stack)


def check_a_click_gets_a_mask(stack: Stack, backend: int, task: int) -> None:
    point: JSONObject = {"x": 50, "y": 50, "width": 0.5, "labels": []}
    click = {
        "value": point, "type": "keypoint", "from_name": "click", "to_name": "image",
        "original_width": 512, "original_height": 512, "is_positive": True, "id": "abc",
    }  # fmt: skip
    body = {"task": task, "context": {"result": [click]}}
    answer = stack.client.call("POST", f"ml/{backend}/interactive-annotating", json=body)
    assert answer["data"]["result"][0]["type"] == "brushlabels", answer


def check_who_may_come_in(stack: Stack) -> None:
    """The user that the variables name, and nobody who only finds the sign-up page."""
    for path, user, lets_in in (
        ("/user/login/", GIVEN["LABEL_STUDIO_USERNAME"], True),
        ("/user/signup/", "eve@example.com", False),
    ):
        with requests.Session() as browser:
            browser.get(f"{stack.url}{path}", timeout=30)
            form = {
                "email": user,
                "password": GIVEN["LABEL_STUDIO_PASSWORD"],
                "csrfmiddlewaretoken": browser.cookies.get("csrftoken", ""),
            }
            answer = browser.post(f"{stack.url}{path}", data=form, timeout=30)
            assert answer.ok == lets_in, (path, answer.status_code)
            whoami = browser.get(f"{stack.url}/api/current-user/whoami", timeout=30)
            assert whoami.ok == lets_in


def test_only_one_of_the_two_guards_switched_off_is_told(stack: Stack) -> None:
    with stack.label_studio(ML_BLOCK_LOCAL_IP="false"):
        project = stack.new_project("one guard")
        done = stack.run("edgeflow-backend", "connect", "--project", str(project))
        assert done.returncode == 1
        assert "SSRF_PROTECTION_ENABLED" in done.stdout
        assert "USE_DEFAULT_BANNED_SUBNETS" in done.stdout
        backends, webhooks = rows(stack, project)
        assert len(backends) == 1
        assert webhooks == [], "so no event would come"


def test_both_guards_switched_off_let_clicks_and_events_through(stack: Stack) -> None:
    with stack.label_studio(ML_BLOCK_LOCAL_IP="false", SSRF_PROTECTION_ENABLED="false"):
        project = stack.new_project("no guards")
        done = stack.run("edgeflow-backend", "connect", "--project", str(project))
        assert done.returncode == 0, done.stdout + done.stderr
        before = stack.events("ANNOTATION_CREATED")
        stack.annotate(project)
        assert stack.events("ANNOTATION_CREATED") == before + 1

    with stack.label_studio(ML_BLOCK_LOCAL_IP="false"):  # switched on again, after connecting
        stack.annotate(project)
        assert stack.events("ANNOTATION_CREATED") == before + 1, "it does not arrive"
        report = stack.run("edgeflow-backend", "doctor", "--project", str(project))
        assert report.returncode == 1
        assert report.stdout.count("fail ") == 1, report.stdout
        assert "no longer sent: URL resolves to a reserved network address" in report.stdout
        assert len(rows(stack, project)[1]) == 1, "what was tried left nothing behind"
