"""A tracer of the real SDK whose spans stay in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from edgeflow_backend.tracing.collector import Collector
from edgeflow_backend.tracing.otlp import OTLPTracer


class Recorder:
    """The tracer, and what it recorded."""

    def __init__(self) -> None:
        self.exports: list[tuple[int, str]] = []
        self._memory = InMemorySpanExporter()
        self.tracer = OTLPTracer(
            Collector("http://nowhere"), lambda *told: self.exports.append(told), self._memory
        )

    def spans(self) -> list[ReadableSpan]:
        """Everything that has ended, in the order in which it began."""
        self.tracer.flush()
        return sorted(self._memory.get_finished_spans(), key=lambda each: each.start_time or 0)

    def forget(self) -> None:
        """Forget what was recorded so far."""
        self.tracer.flush()
        self._memory.clear()

    def named(self, name: str) -> ReadableSpan:
        """The only span of this name."""
        (span,) = (each for each in self.spans() if each.name == name)
        return span

    def tree(self) -> dict[str, str]:
        """The name of each span's parent by its own name; empty for the outermost."""
        spans = self.spans()
        names = {span.context.span_id: span.name for span in spans}
        return {
            span.name: names.get(span.parent.span_id, "") if span.parent else "" for span in spans
        }

    def attributes(self, name: str) -> dict[str, object]:
        """What the only span of this name says."""
        return dict(self.named(name).attributes or {})


@contextmanager
def recording() -> Iterator[Recorder]:
    recorder = Recorder()
    try:
        yield recorder
    finally:
        recorder.tracer.close()
