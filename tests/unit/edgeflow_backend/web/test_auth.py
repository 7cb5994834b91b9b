from __future__ import annotations

from base64 import b64encode

import pytest
from pydantic import SecretStr
from requests.auth import HTTPBasicAuth
from requests.models import PreparedRequest
from werkzeug.datastructures import Authorization

from edgeflow_backend.web.auth import BasicAuth, EventSecret, read_authorization


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


@pytest.mark.parametrize(
    "value",
    [
        "Basic \xe4nna",
        "Basic YW5uYTpzZWNyZXQ=\xff",
        "\xe4 YW5uYTpzZWNyZXQ=",
        "Basic Y",
        "Basic YW5uYQ==",
        "Basic " + "=" * 20,
        "Basic " + "A" * 60_000,
        "Basic \x00\x01",
        "Basic YW5uYTpzZWNyZXQ=, Basic YW5uYTpzZWNyZXQ=x",
        "Digest username*=UTF-8''%ff",
        'Digest username="\xff',
        "Bearer \xe4",
        "Negotiate",
        " ",
    ],
)
def test_a_malformed_header_as_the_server_reads_it_may_not_pass(value: str) -> None:
    assert not allows("anna", "secret", read_authorization(value))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("scheme", ["Basic ", "basic ", "BASIC  "])
def test_both_encodings_of_the_right_credentials_may_pass(scheme: str, encoding: str) -> None:
    value = scheme + b64encode("änna:sécret".encode(encoding)).decode()
    assert allows("änna", "sécret", read_authorization(value))


def test_no_header_may_not_pass() -> None:
    assert not allows("anna", "secret", None)


@pytest.mark.parametrize(("user", "password"), [("ännä", "Käse"), ("anna", "猫"), ("яна", "x")])
def test_other_letters_than_ascii_may_pass(user: str, password: str) -> None:
    assert allows(user, password, header(user, password))
    assert not allows(user, password, header(user, "wrong"))


def test_the_password_does_not_appear_in_the_objects_text() -> None:
    assert "secret" not in repr(BasicAuth("anna", SecretStr("secret")))


@pytest.mark.parametrize(
    ("secret", "action", "value", "allowed"),
    [
        ("", "ANNOTATION_CREATED", None, True),
        ("", "ANNOTATION_CREATED", "anything", True),
        ("s3cret-of-16-chars", "ANNOTATION_CREATED", "s3cret-of-16-chars", True),
        ("s3cret-of-16-chars", "ANNOTATION_CREATED", None, False),
        ("s3cret-of-16-chars", "ANNOTATION_CREATED", "", False),
        ("s3cret-of-16-chars", "ANNOTATION_CREATED", "s3cret-of-16-char", False),
        ("s3cret-of-16-chars", "ANNOTATION_CREATED", "s\u00e9cret \udc80", False),
        ("s3cret-of-16-chars", "START_TRAINING", None, True),
    ],
)
def test_an_event_brings_the_secret_where_there_is_one(
    secret: str, action: str, value: str | None, allowed: bool
) -> None:
    assert EventSecret(SecretStr(secret)).allows(action, value) is allowed
