from __future__ import annotations

import sys

import pytest

from edgeflow_backend.tracing.collector import Collector
from edgeflow_backend.tracing.spans import NO_SPAN, current
from edgeflow_backend.tracing.tracer import TracingUnavailableError, continued, open_tracer
from tests.unit.edgeflow_backend.tracing.recorder import Recorder


def test_without_the_extra_a_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "edgeflow_backend.tracing.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(TracingUnavailableError) as caught:
        open_tracer(Collector("http://collector:4318/v1/traces"), lambda *_: None)
    assert "opentelemetry" in caught.value.message
    assert "tracing" in caught.value.hint


def test_without_a_trace_of_another_process_there_is_none_here(recorder: Recorder) -> None:
    with continued(recorder.tracer, "replica", {}), continued(None, "replica", {"a": "b"}):
        assert current() is NO_SPAN
    assert recorder.spans() == []
