"""What ``/status`` reports: why clicks fail, the state of the model, and the load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from werkzeug.datastructures import MIMEAccept

from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.status.calls import Call
from edgeflow_backend.status.config_checks import ConfigCheck
from edgeflow_backend.status.export_command import export_command
from edgeflow_backend.status.failures import Failure
from edgeflow_backend.status.journal import Journal
from edgeflow_backend.status.learning.entry import Learned, listed
from edgeflow_backend.status.lost_masks import LostOfProject

RECENT = timedelta(hours=1)
"""Failures younger than this are worth a warning at the top."""

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
"""HTTP headers of the page and of its JSON form."""

ModelState = Literal["loading", "ready", "failed"]


@dataclass(frozen=True)
class Cache:
    """How full a cache is."""

    name: str
    nbytes: int
    max_bytes: int


@dataclass(frozen=True)
class SharedTier:
    """A use of Redis.

    Attributes:
        use: What it is used for.
        reached: Whether it answered lately, as far as is known.
        message: How it is, in words.
    """

    use: str
    reached: bool
    message: str


@dataclass(frozen=True)
class Snapshot:
    """The state of the backend at the moment of a request for the page.

    Attributes:
        state: State of the model.
        version: Model version; until the model is loaded, its name in the settings.
        runtime: Runtime, device and precision; empty until the model is loaded.
        message: Why there is no model (yet); empty if it is ready.
        hint: What can be done about it.
        waiting: Predictions waiting for the network, including the running one.
        queue_limit: Limit of ``waiting``; further predictions are refused.
        caches: How full each cache is.
        shared: How each use of Redis is; empty without it.
        refining: By project, which masks clicks refine, and why.
        label_studios: URLs of the configured Label Studios, as people open them, by name.
        learning: What is kept of each project whose accepted objects are.
    """

    state: ModelState
    version: str
    runtime: str = ""
    message: str = ""
    hint: str = ""
    waiting: int = 0
    queue_limit: int = 0
    caches: tuple[Cache, ...] = ()
    shared: tuple[SharedTier, ...] = ()
    refining: Mapping[str, str] = field(default_factory=dict)
    label_studios: Mapping[str, str] = field(default_factory=dict)
    learning: tuple[Learned, ...] = ()


def report(journal: Journal, snapshot: Snapshot, help_url: str = "") -> JSONObject:
    """Everything that the page shows, as JSON.

    Times are ISO 8601 in UTC; keys name the unit of durations. Lists are newest first; projects
    whose labelling config has problems come before the others, then those with warnings.

    Args:
        journal: What happened.
        snapshot: The state of the backend now.
        help_url: http(s) URL of :data:`HELP_PAGE`; without one, only the page's name is shown.
    """
    now = journal.clock()
    failures = journal.failures.recent()
    checks = sorted(journal.config_checks.recent(), key=_gravity)
    latency, lost = journal.latency.summary(), journal.lost.recent()
    return {
        "summary": _summary(snapshot, failures, checks, lost, now, silent=latency.count == 0),
        "time": now.isoformat(),
        "started": journal.started.isoformat(),
        "uptime_s": max((now - journal.started).total_seconds(), 0.0),
        "model": {
            "state": snapshot.state,
            "version": clean(snapshot.version),
            "runtime": clean(snapshot.runtime),
            "message": clean(snapshot.message),
            "hint": clean(snapshot.hint),
        },
        "load": {
            "waiting": snapshot.waiting,
            "queue_limit": snapshot.queue_limit,
            "ok": latency.count,
            "failed": journal.failures.total,
            "last_ok": latency.last.isoformat() if latency.last else None,
            "measured": latency.measured,
            "median_ms": latency.median_ms,
            "p95_ms": latency.p95_ms,
        },
        "caches": [
            {"name": cache.name, "bytes": cache.nbytes, "max_bytes": cache.max_bytes}
            for cache in snapshot.caches
        ],
        "shared": [asdict(tier) for tier in snapshot.shared],
        "troubles": [_listed(failure) for failure in failures],
        "notes": [_listed(note) for note in journal.notes.recent()],
        "lost": [_lost(found) for found in lost],
        "calls": [_called(call) for call in journal.calls.recent()],
        "learning": [listed(each) for each in snapshot.learning],
        "projects": [
            {
                "project": check.project,
                "problems": list(check.problems),
                "warnings": list(check.warnings),
                "refining": clean(snapshot.refining.get(check.project, "")),
                "export": export_command(check.project, snapshot.label_studios),
                "seen": check.last_seen.isoformat(),
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


def _gravity(check: ConfigCheck) -> int:
    """Problems first, then warnings, then what is fine."""
    return 0 if check.problems else 1 if check.warnings else 2


def _listed(failure: Failure) -> JSONObject:
    times = {"first": failure.first.isoformat(), "last": failure.last.isoformat()}
    return asdict(failure) | times


def _called(call: Call) -> JSONObject:
    return asdict(call) | {"last": call.last.isoformat()}


def _lost(found: LostOfProject) -> JSONObject:
    """A project's lost masks, in numbers and in words."""
    hold = "annotation holds" if found.annotations == 1 else "annotations hold"
    tasks = ", ".join(found.tasks) + (f" and {found.more} more" if found.more else "")
    host, _, number = found.project.rpartition("/")
    command = f"edgeflow-backend repair --project {number or 'N'}" + (
        f" --host {host}" * bool(host)
    )
    return asdict(found) | {
        "tasks": list(found.tasks),
        "last": found.last.isoformat(),
        "message": f"{found.annotations} {hold} points but no mask: "
        f"{'task' if len(found.tasks) + found.more == 1 else 'tasks'} {tasks}",
        "hint": f"see what `{command}` would restore",
    }


def _summary(
    snapshot: Snapshot,
    failures: Sequence[Failure],
    checks: Sequence[ConfigCheck],
    lost: Sequence[LostOfProject],
    now: datetime,
    *,
    silent: bool,
) -> JSONObject:
    """The page in one sentence, and whether it is ``good``, a ``warning`` or ``bad``."""
    if snapshot.state == "failed":
        return {"level": "bad", "text": "The model could not be loaded; no click is answered."}
    if snapshot.state == "loading":
        return {"level": "warning", "text": "The model is still loading; clicks wait for it."}
    warnings = {
        "some requests failed within the last hour": any(
            now - failure.last < RECENT for failure in failures
        ),
        "a labelling config has problems": any(check.problems for check in checks),
        "annotations were submitted without masks": bool(lost),
        "accepted objects could not be read": any(each.failed for each in snapshot.learning),
        "Redis is not reached": not all(tier.reached for tier in snapshot.shared),
    }
    if any(warnings.values()):
        texts = " and ".join(text for text, holds in warnings.items() if holds)
        return {"level": "warning", "text": f"Ready, but {texts}."}
    text = "No click has arrived yet." if silent and not failures else "Clicks are answered."
    return {"level": "good", "text": f"Ready. {text}"}


def wants_json(accept: MIMEAccept, asked: str | None) -> bool:
    """Whether a request wants JSON instead of the page.

    Args:
        accept: Header ``Accept`` of the request.
        asked: Query parameter ``format``, which takes precedence.
    """
    if asked in ("json", "html"):
        return asked == "json"
    return accept.best_match(["text/html", "application/json"]) == "application/json"
