"""Whether a Label Studio answers, and whose its token is."""

from __future__ import annotations

from collections.abc import Generator

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.redact.texts import hide_secrets
from edgeflow_backend.redact.urls import describe_url


def examine_label_studio(api: LabelStudioAPI, url: str) -> Generator[Finding, None, bool]:
    """Check that a Label Studio answers, and whose token it is.

    Returns:
        Whether more can be asked of it; if not, a finding tells why.

    Raises:
        EdgeFlowError: It cannot be reached, or the token is malformed.
    """
    release, credentials = api.release(), api.credentials
    yield Finding("ok", f"Label Studio {hide_secrets(release[:40])} answers at {describe_url(url)}")
    if not credentials.has_token:
        yield Finding(
            "fail",
            "no token is set; uploads cannot be fetched",
            f"set {credentials.token_setting}",
        )
        return False
    kind = "personal access token" if credentials.is_personal else "legacy token"
    credentials.header()  # raises if the token itself is unusable
    try:
        owner = api.whoami()
    except LabelStudioError as error:
        if error.status is None:
            raise
        yield Finding(
            "fail",
            f"Label Studio refuses the {kind} (HTTP {error.status})",
            f"{credentials.advice}. Copy it again from Account & Settings; if legacy tokens are "
            "disabled for your organisation, use a personal access token",
        )
        return False
    yield Finding("ok", f"the {kind} belongs to {owner.get('email', '?')}")
    return True
