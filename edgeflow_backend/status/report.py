"""What ``/status`` says: one place that tells why clicks fail, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

import orjson
from flask import Response
from werkzeug.datastructures import MIMEAccept

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.images.provider import MEGABYTE
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.status.config_checks import ConfigCheck
from edgeflow_backend.status.failures import Failure
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.page import render_html
from edgeflow_backend.status.redact import clean

RECENT = timedelta(hours=1)
"""Failures that came later than this ago are worth a warning at the top."""

HELP_TITLE = "What to do when nothing happens"
HELP_PAGE = "docs/nothing-happens.md"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
}
"""Of the page and of its JSON form."""

ModelState = Literal["loading", "ready", "failed"]


@dataclass(frozen=True)
class Cache:
    """How full a cache is."""

    name: str
    nbytes: int
    max_bytes: int


@dataclass(frozen=True)
class Seen:
    """What is read off the running backend when the page is asked for.

    Attributes:
        state: of the model.
        version: of the model; until it is loaded, the name under which it was asked for.
        runtime: what runs it, on which device, in which precision; empty until it is loaded.
        message: why there is no model (yet); empty if it is ready.
        hint: what can be done about it.
        waiting: predictions that wait for the network, with the one that runs.
        queue_limit: more are refused.
    """

    state: ModelState
    version: str
    runtime: str = ""
    message: str = ""
    hint: str = ""
    waiting: int = 0
    queue_limit: int = 0
    caches: tuple[Cache, ...] = ()

    @classmethod
    def of(cls, service: SegmentationService, waiting: int) -> Seen:
        """Look at a service that is ready, whose engine has ``waiting`` predictions."""
        settings = service.settings
        caches = (
            ("images", service.images.cache.nbytes, settings.image_cache_mb),
            ("click states", service.engine.states.nbytes, settings.state_cache_mb),
        )
        return cls(
            state="ready",
            version=service.model_version,
            runtime=service.predictor.runtime.name,
            waiting=waiting,
            queue_limit=settings.queue_limit,
            caches=tuple(Cache(name, held, int(cap * MEGABYTE)) for name, held, cap in caches),
        )


def status(journal: Journal, seen: Seen, help_url: str = "") -> JSONObject:
    """Everything that the page says, as JSON.

    Times are ISO 8601 in UTC; keys name the unit of durations. Lists are newest first; projects
    whose labelling config has problems come before the others.

    Args:
        journal: what happened.
        seen: what is.
        help_url: where :data:`HELP_PAGE` can be read, http(s); without it the page is named only.
    """
    now = journal.clock()
    troubles = journal.troubles.recent()
    checks = sorted(journal.checks.recent(), key=lambda check: not check.problems)
    speed = journal.durations.speed()
    return {
        "summary": _summary(seen, troubles, checks, now, silent=speed.count == 0),
        "time": now.isoformat(),
        "started": journal.started.isoformat(),
        "uptime_s": max((now - journal.started).total_seconds(), 0.0),
        "model": {
            "state": seen.state,
            "version": clean(seen.version),
            "runtime": clean(seen.runtime),
            "message": clean(seen.message),
            "hint": clean(seen.hint),
        },
        "load": {
            "waiting": seen.waiting,
            "queue_limit": seen.queue_limit,
            "ok": speed.count,
            "failed": journal.troubles.total,
            "last_ok": speed.last.isoformat() if speed.last else None,
            "measured": speed.measured,
            "median_ms": speed.median_ms,
            "p95_ms": speed.p95_ms,
        },
        "caches": [
            {"name": cache.name, "bytes": cache.nbytes, "max_bytes": cache.max_bytes}
            for cache in seen.caches
        ],
        "troubles": [
            {
                **asdict(trouble),
                "first": trouble.first.isoformat(),
                "last": trouble.last.isoformat(),
            }
            for trouble in troubles
        ],
        "projects": [
            {
                "project": check.project,
                "problems": list(check.problems),
                "seen": check.seen.isoformat(),
                "place": check.place,
            }
            for check in checks
        ],
        "help": {
            "title": HELP_TITLE,
            "page": HELP_PAGE,
            "url": help_url if help_url.startswith(("http://", "https://")) else "",
        },
    }


def _summary(
    seen: Seen,
    troubles: Sequence[Failure],
    checks: Sequence[ConfigCheck],
    now: datetime,
    *,
    silent: bool,
) -> JSONObject:
    """The page in one sentence, and whether it is ``good``, a ``warning`` or ``bad``."""
    if seen.state == "failed":
        return {"level": "bad", "text": "The model could not be loaded; no click is answered."}
    if seen.state == "loading":
        return {"level": "warning", "text": "The model is still loading; clicks wait for it."}
    if any(now - trouble.last < RECENT for trouble in troubles):
        return {"level": "warning", "text": "Ready, but some requests failed within the last hour."}
    if any(check.problems for check in checks):
        return {"level": "warning", "text": "Ready, but a labelling config has problems."}
    if silent and not troubles:
        return {"level": "good", "text": "Ready. No click has arrived yet."}
    return {"level": "good", "text": "Ready. Clicks are answered."}


def wants_json(accept: MIMEAccept, asked: str | None) -> bool:
    """Whether a request wants JSON instead of the page.

    Args:
        accept: the request's ``Accept``.
        asked: the query's ``format``, which goes first.
    """
    if asked in ("json", "html"):
        return asked == "json"
    return accept.best_match(["text/html", "application/json"]) == "application/json"


def answer(status: JSONObject, accept: MIMEAccept, asked: str | None) -> Response:
    """The page or its JSON form, with :data:`HEADERS`; the arguments are :func:`wants_json`'s."""
    if wants_json(accept, asked):
        return Response(orjson.dumps(status), headers=HEADERS, content_type="application/json")
    return Response(render_html(status), headers=HEADERS, content_type="text/html; charset=utf-8")
