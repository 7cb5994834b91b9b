"""Label Studio as the backend sees it: certificates, public URLs, subpaths, logins, redirects.

One backend knows a Label Studio for each case, by a name of its own.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from demo.label_studio import Service, free_port, start_backend
from tests.contract.images import TOKEN, photo
from tests.contract.tls import Authority, Host, Reply, self_signed
from tests.contract.wire import JSONObject, keypoint, request

UPLOAD = "/data/upload/1/cat.png"
LOGIN = "anna:pass word"
HTML = b"<!DOCTYPE html><html><body>Log in</body></html>"
BASIC = f"Basic {base64.b64encode(LOGIN.encode()).decode()}"


def studio(path: str, headers: Mapping[str, str]) -> Reply:
    """Label Studio: wants the token, in either header."""
    key = headers.get("X-Api-Key")
    token = f"Token {key}" if key else headers.get("Authorization")
    if token != f"Token {TOKEN}":
        return 401, {}, b'{"detail": "no"}'
    return (200, {}, photo()) if path.startswith("/data/") else (404, {}, b"")


def behind_a_login(path: str, headers: Mapping[str, str]) -> Reply:
    """A reverse proxy that wants HTTP Basic, and passes all on to Label Studio."""
    if headers.get("Authorization") != BASIC:
        return 401, {"WWW-Authenticate": "Basic"}, b""
    return studio(path, headers)


def below_a_path(path: str, headers: Mapping[str, str]) -> Reply:
    """A reverse proxy that serves Label Studio below /labels, and nothing else."""
    if not path.startswith("/labels/"):
        return 404, {}, b""
    return studio(path.removeprefix("/labels"), headers)


def to_https(path: str, headers: Mapping[str, str]) -> Reply:
    return 301, {"Location": f"https://{headers['Host']}{path}"}, b""


def to_a_login(_: str, __: Mapping[str, str]) -> Reply:
    return 302, {"Location": "/user/login/?next=/data/"}, b""


def a_login(_: str, __: Mapping[str, str]) -> Reply:
    return 200, {"Content-Type": "text/html"}, HTML


def picky(_: str, headers: Mapping[str, str]) -> Reply:
    """A host that refuses nameless programs, also after a redirect."""
    named = headers.get("User-Agent", "").startswith("edgeflow-backend/")
    return (200, {}, photo()) if named else (403, {}, b"")


class Hosts(NamedTuple):
    """The backend, and the hosts it knows."""

    service: Service
    hosts: dict[str, Host]
    elsewhere: Host

    @property
    def url(self) -> str:
        return self.service.health.removesuffix("/health")

    def click(self, name: str, image: str) -> JSONObject:
        """Click in a task of one Label Studio; returns the error, empty if there is none."""
        path = f"/hosts/{name}/predict" if name else "/predict"
        body = request(keypoint(45, 60), image=image)
        answer = requests.post(self.url + path, json=body, timeout=30).json()["results"][0]
        assert bool(answer["result"]) != bool(answer.get("error"))
        return answer.get("error") or {}

    def set_up(self, name: str, hostname: object) -> None:
        body = {"project": "1.1", "schema": "<View/>", "hostname": hostname, "access_token": "x"}
        requests.post(f"{self.url}/hosts/{name}/setup", json=body, timeout=30).raise_for_status()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    folder = tmp_path_factory.mktemp("hosts")
    ours, theirs = Authority(folder / "ours"), Authority(folder / "theirs")
    cas = folder / "cas"
    cas.mkdir()
    (cas / "company.crt").write_bytes(ours.file.read_bytes())
    (cas / "README").write_text("not a certificate")
    with contextlib.ExitStack() as stack:

        def add(answer: object, tls: Path | None = None) -> Host:
            return stack.enter_context(Host(answer, tls))  # type: ignore[arg-type]

        elsewhere = add(picky)
        hosts = {
            "private-ca": add(studio, ours.certificate()),
            "unknown-ca": add(studio, theirs.certificate()),
            "expired": add(studio, ours.certificate(days=-1)),
            "wrong-name": add(studio, ours.certificate("other.example")),
            "self-signed": add(studio, self_signed(folder / "self")),
            "plain": add(studio),
            "speaks-http": add(studio),
            "speaks-https": add(studio, ours.certificate()),
            "login": add(behind_a_login),
            "no-login": add(behind_a_login),
            "unasked-login": add(studio),
            "subpath": add(below_a_path),
            "no-subpath": add(below_a_path),
            "inside": add(studio),
            "configured": add(studio),
            "to-https": add(to_https),
            "to-login": add(to_a_login),
            "html": add(a_login),
        }
        urls = {name: f"http://127.0.0.1:{host.port}" for name, host in hosts.items()}
        for name in ("private-ca", "unknown-ca", "expired", "wrong-name", "self-signed"):
            urls[name] = f"https://localhost:{hosts[name].port}"
        urls["speaks-http"] = urls["speaks-http"].replace("http:", "https:")
        urls["login"] = f"http://anna:pass%20word@127.0.0.1:{hosts['login'].port}"
        urls["unasked-login"] = f"http://anna:pw-1@127.0.0.1:{hosts['unasked-login'].port}/"
        urls["subpath"] += "/labels/"
        settings = {name: {"url": url, "api_key": TOKEN} for name, url in urls.items()}
        settings["configured"]["public_url"] = "https://Labels.example:8443/labels/"
        environment = {
            "EDGEFLOW_CA_BUNDLE": str(cas),
            "EDGEFLOW_LABEL_STUDIO_HOSTS": json.dumps(settings),
            "EDGEFLOW_ALLOWED_HOSTS": f"127.0.0.1:{elsewhere.port}",
            "EDGEFLOW_LOG_LEVEL": "DEBUG",
            "EDGEFLOW_IMAGE_CACHE_MB": "0",
        }
        command = Path(sys.executable).with_name("edgeflow-backend")
        service = start_backend(command, free_port(), folder / "backend.log", environment)
        with service:
            service.wait(60)
            yield Hosts(service, hosts, elsewhere)


@pytest.mark.parametrize(
    "name", ["private-ca", "plain", "login", "unasked-login", "subpath", "inside", "configured"]
)
def test_an_upload_is_fetched(world: Hosts, name: str) -> None:
    assert world.click(name, UPLOAD) == {}
    assert world.hosts[name].images[-1].headers["User-Agent"].startswith("edgeflow-backend/")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("unknown-ca", "authority that is not trusted", "EDGEFLOW_CA_BUNDLE"),
        ("self-signed", "is self-signed", "EDGEFLOW_CA_BUNDLE"),
        ("expired", "has expired", "renew"),
        ("wrong-name", "another host name", "url of 'wrong-name'"),
        ("speaks-http", "speaks plain http", "must begin with http://"),
        ("speaks-https", "could not be fetched", "must begin with https://"),
        ("no-login", "HTTP 401", "api_key of 'no-login'"),
        ("no-subpath", "HTTP 404", "url of 'no-subpath' in EDGEFLOW_LABEL_STUDIO_HOSTS lacks"),
        ("to-https", "redirects", "set the url of 'to-https'"),
        ("to-login", "login page", "url of 'to-login'"),
        ("html", "HTML page", "url of 'html'"),
    ],
)
def test_a_label_studio_that_cannot_be_asked_is_told_with_the_way_out(
    world: Hosts, name: str, message: str, hint: str
) -> None:
    error = world.click(name, UPLOAD)
    assert message in error["message"]
    assert hint in error["hint"]


@pytest.mark.parametrize(
    ("told", "image"),
    [
        ("https://labels.example", f"https://labels.example{UPLOAD}"),
        ("https://labels.example/", f"https://labels.example{UPLOAD}"),
        ("https://labels.example", f"http://labels.example{UPLOAD}"),
        ("https://LABELS.example", f"https://Labels.Example:443{UPLOAD}"),
        ("http://labels.example:8080", f"http://labels.example:8080{UPLOAD}"),
        ("https://labels.example/ls", f"https://labels.example/ls{UPLOAD}"),
        ("https://labels.example/ls/", f"/ls{UPLOAD}"),
        ("https://labels.example/ls", UPLOAD),
        ("https://labels.example", f"https://u:p@labels.example{UPLOAD}"),
        ("/ls", f"/ls{UPLOAD}"),
        ("http://[fd00::1]:8080", f"http://[fd00::1]:8080{UPLOAD}"),
    ],
)
def test_an_image_at_the_public_url_is_fetched_inside(world: Hosts, told: str, image: str) -> None:
    world.set_up("inside", told)
    assert world.click("inside", image) == {}
    assert world.hosts["inside"].images[-1].path == UPLOAD


@pytest.mark.parametrize("told", ["https://elsewhere.invalid", None])
def test_a_public_url_in_the_settings_counts_whatever_is_told(world: Hosts, told: object) -> None:
    world.set_up("configured", told)
    assert world.click("configured", f"https://labels.example:8443/labels{UPLOAD}") == {}
    assert world.click("configured", f"https://elsewhere.invalid{UPLOAD}") != {}


@pytest.mark.parametrize(
    "image",
    [
        f"https://labels.example.invalid{UPLOAD}",
        f"https://labels.example@evil.invalid{UPLOAD}",
        f"https://evil.invalid\\@labels.example{UPLOAD}",
        f"https://evil.invalid#@labels.example{UPLOAD}",
        f"https://evil.invalid/https://labels.example{UPLOAD}",
        f"https://xlabels.example.invalid{UPLOAD}",
        f"https://labels.example:8081{UPLOAD}",
        "https://labels.example/photos/cat.png",
    ],
)
def test_an_image_elsewhere_is_not_asked_of_label_studio(world: Hosts, image: str) -> None:
    world.set_up("inside", "https://labels.example")
    before = len(world.hosts["inside"].images)
    assert world.click("inside", image) != {}
    assert len(world.hosts["inside"].images) == before


@pytest.mark.parametrize(
    "told", [5, [], {}, "", "labels.example", "ftp://labels.example", "http://[", "x" * 10_000]
)
def test_any_other_public_url_is_ignored(world: Hosts, told: object) -> None:
    world.set_up("inside", told)
    assert world.click("inside", UPLOAD) == {}


def test_an_image_of_a_label_studio_without_a_url_is_told(world: Hosts) -> None:
    body = {"project": "1.1", "hostname": "https://labels.example"}
    requests.post(f"{world.url}/setup", json=body, timeout=30).raise_for_status()
    assert "LABEL_STUDIO_URL" in world.click("", f"https://labels.example{UPLOAD}")["hint"]


def test_every_host_gets_our_name(world: Hosts) -> None:
    assert world.click("plain", f"http://127.0.0.1:{world.elsewhere.port}/a.png") == {}


def test_the_token_and_the_login_go_to_label_studio_only(world: Hosts) -> None:
    world.click("login", f"http://127.0.0.1:{world.elsewhere.port}/a.png")
    headers = world.elsewhere.received[-1].headers
    assert headers.get("Authorization") is None
    assert headers.get("X-Api-Key") is None


def test_neither_token_nor_login_is_ever_written(world: Hosts) -> None:
    for name in world.hosts:
        world.click(name, UPLOAD)
    status = requests.get(f"{world.url}/status?format=json", timeout=30).text
    written = world.service.log.read_text() + status
    for secret in (TOKEN, "pass word", "pass%20word", "pw-1", "anna", BASIC.split()[1]):
        assert secret not in written
