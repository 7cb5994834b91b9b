"""How the backend reaches other hosts: whom it trusts, and through which proxy."""

from __future__ import annotations

import functools
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import certifi
from urllib3.util.ssl_ import create_urllib3_context

from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.proxy import Proxy


@dataclass(frozen=True)
class Uplink:
    """What all outgoing connections share; by default, public authorities and no proxy.

    Attributes:
        ca_bundle: File or folder of further certificate authorities; empty for none.
        proxy: Proxy for hosts that are not in ``no_proxy``; None for none.
        no_proxy: Hosts that are reached without it.
    """

    ca_bundle: str = ""
    proxy: Proxy | None = None
    no_proxy: AllowList = field(default_factory=AllowList)

    @property
    def tls(self) -> ssl.SSLContext:
        """Checks the hosts' certificates."""
        return trust(self.ca_bundle)


@functools.cache
def trust(ca_bundle: str = "") -> ssl.SSLContext:
    """A TLS context that checks certificates against the public authorities and further ones.

    Made once for each bundle: reading the public authorities takes tens of milliseconds.

    Args:
        ca_bundle: PEM file, or folder of PEM files, of further authorities; empty for none.

    Raises:
        ValueError: The bundle cannot be read, or has no certificate; the message says what is
            wrong.
    """
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    if ca_bundle:
        # Companies' own certificates: often the issuing authority without its root, and made
        # without the extensions that Python 3.13 and later demand by default, unlike browsers.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        _add(context, Path(ca_bundle).expanduser())
    return context


def _add(context: ssl.SSLContext, path: Path) -> None:
    try:
        # Every file, whatever its name: OpenSSL itself finds only those named after a hash.
        files = [file for file in sorted(path.iterdir()) if file.is_file()] if path.is_dir() else []
        loaded = [_load(context, file) for file in files or [path]]
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ValueError(f"cannot be read ({reason})") from error
    if not any(loaded):
        raise ValueError(
            "has no certificate in PEM format (-----BEGIN CERTIFICATE-----); "
            "`openssl x509 -inform der` converts one in DER format"
        )


def _load(context: ssl.SSLContext, file: Path) -> bool:
    """Whether a file's certificates were added.

    Raises:
        OSError: It cannot be read.
    """
    with file.open("rb"):  # OpenSSL's errors do not say why it cannot be read
        pass
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        return False
    return True
