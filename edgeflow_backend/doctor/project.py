"""A project: its labelling config, and how it is connected to this backend."""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.doctor.connection import examine_connection
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.doctor.model import model_version
from edgeflow_backend.label_studio.connection import Address
from edgeflow_backend.objects.refine_rule import refine_rule
from edgeflow_backend.protocol.config_check import RECOMMENDED, Findings
from edgeflow_backend.protocol.config_check import examine as examine_config
from edgeflow_backend.settings import Settings


def examine_project(api: LabelStudioAPI, number: int, settings: Settings) -> Iterator[Finding]:
    """Check a project's labelling config, what its clicks refine, and how it is connected.

    Args:
        api: The project's Label Studio.
        number: Id of the project.
        settings: The backend's.

    Raises:
        EdgeFlowError: Label Studio gives no answer.
    """
    try:
        project = api.project(number)
    except LabelStudioError as error:
        if error.status is None:
            raise
        yield Finding(
            "fail",
            f"project {number} cannot be read (HTTP {error.status})",
            "check the id in the project's URL, and that the token's owner may see the project",
        )
        return
    yield from _examine_config(number, project.label_config)
    rule = refine_rule(settings.refine, project)
    yield Finding("warn" if rule.advice else "ok", f"project {number}: {rule.text}", rule.advice)
    yield from examine_connection(
        api, number, Address.of(settings), model_version(settings, number)
    )


def _examine_config(number: int, label_config: str) -> Iterator[Finding]:
    try:
        found = examine_config(label_config)
    except EdgeFlowError as error:
        found = Findings([f"{error.message}; {error.hint}."], [], RECOMMENDED)
    for text in found.problems:
        yield Finding("fail", f"project {number}: {text}")
    for text in found.warnings:
        yield Finding("warn", f"project {number}: {text}")
    if not found.problems:
        yield Finding("ok", f"project {number}: the labelling config works with this backend")
    if found.problems or found.warnings:
        yield Finding("warn", "a labelling config that works", found.recommended)
