"""Whether a project's clicks and events reach this backend."""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.records import MLBackend
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.label_studio.connection import (
    SUBNETS_ADVICE,
    Address,
    asked_instead,
    blocked,
    event_webhook,
    ours,
    way_out,
    webhook_problems,
)
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.redact.urls import describe_url

REACHED = ("CO", "TR", "PR")
"""States in which Label Studio had an answer."""


def examine_connection(
    api: LabelStudioAPI, project: int, address: Address, version: str
) -> Iterator[Finding]:
    """Check a project's ML backends and its webhook; Label Studio asks each backend meanwhile.

    Args:
        api: The project's Label Studio.
        project: Id of the project.
        address: Where Label Studio reaches this backend, as far as it is known.
        version: Version of this backend's model; empty if it has none.

    Raises:
        EdgeFlowError: Label Studio gives no answer.
    """
    backends = api.ml_backends(project)
    backend = ours(backends, address.url, version)
    command = f"edgeflow-backend connect --project {project}"
    if backend is None:
        yield Finding("fail", f"project {project}: {_strangers(backends)}", f"run `{command}`")
        return
    name = f"project {project}: this backend ({describe_url(backend.url)})"
    if backend.state not in REACHED:
        yield _unreached(api, backend, name)
    elif version and backend.model_version != version:
        yield Finding(
            "warn",
            f"{name} answers with the model {clean(backend.model_version or '?', 60)}; the "
            f"settings here name {version}",
            "restart the backend, or check that it is this one which listens there",
        )
    else:
        yield Finding("ok", f"{name} is connected, and Label Studio reaches it")
    other = asked_instead(backends, backend)
    if not backend.is_interactive:
        yield Finding("fail", f"{name} gets no clicks: it is not interactive", f"run `{command}`")
    elif other is not None:
        yield Finding(
            "fail",
            f"{name} gets no clicks: Label Studio sends them to the first interactive one, "
            f"{describe_url(other.url)}",
            "disconnect that one in the project's settings under Model, or switch its interactive "
            "preannotations off",
        )
    else:
        yield Finding("ok", f"{name} is the one that gets the clicks")
    yield _examine_events(api, project, backend, address, command)


def _strangers(backends: list[MLBackend]) -> str:
    """What to say of ML backends none of which is this one."""
    if not backends:
        return "no ML backend is connected"
    names = ", ".join(
        f"{describe_url(each.url)} (model {clean(each.model_version or '?', 60)})"
        for each in backends
    )
    return f"this backend is not connected; connected are {names}"


def _unreached(api: LabelStudioAPI, backend: MLBackend, name: str) -> Finding:
    """Why Label Studio gets no answer; it is asked, since a row does not keep the reason."""
    why = backend.error
    try:
        api.ask_ml_backend(backend.id)
    except LabelStudioError as error:
        why = error.detail or error.message
    words = f"{name}: Label Studio gets no proper answer from it"
    return Finding("fail", f"{words}: {clean(why)}" if why else words, way_out(why))


def _examine_events(
    api: LabelStudioAPI, project: int, backend: MLBackend, address: Address, command: str
) -> Finding:
    webhook = event_webhook(api.webhooks(project), backend.url)
    where = f"project {project}: events (who submitted what)"
    if webhook is None:
        return Finding("fail", f"{where} do not arrive: the webhook is missing", f"run `{command}`")
    problems = webhook_problems(webhook, address.headers)
    if problems:
        words = "; ".join(problems)
        return Finding("fail", f"{where} do not arrive as they should: {words}", f"run `{command}`")
    try:
        # A guard that was switched on later leaves the webhook in its place and sends nothing.
        api.check_event_url(project, webhook.url)
    except LabelStudioError as error:
        if blocked(error.detail):
            words = f"{where} are no longer sent: {clean(error.detail)}"
            return Finding("fail", words, SUBNETS_ADVICE)
        words = f"{where}: whether Label Studio sends them could not be tried: {error.message}"
        return Finding("warn", clean(words), error.hint or "use a token of an administrator")
    return Finding("ok", f"{where} are sent to this backend")
