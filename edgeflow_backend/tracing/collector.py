"""Where traces are sent, and the settings that say so."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator
from typing_extensions import Self

from edgeflow_backend.net.label_studio_host import http_url, reveal
from edgeflow_backend.net.origins import split_login
from edgeflow_backend.net.uplink import trust

PATH = "/v1/traces"
"""Where a collector takes traces (opentelemetry.io/docs/specs/otlp, OTLP/HTTP request)."""

OnExport = Callable[[int, str], None]
"""Told after each delivery: how many spans, and why they were lost; empty if they were not."""

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True)
class Collector:
    """A receiver of OpenTelemetry's protocol over HTTP.

    Attributes:
        url: URL that spans are posted to.
        headers: Header fields sent along, such as a token.
        tls: Checks its certificate; by default against the public authorities.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext = field(default_factory=trust, repr=False)


class CollectorSettings(BaseModel):
    """A part of :class:`edgeflow_backend.settings.Settings`, which reads the environment."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    traces: str = ""
    """URL of an OpenTelemetry collector that traces are sent to over HTTP, such as
    `http://collector:4318`; empty for no traces. See [operations](operations.md#traces)."""
    traces_headers: SecretStr = SecretStr("")
    """Header fields for that collector, such as a token: `authorization=Bearer%20…,x-team=b`, with
    percent-encoded values."""

    @field_validator("traces", mode="before")
    @classmethod
    def _check_traces(cls, value: object) -> object:
        text = str(reveal(value)).strip()
        if split_login(text)[1]:
            raise ValueError("must have no user and password: EDGEFLOW_TRACES_HEADERS has them")
        return http_url(text) if text else ""

    @model_validator(mode="after")
    def _check_traces_headers(self) -> Self:
        parse_headers(self.traces_headers.get_secret_value())  # raises ValueError
        return self

    def collector(self, tls: ssl.SSLContext) -> Collector | None:
        """Where traces are sent; None for nowhere.

        Args:
            tls: Checks its certificate.
        """
        if not self.traces:
            return None
        url = self.traces if self.traces.endswith(PATH) else self.traces + PATH
        return Collector(url, parse_headers(self.traces_headers.get_secret_value()), tls)


def parse_headers(text: str) -> dict[str, str]:
    """Header fields as ``OTEL_EXPORTER_OTLP_HEADERS`` has them: ``name=value,name=value``.

    Raises:
        ValueError: It is of another form; the message does not repeat it.
    """
    headers = {}
    for part in filter(str.strip, text.split(",")):
        name, equals, code = (each.strip() for each in part.partition("="))
        value = unquote(code)
        if not equals or not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError(
                "EDGEFLOW_TRACES_HEADERS must look like name=value,name=value with percent-encoded "
                "values"
            )
        headers[name.lower()] = value
    return headers
