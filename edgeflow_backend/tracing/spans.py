"""Spans: what takes time in a request, each within the one that encloses it.

Stations mark themselves with :func:`span` or :func:`traced` and know nothing else. The enclosing
span is a context variable, so where no trace was begun (see
:mod:`edgeflow_backend.tracing.tracer`), everything here does nothing. A thread that works for a
request is given its context (``contextvars.copy_context()``) or its span.

Attributes are numbers and words of our own, never what a request or another program said.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import ParamSpec, Protocol, TypeVar

from edgeflow.errors import EdgeFlowError
from edgeflow_backend.errors import NothingAlikeError, NothingAskedError, SupersededError

Value = str | int | float | bool
Attributes = Mapping[str, Value]

P = ParamSpec("P")
T = TypeVar("T")

NAMESPACE = "edgeflow."
"""Begins the names of our own attributes; others are OpenTelemetry's."""

NO_TROUBLE = (NothingAlikeError, NothingAskedError, SupersededError)
"""Errors that cost nobody anything."""


class Span(Protocol):
    """Something that takes time. Thread-safe."""

    @property
    def trace_id(self) -> str:
        """Identifies the trace: 32 hex digits; empty outside any trace."""
        ...

    def begin(self, name: str, attributes: Attributes, /) -> Span:
        """Begin a span within this one.

        Args:
            name: One of few, since tools group by it.
            attributes: By their full names.
        """
        ...

    def past(self, name: str, seconds: float, /, **attributes: Value) -> None:
        """Add a span within this one that took these seconds and ends now."""
        ...

    def note(self, attributes: Attributes, /) -> None:
        """Add attributes, by their full names."""
        ...

    def fail(self, code: str, /) -> None:
        """Note that it ended with an error.

        Args:
            code: Its code, never its text.
        """
        ...

    def end(self) -> None:
        """End it."""
        ...

    def carrier(self) -> dict[str, str]:
        """What another process needs to go on with the trace: W3C's header fields, by name."""
        ...


class NoSpan:
    """The span outside any trace."""

    trace_id = ""

    def begin(self, _: str, __: Attributes, /) -> Span:
        """No span either."""
        return self

    def past(self, _: str, __: float, /, **___: Value) -> None:
        """Nothing."""

    def note(self, _: Attributes, /) -> None:
        """Nothing."""

    def fail(self, _: str, /) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def carrier(self) -> dict[str, str]:
        """Nothing."""
        return {}


NO_SPAN: Span = NoSpan()

_CURRENT: ContextVar[Span] = ContextVar("span", default=NO_SPAN)


def current() -> Span:
    """The innermost span around the caller."""
    return _CURRENT.get()


def inject() -> dict[str, str]:
    """What another process needs to go on with this trace; see :meth:`Tracer.trace`.

    Empty outside any trace.
    """
    return current().carrier()


def set_attributes(**attributes: Value) -> None:
    """Add attributes to the innermost span around the caller."""
    current().note(ours(attributes))


@contextlib.contextmanager
def span(name: str, **attributes: Value) -> Iterator[Span]:
    """A span around the ``with`` block.

    Args:
        name: One of few, since tools group by it.
        attributes: What is known of it already.
    """
    around = _CURRENT.get()
    if around is NO_SPAN:
        yield around
        return
    with entered(around.begin(name, ours(attributes))) as begun:
        yield begun


def traced(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function with a span around each call."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            with span(name):
                return function(*args, **kwargs)

        return call

    return decorate


@contextlib.contextmanager
def entered(begun: Span) -> Iterator[Span]:
    """Make a span the innermost one until the ``with`` block ends, and end it then."""
    token = _CURRENT.set(begun)
    try:
        yield begun
    except NO_TROUBLE as error:
        begun.note({"error.type": error.code})
        raise
    except BaseException as error:
        begun.fail(error.code if isinstance(error, EdgeFlowError) else type(error).__name__)
        raise
    finally:
        _CURRENT.reset(token)
        begun.end()


def ours(attributes: Attributes) -> Attributes:
    """Attributes by their full names."""
    return {f"{NAMESPACE}{name}": value for name, value in attributes.items()}
