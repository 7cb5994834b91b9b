"""Why a host could not be reached, in words that name the way out."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from edgeflow_backend.errors import FetchError
from edgeflow_backend.redact.urls import describe_url

_UNTRUSTED = {
    18: "is self-signed",
    19: "was signed by an authority that is not trusted",
    20: "was signed by an authority that is not trusted",
    21: "was signed by an authority that is not trusted",
}
"""What OpenSSL's codes mean that a further certificate authority would put right."""

_OUTDATED = {9: "is not valid yet", 10: "has expired"}
_MISNAMED = {62: "is for another host name", 64: "is for another IP"}

_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
"""What OpenSSL says when the other side speaks plain HTTP."""


def unreachable(error: Exception, url: str, setting: str = "", *, late: bool = False) -> FetchError:
    """The error for a request that got no answer.

    Args:
        error: What requests or urllib3 raised.
        url: URL that was requested.
        setting: Setting that holds the URL; empty if it comes from a task.
        late: Whether the time was over.
    """
    where = describe_url(url)
    place = setting or "the task's data"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, where, place)
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return FetchError(
                f"{where} could not be fetched: the host speaks plain http, not https",
                hint=f"check {place}: the URL must begin with http://",
            )
    if late or isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return FetchError(
            f"{where} did not answer in time",
            hint=f"check {_reach(setting)}, or raise the timeouts",
        )
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return FetchError(
                f"{where} could not be fetched: the name of its host is not known",
                hint=f"check {_reach(setting)}; a proxy that knows the name goes into "
                "EDGEFLOW_PROXY",
            )
        if isinstance(cause, ConnectionResetError | BadStatusLine) and url.startswith("http:"):
            return FetchError(
                f"{where} could not be fetched ({type(error).__name__})",
                hint=f"check {place}: if the host speaks https, the URL must begin with https://",
            )
    return FetchError(
        f"{where} could not be fetched ({type(error).__name__})", hint=f"check {_reach(setting)}"
    )


def moved(url: str, location: str, setting: str) -> FetchError:
    """The error for a Label Studio that redirects to another URL of its own.

    The token goes to the configured URL only, so the redirect is not followed with it.

    Args:
        url: URL that was requested.
        location: Where it redirects to.
        setting: Setting that holds Label Studio's URL.
    """
    target = urljoin(url, location)
    home = target.partition("?")[0].removesuffix(urlsplit(url).path)
    return FetchError(
        f"Label Studio redirects {describe_url(url)} to {describe_url(target)}",
        hint=f"set {setting} to {describe_url(home, 'that URL')}",
    )


def _reach(setting: str) -> str:
    if not setting:
        return "that the backend's machine reaches it"
    return f"{setting} from the backend's machine (inside Docker, localhost is the container)"


def _certificate(error: ssl.SSLCertVerificationError, where: str, place: str) -> FetchError:
    code = error.verify_code
    if code in _OUTDATED:
        reason, hint = _OUTDATED[code], "renew it on that host, or correct the clock"
    elif code in _MISNAMED:
        reason = _MISNAMED[code]
        hint = f"check {place}: its host must be one that the certificate names"
    else:
        reason = _UNTRUSTED.get(code, f"is not accepted ({error.verify_message})")
        hint = (
            "set EDGEFLOW_CA_BUNDLE to a PEM file with the certificate authority, or with the "
            "certificate itself if it is self-signed"
        )
    return FetchError(f"{where} could not be fetched: its certificate {reason}", hint=hint)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it was raised from."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
