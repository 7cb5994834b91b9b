"""Structured logging to standard error, never of request bodies or tokens."""

from __future__ import annotations

import logging
import re
import sys

import structlog

from edgeflow_backend.redact.texts import hide_secrets
from edgeflow_backend.tracing.spans import current

MAX_TEXT = 20_000
"""Most characters of one value that are logged."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

Logger = structlog.typing.FilteringBoundLogger


def configure(level: str, log_format: str) -> None:
    """Set up logging for this process. Call once, at start.

    Args:
        level: Lowest level that is logged, for example ``INFO``.
        log_format: ``json`` for one object a line, or ``console`` for plain text.
    """
    renderers: tuple[structlog.typing.Processor, ...] = (
        (structlog.processors.JSONRenderer(),)
        if log_format == "json"
        else (_on_one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            _with_trace,  # a trace's id is as random as a token
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in ("edgeflow", "waitress"):
        library = logging.getLogger(name)
        library.handlers = [_ToStructlog()]
        library.propagate = False
        library.setLevel(level)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line for each that waits


def _with_trace(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Say which trace a line belongs to, if any."""
    trace = current().trace_id
    return {**event, "trace": trace} if trace else event


def _without_secrets(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Take secrets out of every text, tracebacks included: a net below our own messages."""
    return {
        key: hide_secrets(value[:MAX_TEXT]) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _on_one_line(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Spell out control characters: a label must neither begin a line nor drive a terminal."""
    return {
        key: (_CONTROL_IN_LINES if key == "exception" else _CONTROL).sub(_spelt, value)
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }


def _spelt(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


class _ToStructlog(logging.Handler):
    """Passes on records of libraries, such as which runtime was chosen, and why."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record of the standard library."""
        get_logger().log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def get_logger() -> Logger:
    """A structured logger."""
    logger: Logger = structlog.get_logger()
    return logger
