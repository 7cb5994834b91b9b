"""The password guards every address but ``/health``: known, unknown, of any method, of any host."""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edgeflow_backend.app import create_app
from edgeflow_backend.net.label_studio_host import LabelStudioHost
from edgeflow_backend.settings import Settings

USER, PASSWORD = "anna", "Käse:猫"
KNOWN, UNKNOWN = "team-b", "team-c"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "DELETE", "TRACE", "X-OWN")
OPEN = {("GET", "/health"), ("HEAD", "/health"), ("OPTIONS", "/health")}

ASTRAY = [
    "/unknown",
    "/health/",
    "//health",
    "/health/..",
    "/Health",
    "/health%20",
    "/health;x",
    "/hosts",
    "/hosts/",
    "/hosts//health",
    "/hosts/../health",
    f"/hosts/{KNOWN}",
    f"/hosts/{KNOWN}/health/",
    f"/hosts/{KNOWN}/unknown",
    "/static/x",
    "/.env",
]


def basic(text: str, encoding: str = "utf-8") -> str:
    return f"Basic {b64encode(text.encode(encoding)).decode()}"


RIGHT = basic(f"{USER}:{PASSWORD}")
WRONG = {
    "nothing": None,
    "empty": "",
    "wrong password": basic(f"{USER}:wrong"),
    "wrong user": basic(f"bob:{PASSWORD}"),
    "no password": basic(USER),
    "a part": basic(f"{USER}:{PASSWORD}"[:-1]),
    "more": basic(f"{USER}:{PASSWORD}x"),
    "garbage": "Basic !!!",
    "another scheme": RIGHT.replace("Basic", "Bearer"),
    "twice": f"{RIGHT}, {RIGHT}",
}


@pytest.fixture(scope="module")
def app() -> Flask:
    """An application without a model, which none of these requests needs."""

    def fail(*_: object) -> None:
        raise AssertionError

    hosts = {KNOWN: LabelStudioHost(url="http://127.0.0.1:1")}
    settings = Settings(
        basic_auth_user=USER, basic_auth_password=PASSWORD, label_studio_hosts=hosts
    )
    return create_app(settings, fail)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def addresses(app: Flask) -> list[str]:
    """Each route's, of no host, a known one and one that is not there; and some astray."""
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    found = {rule.replace("<host>", host) for rule in rules for host in (KNOWN, UNKNOWN)}
    assert not [address for address in found if "<" in address]
    assert {"/health", "/predict", f"/hosts/{KNOWN}/predict", f"/hosts/{UNKNOWN}/"} <= found
    return sorted(found) + ASTRAY


def requests_for(addresses: list[str]) -> Iterator[tuple[str, str]]:
    return (each for each in itertools.product(METHODS, addresses) if each not in OPEN)


@pytest.mark.parametrize("sent", WRONG.values(), ids=WRONG)
def test_without_the_password_all_addresses_give_one_answer(
    client: FlaskClient, addresses: list[str], sent: str | None
) -> None:
    headers = {} if sent is None else {"Authorization": sent}
    answers = set()
    for method, address in requests_for(addresses):
        response = client.open(address, method=method, headers=headers)
        assert response.status_code == 401, (method, address)
        assert response.headers["WWW-Authenticate"] == 'Basic realm="edgeflow"'
        if method != "HEAD":
            error = dict(response.get_json()["error"])
            error.pop("id", None)  # of a click, on the status page
            answers.add(tuple(sorted(error.items())))
    assert len(answers) == 1  # which addresses and hosts there are is not told


@pytest.mark.parametrize("sent", WRONG.values(), ids=WRONG)
def test_health_answers_whoever_asks(client: FlaskClient, sent: str | None) -> None:
    headers = {} if sent is None else {"Authorization": sent}
    for method, address in OPEN:
        assert client.open(address, method=method, headers=headers).status_code in (200, 503)


def test_with_the_password_no_address_asks_for_it_again(
    client: FlaskClient, addresses: list[str]
) -> None:
    for method, address in requests_for(addresses):
        response = client.open(address, method=method, headers={"Authorization": RIGHT})
        assert response.status_code != 401, (method, address)


@pytest.mark.parametrize(
    "name", [UNKNOWN, "team-b%20", "Team-B", "..", "%2e%2e", "team-b%2F..", "%00", "a" * 5000]
)
def test_a_host_is_one_of_the_settings(client: FlaskClient, name: str) -> None:
    headers = {"Authorization": RIGHT}
    for page in ("", "/health", "/metrics", "/status"):
        assert client.get(f"/hosts/{KNOWN}{page}", headers=headers).status_code in (200, 308, 503)
        answer = client.get(f"/hosts/{name}{page}", headers=headers)
        assert answer.status_code == 404
        assert name not in answer.text


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost", "http://127.0.0.1:9090", ""]
)
def test_a_page_in_a_browser_changes_nothing(
    client: FlaskClient, addresses: list[str], origin: str
) -> None:
    """Not even one whose own name leads here by now: it would have the backend's for its origin."""
    headers = {"Authorization": RIGHT, "Origin": origin}
    for address in addresses:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            response = client.open(address, method=method, headers=headers)
            assert response.status_code == 403, (method, address)
            assert response.get_json()["error"]["code"] == "forbidden"


def test_no_answer_lets_a_page_of_another_origin_read_it(
    client: FlaskClient, addresses: list[str]
) -> None:
    headers = {"Authorization": RIGHT, "Origin": "https://evil.example"}
    preflight = {**headers, "Access-Control-Request-Method": "POST"}
    for address in addresses:
        for method, sent in (("GET", headers), ("OPTIONS", preflight)):
            response = client.open(address, method=method, headers=sent)
            assert "access-control" not in str(response.headers).lower()
