from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from demo.label_studio import free_port
from edgeflow import __version__
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow_backend import cli, wsgi
from edgeflow_backend.doctor import model
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.repair import run as repair_run
from edgeflow_backend.repair.run import Line
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from tests.unit.conftest import MakeService
from tests.unit.edgeflow_backend.loopback import Host, Reply
from tests.unit.edgeflow_backend.studio import LEGACY, Studio
from tests.unit.local_service import local


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments), env={"NO_COLOR": "1", "COLUMNS": "120"})


def test_the_version_is_printed() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"edgeflow-backend {__version__}\n"


@pytest.fixture
def _a_quick_model(monkeypatch: pytest.MonkeyPatch, make_service: MakeService) -> None:
    def load(_: Settings, __: Metrics) -> LocalSegmenter:
        return local(make_service())

    monkeypatch.setattr(model, "load_segmenter", load)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Hosts and ports that would have been served."""
    places: list[tuple[str, int]] = []

    def note(host: str, port: int, _: Settings, cluster: str) -> None:
        assert cluster == ""
        places.append((host, port))

    monkeypatch.setattr(wsgi, "serve", note)
    return places


def test_without_a_command_the_help_is_shown() -> None:
    result = run()
    assert "serve" in result.output
    assert "doctor" in result.output
    assert "docs/settings.md" in result.output


def test_serve_explains_its_options() -> None:
    result = run("serve", "--help")
    assert result.exit_code == 0
    assert "--host" in result.output
    assert "--port" in result.output
    assert "9090" in result.output
    assert "127.0.0.1" in result.output


def test_doctor_explains_its_options() -> None:
    result = run("doctor", "--help")
    assert result.exit_code == 0
    assert "--project" in result.output


def test_connect_says_what_it_did(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Studio(host)
    monkeypatch.setenv("LABEL_STUDIO_URL", host.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", LEGACY)
    result = run("connect", "--project", "5", "--url", "http://backend:9090")
    assert result.exit_code == 0
    assert "ok   project 5: this backend (http://backend:9090) was connected" in result.output
    assert len(studio.backends) == 1
    studio.guards_webhooks = True
    result = run("connect", "--project", "5", "--url", "http://backend:9090")
    assert result.exit_code == 1
    assert "USE_DEFAULT_BANNED_SUBNETS" in result.output


def test_serve_listens_on_loopback_unless_told_otherwise(served: list[tuple[str, int]]) -> None:
    assert run("serve").exit_code == 0
    assert run("serve", "--host", "0.0.0.0", "--port", "8000").exit_code == 0
    assert served == [("127.0.0.1", 9090), ("0.0.0.0", 8000)]


def test_a_cluster_without_ray_ends_with_1_and_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    result = run("serve", "--port", str(free_port()), "--cluster", "auto")
    assert result.exit_code == 1
    assert "error: --cluster needs Ray" in result.stderr
    assert "hint: " in result.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_that_is_taken_ends_with_1_and_is_named(host: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--host", host, "--port", str(port))
    assert result.exit_code == 1
    assert f"error: port {port} of {host} is taken" in result.stderr
    assert "hint: " in result.stderr


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_that_is_none_is_refused(served: list[tuple[str, int]], port: str) -> None:
    result = run("serve", "--port", port)
    assert result.exit_code == 2
    assert "--port" in result.output
    assert served == []


@pytest.mark.usefixtures("_a_quick_model")
def test_a_healthy_doctor_ends_with_0() -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert f"ok   weights {DEFAULT_MODEL}-" in result.output
    assert "warn " in result.output
    assert "LABEL_STUDIO_URL" in result.output


@pytest.mark.usefixtures("_a_quick_model")
def test_a_doctor_with_findings_ends_with_1_and_says_what_to_change(
    monkeypatch: pytest.MonkeyPatch, host: Host
) -> None:
    host.routes["*"] = Reply(404)
    monkeypatch.setenv("LABEL_STUDIO_URL", host.url)
    result = run("doctor", "--project", "5")
    assert result.exit_code == 1
    assert "fail " in result.output
    assert "is it Label Studio?" in result.output
    assert "      set LABEL_STUDIO_URL" in result.output


def test_a_model_that_is_not_there_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEFLOW_MODEL", "nothing-like-this")
    result = run("doctor")
    assert result.exit_code == 1
    assert "nothing-like-this" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("failed", "code"), [(False, 0), (True, 1)])
def test_a_repair_prints_its_report_and_ends_with_1_if_something_failed(
    monkeypatch: pytest.MonkeyPatch, failed: bool, code: int
) -> None:
    asked: list[object] = []

    def repair(_: Settings, *how: object, **more: object) -> list[Line]:
        asked.append((*how, more))
        return [Line("fail" if failed else "ok", "task 7: a mask", "do it again")]

    monkeypatch.setattr(repair_run, "repair_project", repair)
    verdict = "fail" if failed else "ok  "
    report = f"{verdict} task 7: a mask\n      do it again\n"
    assert run("repair", "--project", "5").output == report
    options = ("--as", "annotations", "--apply", "--host", "team-b")
    assert run("repair", "--project", "5", *options).exit_code == code
    assert asked == [
        (ProjectRef("", "5"), "predictions", {"apply": False}),
        (ProjectRef("team-b", "5"), "annotations", {"apply": True}),
    ]


def test_a_repair_that_cannot_begin_says_how_to_help_it() -> None:
    result = run("repair", "--project", "5")
    assert result.exit_code == 1
    assert "fail the URL of that Label Studio is not set\n      set LABEL_STUDIO" in result.output
    assert run("repair").exit_code == 2
    assert run("repair", "--project", "5", "--as", "drawings").exit_code == 2


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_a_bad_setting_ends_with_2_and_its_name(
    monkeypatch: pytest.MonkeyPatch, served: list[tuple[str, int]], command: str
) -> None:
    monkeypatch.setenv("EDGEFLOW_MAX_CLICKS", "many-secret")
    result = run(command)
    assert result.exit_code == 2
    assert "max_clicks" in result.stderr.lower()
    assert "hint: docs/settings.md" in result.stderr
    assert "many-secret" not in result.output
    assert "Traceback" not in result.output
    assert served == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EDGEFLOW_MAX_CLICKS", "0"),
        ("EDGEFLOW_LABEL_STUDIO_URL", "studio:8080"),
        ("EDGEFLOW_QUEUE_LIMIT", "1000"),
        ("EDGEFLOW_LOG_LEVEL", "LOUD"),
        ("EDGEFLOW_PROJECT_MODELS", "12:other"),
    ],
)
def test_a_bad_setting_is_told_by_its_variable_as_the_documentation_says(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    result = run("doctor")
    assert result.exit_code == 2
    first, _ = result.stderr.splitlines()
    assert first.startswith("error: ")
    assert name in first
    assert "setting :" not in first


@pytest.mark.slow
def test_the_help_needs_no_model() -> None:
    code = (
        "import sys; from edgeflow_backend.cli import app\n"
        "try: app(['--help'])\n"
        "finally: print('loaded', 'edgeflow_backend.wsgi' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert "loaded False" in done.stdout
