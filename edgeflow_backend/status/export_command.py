"""The command that exports a project, ready to be pasted into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from edgeflow_backend.redact.urls import describe_url

_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)

FROM_ENVIRONMENT = '"$LABEL_STUDIO_URL"'
"""In place of a URL that is not known, or whose path might hold a secret."""


def export_command(project: str, label_studios: Mapping[str, str]) -> str:
    """The command that exports a project; the token comes from the environment of who runs it.

    Only what the settings say goes into it: whoever pastes it sends a token to that URL.

    Args:
        project: Project key, untrusted.
        label_studios: URLs of the configured Label Studios by name.

    Returns:
        Empty for a project without a number.
    """
    host, _, number = project.rpartition("/")
    if not _NUMBER.fullmatch(number):
        return ""
    url = label_studios.get(host, "")
    shown = shlex.quote(url) if url and describe_url(url) == url else FROM_ENVIRONMENT
    return f"edgeflow export --url {shown} --project {number} -o project-{number}"
