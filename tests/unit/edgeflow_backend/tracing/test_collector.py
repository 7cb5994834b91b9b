from __future__ import annotations

import ssl

import pytest
from pydantic import ValidationError

from edgeflow_backend.settings import Settings

TLS = ssl.create_default_context()


def test_by_default_there_are_no_traces() -> None:
    assert Settings().collector(TLS) is None


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        (" https://collector.example/otlp/ ", "https://collector.example/otlp/v1/traces"),
        ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
    ],
)
def test_spans_are_posted_where_collectors_take_them(setting: str, url: str) -> None:
    collector = Settings(traces=setting).collector(TLS)
    assert collector is not None
    assert collector.url == url
    assert collector.tls is TLS


def test_header_fields_are_written_as_opentelemetry_writes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGEFLOW_TRACES", "http://collector:4318")
    monkeypatch.setenv("EDGEFLOW_TRACES_HEADERS", "Authorization=Bearer%20a%2Cb, x-team = cats ,")
    collector = Settings().collector(TLS)
    assert collector is not None
    assert collector.headers == {"authorization": "Bearer a,b", "x-team": "cats"}
    assert "Bearer" not in f"{collector!r}{Settings()!r}"


@pytest.mark.parametrize(
    "headers",
    ["s3cr3t", "=s3cr3t", "a b=s3cr3t", "name=", "name=s3cr3t%0d%0ax: y", "name=s3cr3t%00"],
)
def test_other_header_fields_are_refused_without_repeating_them(headers: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(traces="http://collector:4318", traces_headers=headers)
    assert "EDGEFLOW_TRACES_HEADERS" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("url", ["collector:4318", "grpc://collector:4317", "http://"])
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="must look like"):
        Settings(traces=url)


def test_a_password_does_not_belong_into_the_url() -> None:
    with pytest.raises(ValidationError, match="EDGEFLOW_TRACES_HEADERS") as caught:
        Settings(traces="http://team:s3cr3t@collector:4318")
    assert "s3cr3t" not in str(caught.value)
