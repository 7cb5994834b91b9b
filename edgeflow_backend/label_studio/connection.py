"""How a project is connected to this backend, and what is wrong with it: no requests here."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgeflow.label_studio.api.records import MLBackend, Webhook
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.settings import Settings

SUBNETS_ADVICE = (
    "Label Studio refuses private addresses: set USE_DEFAULT_BANNED_SUBNETS=false and "
    "USER_ADDITIONAL_BANNED_SUBNETS to what stays forbidden, or ML_BLOCK_LOCAL_IP=false and "
    "SSRF_PROTECTION_ENABLED=false, and start it again; see docs/docker.md"
)
"""The way out where Label Studio's guard keeps it from this backend."""

SECRET_HEADER = "X-EdgeFlow-Secret"  # noqa: S105 - a name
"""The header of an event that holds EDGEFLOW_WEBHOOK_SECRET."""

_KEYS = {"Authorization": (("user", "password"), 401), SECRET_HEADER: (("secret",), 403)}
"""By header: what it holds, and how this backend answers without."""


@dataclass(frozen=True)
class Address:
    """Where Label Studio reaches this backend, and the login that it needs there.

    Attributes:
        url: URL without a trailing slash; empty if it is not known.
        user: User for HTTP Basic; empty for none.
        password: Its password.
        secret: Secret of events; empty for none.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)

    @classmethod
    def of(cls, settings: Settings, host: str = "", url: str = "") -> Address:
        """The address that a Label Studio uses.

        Args:
            settings: The backend's.
            host: Name of the Label Studio; empty for the default one.
            url: URL without the route of that Label Studio; empty for the setting's.
        """
        url = url or settings.backend_url
        return cls(
            f"{url}/hosts/{host}" if url and host else url,
            settings.basic_auth_user,
            settings.basic_auth_password.get_secret_value(),
            settings.webhook_secret.get_secret_value(),
        )

    @property
    def wants_login(self) -> bool:
        """Whether the backend refuses requests without a login."""
        return bool(self.user or self.password)

    @property
    def headers(self) -> dict[str, str]:
        """The header fields that an event needs to be let in."""
        headers = {SECRET_HEADER: self.secret} if self.secret else {}
        if self.wants_login:
            login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        return headers

    @property
    def login_fields(self) -> JSONObject:
        """The fields of an ML backend's row that hold the login."""
        if not self.wants_login:
            return {"auth_method": "NONE"}
        return {
            "auth_method": "BASIC_AUTH",
            "basic_auth_user": self.user,
            "basic_auth_pass": self.password,
        }


def ours(backends: Sequence[MLBackend], url: str, version: str = "") -> MLBackend | None:
    """Which of a project's ML backends is this one; None if none is.

    Args:
        backends: The project's.
        url: This backend's URL; empty if it is not known. Then the model's version tells.
        version: Version of this backend's model, as it tells Label Studio.
    """
    if url:
        found = [backend for backend in backends if _same(backend.url, url)]
    else:
        found = [backend for backend in backends if version and backend.model_version == version]
    return next((backend for backend in found if backend.is_interactive), next(iter(found), None))


def asked_instead(backends: Sequence[MLBackend], backend: MLBackend) -> MLBackend | None:
    """The ML backend that gets an editor's clicks before another does; None if none does."""
    first = next((each for each in backends if each.is_interactive), backend)
    return None if first.id == backend.id else first


def webhook_url(url: str) -> str:
    """Where Label Studio sends the events of a project, as it makes it of an ML backend's URL."""
    return f"{url.rstrip('/')}/webhook"


def event_webhook(webhooks: Sequence[Webhook], url: str) -> Webhook | None:
    """The webhook that sends a project's events to an ML backend's URL; None if there is none."""
    return next((hook for hook in webhooks if _same(hook.url, webhook_url(url))), None)


def webhook_problems(webhook: Webhook, headers: Mapping[str, str]) -> list[str]:
    """What keeps events from arriving whole, in words without secrets.

    Args:
        webhook: The webhook.
        headers: Header fields that an event needs.
    """
    problems = []
    if not webhook.is_active:
        problems.append("it is switched off")
    if not webhook.send_payload:
        problems.append("it does not send the annotation")
    if not webhook.all_actions:
        problems.append("it does not send every event")
    sent = {name.lower(): value for name, value in webhook.headers.items()}
    for name, value in headers.items():
        what, code = _KEYS[name]
        if name.lower() not in sent:
            problems.append(f"it sends no {what[-1]}, so this backend answers {code}")
        elif sent[name.lower()] != value:
            problems.append(f"it sends another {' or '.join(what)}, so this backend answers {code}")
    return problems


def blocked(detail: str) -> bool:
    """Whether Label Studio's guard against private addresses refused, as its words tell."""
    return "reserved network" in detail or "was not allowed" in detail


def way_out(detail: str) -> str:
    """What to do when Label Studio gets no proper answer from this backend.

    Args:
        detail: Why, in Label Studio's words.
    """
    if blocked(detail):
        return SUBNETS_ADVICE
    if "401" in detail or "authentication parameters" in detail:
        return (
            "run `edgeflow-backend connect` with the EDGEFLOW_BASIC_AUTH_USER and "
            "EDGEFLOW_BASIC_AUTH_PASSWORD of the running backend"
        )
    return (
        "start the backend, and check that Label Studio's machine reaches this URL (inside Docker, "
        "localhost is the container)"
    )


def _same(one: str, other: str) -> bool:
    return one.strip().rstrip("/") == other.strip().rstrip("/")
