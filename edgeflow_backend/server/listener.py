"""The listening socket."""

from __future__ import annotations

import errno
import socket

from edgeflow.errors import EdgeFlowError

BACKLOG = 1024
"""Connections that the kernel keeps until they are accepted."""


class ListenError(EdgeFlowError):
    """The server cannot listen there."""

    code = "listen"


def listen(host: str, port: int) -> socket.socket:
    """Listen on a host name or IP; ``::`` takes IPv4 as well.

    Raises:
        ListenError: The port is taken or not allowed, or the host is not this machine's.
    """
    host = host.strip("[]")
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, place = min(found, key=lambda each: each[0] != socket.AF_INET)
        both = family == socket.AF_INET6 and place[0] == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(
            place[:2],
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=both,
        )
    except socket.gaierror as error:
        raise ListenError(
            f"the host '{host}' is unknown", hint="--host takes a name or an IP of this machine"
        ) from error
    except OSError as error:
        raise _explain(error, host, port) from error


def _explain(error: OSError, host: str, port: int) -> ListenError:
    if error.errno == errno.EADDRINUSE:
        return ListenError(
            f"port {port} of {host} is taken by another program",
            hint="stop that one, or choose another with --port",
        )
    if error.errno == errno.EACCES:
        return ListenError(
            f"port {port} is not allowed to this user", hint="choose a --port from 1024 on"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ListenError(
            f"{host} is no IP of this machine", hint="--host 0.0.0.0 listens on all of them"
        )
    return ListenError(f"cannot listen on {host} port {port}: {error.strerror}", hint="see --host")
