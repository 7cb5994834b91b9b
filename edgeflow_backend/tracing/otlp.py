"""Traces with OpenTelemetry's SDK, sent to a collector. Imported only where traces are wanted."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from requests.adapters import HTTPAdapter

from edgeflow import __version__
from edgeflow_backend.redact.texts import NAME_LENGTH, clean
from edgeflow_backend.tracing.collector import Collector, OnExport
from edgeflow_backend.tracing.spans import Attributes, Span, Value, entered, ours

SERVICE = "edgeflow-backend"
"""Name of the service in traces, unless ``OTEL_SERVICE_NAME`` says another."""

EXPORT_S = 3.0
"""Seconds that a delivery may take, so that a collector that hangs does not hold up the end."""

_W3C = TraceContextTextMapPropagator()


class OTLPTracer:
    """Begins traces and sends them in batches, in a thread of its own.

    How many traces are kept is OpenTelemetry's to say (``OTEL_TRACES_SAMPLER``): by default all,
    but those that the caller does not keep.

    Args:
        collector: Where to send them.
        on_export: Told of each delivery, in that thread.
        exporter: Instead of one for the collector.
    """

    def __init__(
        self, collector: Collector, on_export: OnExport, exporter: SpanExporter | None = None
    ) -> None:
        resource = Resource.create({"service.version": __version__})
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": SERVICE}))
        self._provider = TracerProvider(resource=resource)
        exporter = exporter or _exporter(collector)
        self._provider.add_span_processor(BatchSpanProcessor(_Reporting(exporter, on_export)))
        self._tracer = self._provider.get_tracer("edgeflow_backend", __version__)

    @contextlib.contextmanager
    def trace(
        self, name: str, carrier: Mapping[str, str], attributes: Attributes
    ) -> Iterator[Span]:
        """See :class:`edgeflow_backend.tracing.tracer.Tracer`."""
        begun = self._tracer.start_span(
            name,
            context=_W3C.extract(carrier, Context()),
            kind=SpanKind.SERVER,
            attributes=_clean(attributes),
        )
        with entered(_Span(self._tracer, begun)) as span:
            yield span

    def flush(self) -> None:
        """Send what has ended so far."""
        self._provider.force_flush()

    def close(self) -> None:
        """Send what is left; further spans are dropped."""
        self._provider.shutdown()


class _Span:
    """A span of the SDK."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span
        self._context = trace.set_span_in_context(span, Context())

    @property
    def trace_id(self) -> str:
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def begin(self, name: str, attributes: Attributes, /) -> Span:
        begun = self._tracer.start_span(name, self._context, attributes=_clean(attributes))
        return _Span(self._tracer, begun)

    def past(self, name: str, seconds: float, /, **attributes: Value) -> None:
        now = time.time_ns()
        self._tracer.start_span(
            name,
            self._context,
            attributes=_clean(ours(attributes)),
            start_time=now - int(seconds * 1e9),
        ).end(now)

    def note(self, attributes: Attributes, /) -> None:
        self._span.set_attributes(_clean(attributes))

    def fail(self, code: str, /) -> None:
        self.note({"error.type": code})
        self._span.set_status(StatusCode.ERROR)

    def end(self) -> None:
        self._span.end()

    def carrier(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        _W3C.inject(fields, self._context)
        return fields


def _clean(attributes: Attributes) -> dict[str, Value]:
    """Attributes without what may be secret: a net below our own, which hold nothing of it."""
    return {
        name: clean(value, NAME_LENGTH) if isinstance(value, str) else value
        for name, value in attributes.items()
    }


class _Reporting(SpanExporter):
    """Tells of each delivery, and why one failed.

    The SDK's exporter answers yes or no and logs the reason, several lines for each delivery. So
    its log is read here, and goes nowhere else.
    """

    def __init__(self, exporter: SpanExporter, on_export: OnExport) -> None:
        self._exporter = exporter
        self._on_export = on_export
        self._words = _FirstWords()
        log = logging.getLogger(type(exporter).__module__)
        log.handlers, log.propagate = [self._words], False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._words.text = ""
        result = self._exporter.export(spans)
        lost = result is not SpanExportResult.SUCCESS
        self._on_export(len(spans), (self._words.text or "unknown reason") if lost else "")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _FirstWords(logging.Handler):
    """Keeps the first warning of a delivery, which names the cause."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or record.getMessage()


class _CollectorAdapter(HTTPAdapter):
    """Checks certificates as the whole backend does, and follows no redirect."""

    def __init__(self, collector: Collector) -> None:
        self._tls = collector.tls
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)

    def cert_verify(self, conn: Any, *_: Any) -> None:  # noqa: ANN401 - as in requests
        """Leave the certificates to the TLS context, instead of adding requests' own to it."""
        conn.cert_reqs = "CERT_REQUIRED"

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(*args, **kwargs)
        if response.is_redirect:  # the exporter would take it for a success
            response.close()
            raise requests.TooManyRedirects("the collector redirects; set its final URL")
        return response


def _exporter(collector: Collector) -> SpanExporter:
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc of the environment
    session.mount("http://", _CollectorAdapter(collector))
    session.mount("https://", _CollectorAdapter(collector))
    return OTLPSpanExporter(
        collector.url, headers=collector.headers, timeout=EXPORT_S, session=session
    )
