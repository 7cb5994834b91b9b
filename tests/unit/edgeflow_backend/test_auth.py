from __future__ import annotations

from base64 import b64encode

import pytest
from pydantic import SecretStr
from requests.auth import HTTPBasicAuth
from requests.models import PreparedRequest
from werkzeug.datastructures import Authorization

from edgeflow_backend.auth import BasicAuth


def header(user: str, password: str, encoding: str = "utf-8") -> Authorization | None:
    code = b64encode(f"{user}:{password}".encode(encoding)).decode()
    return Authorization.from_header(f"Basic {code}")


def as_label_studio_sends(user: str, password: str) -> Authorization | None:
    """Label Studio uses requests."""
    prepared = PreparedRequest()
    prepared.prepare("GET", "http://127.0.0.1", auth=HTTPBasicAuth(user, password))
    return Authorization.from_header(prepared.headers["Authorization"])


def allows(user: str, password: str, authorization: Authorization | None) -> bool:
    return BasicAuth(user, SecretStr(password)).allows(authorization)


@pytest.mark.parametrize("authorization", [None, header("", ""), header("anna", "x")])
def test_without_user_and_password_everyone_may_pass(authorization: Authorization | None) -> None:
    assert allows("", "", authorization)


@pytest.mark.parametrize(
    ("user", "password"),
    [("anna", "secret"), ("anna", ""), ("", "secret"), ("anna", "with:colon"), ("anna", " ")],
)
def test_the_right_user_and_password_may_pass(user: str, password: str) -> None:
    assert allows(user, password, header(user, password))
    assert allows(user, password, as_label_studio_sends(user, password))


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("anna", "wrong"),
        ("anna", ""),
        ("", "secret"),
        ("", ""),
        ("Anna", "secret"),
        ("anna", "secret "),
        ("anna", "secret\0"),
        ("secret", "anna"),
        ("ännä", "sécret"),
    ],
)
def test_a_wrong_user_or_password_may_not_pass(user: str, password: str) -> None:
    assert not allows("anna", "secret", header(user, password))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YW5uYQ==",
        "Basic //79/A==",
        "Bearer anna:secret",
        "Token abc",
        'Digest username="anna"',
        "basic\0",
        "YW5uYTpzZWNyZXQ=",
    ],
)
def test_a_header_of_another_form_may_not_pass(text: str) -> None:
    assert not allows("anna", "secret", Authorization.from_header(text))


def test_no_header_may_not_pass() -> None:
    assert not allows("anna", "secret", None)


@pytest.mark.parametrize(("user", "password"), [("ännä", "Käse"), ("anna", "猫"), ("яна", "x")])
def test_other_letters_than_ascii_may_pass(user: str, password: str) -> None:
    assert allows(user, password, header(user, password))
    assert not allows(user, password, header(user, "wrong"))


def test_the_password_does_not_appear_in_the_objects_text() -> None:
    assert "secret" not in repr(BasicAuth("anna", SecretStr("secret")))
