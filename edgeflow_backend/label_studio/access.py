"""Credentials and API of each Label Studio in the settings."""

from __future__ import annotations

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.label_studio.transport import GuardedTransport
from edgeflow_backend.settings import Settings


def open_api(
    settings: Settings, host: str = "", *, patience_s: float | None = None
) -> LabelStudioAPI:
    """The API of a Label Studio; nothing is asked yet.

    Args:
        settings: The backend's.
        host: Name of the Label Studio; empty for the default one.
        patience_s: Seconds that one request may take; None for the settings' timeouts.
    """
    transport = _transport(settings, host, patience_s)
    return LabelStudioAPI(transport, _credentials(settings, host, transport))


def authorised_api(
    settings: Settings, host: str = "", *, patience_s: float | None = None
) -> LabelStudioAPI:
    """The API of a Label Studio that the settings have a URL and a token for; as :func:`open_api`.

    Raises:
        LabelStudioError: They have none; the hint names the setting.
    """
    studio = settings.label_studios.get(host)
    if studio is None or not studio.url:
        raise LabelStudioError("its URL is not set", hint="set LABEL_STUDIO_URL")
    api = open_api(settings, host, patience_s=patience_s)
    if not api.credentials.has_token:
        raise LabelStudioError("no token is set", hint=f"set {api.credentials.token_setting}")
    return api


def credentials_of(settings: Settings, host: str = "") -> Credentials:
    """The credentials of a Label Studio by name; an empty name is the default one's."""
    return _credentials(settings, host, _transport(settings, host))


def _transport(settings: Settings, host: str, patience_s: float | None = None) -> GuardedTransport:
    return GuardedTransport(
        settings.label_studios[host].url,
        timeout=(settings.connect_timeout_s, patience_s or settings.read_timeout_s),
        uplink=settings.uplink,
        url_setting=_setting("url", host),
    )


def _credentials(settings: Settings, host: str, transport: GuardedTransport) -> Credentials:
    studio = settings.label_studios[host]
    return Credentials(
        transport,
        studio.api_key.get_secret_value(),
        login=studio.login.get_secret_value(),
        token_setting=_setting("api_key", host),
        url_setting=_setting("url", host),
    )


def _setting(field: str, host: str) -> str:
    """What to call a field of a Label Studio in a hint."""
    if host:
        return f"the {field} of '{host}' in EDGEFLOW_LABEL_STUDIO_HOSTS"
    return {"url": "LABEL_STUDIO_URL", "api_key": "LABEL_STUDIO_API_KEY"}[field]
