"""Connects a project: its ML backend, interactive, and its webhook with the login that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.records import MLBackend
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.doctor.connection import REACHED, examine_connection
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.label_studio.connection import (
    SUBNETS_ADVICE,
    Address,
    blocked,
    event_webhook,
    ours,
    way_out,
    webhook_problems,
    webhook_url,
)
from edgeflow_backend.redact.texts import hide_secrets
from edgeflow_backend.redact.urls import describe_url

TITLE = "EdgeFlow"


def connect(api: LabelStudioAPI, project: int, address: Address) -> Iterator[Finding]:
    """Connect a project and check the outcome; what is right already stays as it is.

    Args:
        api: The project's Label Studio.
        project: Id of the project.
        address: Where Label Studio reaches this backend.

    Yields:
        What was done, then what :func:`examine_connection` finds; a failure ends it.
    """
    try:
        api.project(project)
        yield _connect_backend(api, project, address)
        yield _set_webhook(api, project, address)
        yield from examine_connection(api, project, address, version="")
    except LabelStudioError as error:
        yield Finding(
            "fail",
            f"project {project}: {hide_secrets(error.message)}",
            SUBNETS_ADVICE if blocked(error.detail) else error.hint,
        )


def _connect_backend(api: LabelStudioAPI, project: int, address: Address) -> Finding:
    """Have an interactive ML backend with this URL and login.

    Raises:
        LabelStudioError: Label Studio refuses it, or gets no answer from it.
    """
    name = f"project {project}: this backend ({describe_url(address.url)})"
    backend = ours(api.ml_backends(project), address.url)
    fields: JSONObject = {
        "url": address.url,
        "project": project,
        "is_interactive": True,
        **address.login_fields,
    }
    if backend is None:
        try:
            api.create_ml_backend(project, {"title": TITLE, **fields})
        except LabelStudioError as error:
            # With a private address it may be stored all the same, and its webhook refused.
            if not blocked(error.detail) or ours(api.ml_backends(project), address.url) is None:
                raise _advised(error) from error
        return Finding("ok", f"{name} was connected, interactive")
    change = _change(backend, address)
    if change:
        try:
            api.update_ml_backend(backend.id, fields)
        except LabelStudioError as error:
            raise _advised(error) from error
    return Finding("ok", f"{name} had been connected before{change}")


def _change(backend: MLBackend, address: Address) -> str:
    """What is to be changed in a connection, in words; empty if it is right.

    Label Studio shows no password, so a login is always sent again.
    """
    if not backend.is_interactive:
        return "; it is interactive now"
    if address.wants_login:
        return "; it was told the login again"
    if backend.basic_auth_user:
        return "; it is asked without a login now"
    return "" if backend.state in REACHED else "; it answers again"


def _advised(error: LabelStudioError) -> LabelStudioError:
    """An error that says what to do where Label Studio did not get on with this backend."""
    refused = error.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
    if not refused or not error.detail:
        return error
    return LabelStudioError(
        error.message, hint=way_out(error.detail), status=error.status, detail=error.detail
    )


def _set_webhook(api: LabelStudioAPI, project: int, address: Address) -> Finding:
    """Have a webhook that sends this backend every event, with the login.

    Raises:
        LabelStudioError: Label Studio refuses it.
    """
    url = webhook_url(address.url)
    webhook = event_webhook(api.webhooks(project), address.url)
    fields: JSONObject = {
        "url": url,
        "headers": address.headers,
        "is_active": True,
        "send_payload": True,
        "send_for_all_actions": True,
    }
    name = f"project {project}: the webhook ({describe_url(url)})"
    login = ", with user and password" if address.wants_login else ""
    login += ", with the secret" if address.secret else ""
    if webhook is None:
        api.create_webhook(project, fields)
        return Finding("ok", f"{name} was made{login}")
    problems = webhook_problems(webhook, address.headers)
    kept = {
        name: value
        for name, value in webhook.headers.items()
        if name.lower() not in {needed.lower() for needed in address.headers}
    }
    # Also where nothing changes: this is how Label Studio says whether it would send there. It
    # forgets actions that are not sent along.
    fields |= {"headers": {**kept, **address.headers}, "actions": list(webhook.actions)}
    api.update_webhook(webhook.id, fields)
    return Finding("ok", f"{name} was set right{login}" if problems else f"{name} was right")
