"""Where traces begin: with a request, or with what another process says of one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.tracing.collector import Collector, OnExport
from edgeflow_backend.tracing.spans import NO_SPAN, Attributes, Span


class TracingUnavailableError(EdgeFlowError):
    """Traces are wanted, but what sends them is not installed."""

    code = "tracing_unavailable"


class Tracer(Protocol):
    """Begins traces and sends their spans. Thread-safe."""

    def trace(
        self, name: str, carrier: Mapping[str, str], attributes: Attributes
    ) -> AbstractContextManager[Span]:
        """A trace around the ``with`` block, or the part of one that this process does.

        Args:
            name: Of the outermost span.
            carrier: W3C's header fields by their names in small letters, untrusted, from a request
                or from :func:`edgeflow_backend.tracing.spans.inject`. A trace of its own begins
                where they name none.
            attributes: Of that span, by their full names.
        """
        ...

    def close(self) -> None:
        """Send what is left, within seconds."""
        ...


def continued(
    tracer: Tracer | None, name: str, carrier: Mapping[str, str]
) -> AbstractContextManager[Span]:
    """What this process does for a trace of another one; no span without such a trace.

    Args:
        tracer: Of this process; None if it sends no traces.
        name: Of the span around the ``with`` block.
        carrier: What :func:`edgeflow_backend.tracing.spans.inject` said there.
    """
    return tracer.trace(name, carrier, {}) if tracer and carrier else nullcontext(NO_SPAN)


def open_tracer(collector: Collector, on_export: OnExport) -> Tracer:
    """A tracer that sends to a collector, in a thread of its own.

    Args:
        collector: Where to.
        on_export: Told of each delivery, in that thread.

    Raises:
        TracingUnavailableError: The packages of the extra ``tracing`` are not installed.
    """
    try:
        from edgeflow_backend.tracing.otlp import OTLPTracer  # noqa: PLC0415 - costs memory
    except ImportError as error:
        raise TracingUnavailableError(
            f"EDGEFLOW_TRACES is set, but {error.name or 'a package'} is not installed",
            hint="install the extra: pip install '.[tracing]'; or unset EDGEFLOW_TRACES",
        ) from error
    return OTLPTracer(collector, on_export)
