from __future__ import annotations

import ast
import contextvars
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentelemetry.trace import StatusCode

import edgeflow_backend
from edgeflow_backend.errors import DeadlineError, superseded
from edgeflow_backend.tracing.spans import (
    NO_SPAN,
    current,
    inject,
    set_attributes,
    span,
    traced,
)
from tests.unit.edgeflow_backend.tracing.recorder import Recorder

ROOT = Path(edgeflow_backend.__file__).parent


@traced("double")
def double(number: int, *, plus: int = 0) -> int:
    """Twice a number."""
    set_attributes(number=number)
    return 2 * number + plus


def test_outside_any_trace_nothing_is_recorded_and_all_works() -> None:
    with span("image", clicks=2) as begun:
        set_attributes(pixels=3)
        begun.past("queue", 0.5)
        assert begun is current() is NO_SPAN
        assert double(4, plus=1) == 9
    assert inject() == {}
    assert begun.trace_id == ""


def test_a_decorated_function_stays_itself() -> None:
    assert (double.__name__, double.__doc__) == ("double", "Twice a number.")


def test_spans_lie_in_each_other(recorder: Recorder) -> None:
    with recorder.tracer.trace("POST /predict", {}, {"http.route": "/predict"}), span("click"):
        with span("image"):
            pass
        assert double(4) == 8
    assert current() is NO_SPAN
    assert recorder.tree() == {
        "POST /predict": "",
        "click": "POST /predict",
        "image": "click",
        "double": "click",
    }
    assert len({span.context.trace_id for span in recorder.spans()}) == 1
    assert recorder.attributes("double") == {"edgeflow.number": 4}
    assert recorder.attributes("POST /predict") == {"http.route": "/predict"}


def test_a_thread_that_is_given_the_context_works_within_the_trace(recorder: Recorder) -> None:
    with ThreadPoolExecutor(1) as pool, recorder.tracer.trace("request", {}, {}):
        pool.submit(contextvars.copy_context().run, double, 1).result()
        assert pool.submit(current).result() is NO_SPAN  # and its next work does not
    assert recorder.tree() == {"request": "", "double": "request"}


def test_an_error_is_told_by_its_code_and_never_by_its_text(recorder: Recorder) -> None:
    with (
        pytest.raises(DeadlineError),
        recorder.tracer.trace("request", {}, {}),
        span("network"),
    ):
        raise DeadlineError("the secret s3cr3t was not there in time")
    failed = recorder.named("network")
    assert recorder.attributes("network") == {"error.type": "deadline"}
    assert failed.status.status_code is StatusCode.ERROR
    assert "s3cr3t" not in failed.to_json()
    assert failed.events == ()


def test_a_defect_is_told_by_its_class(recorder: Recorder) -> None:
    with pytest.raises(ZeroDivisionError), recorder.tracer.trace("request", {}, {}):
        raise ZeroDivisionError("s3cr3t")
    assert recorder.attributes("request") == {"error.type": "ZeroDivisionError"}
    assert "s3cr3t" not in recorder.named("request").to_json()


def test_what_cost_nobody_anything_is_no_error(recorder: Recorder) -> None:
    with pytest.raises(Exception, match="newer click"), recorder.tracer.trace("request", {}, {}):
        raise superseded()
    assert recorder.attributes("request") == {"error.type": "superseded"}
    assert recorder.named("request").status.status_code is StatusCode.UNSET


def test_without_traces_opentelemetry_is_not_even_imported() -> None:
    """One module imports it, and that one is imported where it is needed, in a function."""
    importing = {
        name: [path.name for path in ROOT.rglob("*.py") if name in imported_at_once(path)]
        for name in ("opentelemetry", "edgeflow_backend.tracing.otlp")
    }
    assert importing == {"opentelemetry": ["otlp.py"], "edgeflow_backend.tracing.otlp": []}


def imported_at_once(path: Path) -> set[str]:
    """The modules that a module imports when it is imported, and their packages."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found | {name.partition(".")[0] for name in found}
