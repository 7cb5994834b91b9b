"""An HTTP proxy through which the backend reaches other hosts."""

from __future__ import annotations

import base64
import re
import socket
from dataclasses import dataclass, field

from urllib3.util import Url, parse_url

from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.origins import split_login

MAX_ANSWER = 1 << 16
"""Most bytes of a proxy's answer before the tunnel begins."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


@dataclass(frozen=True)
class Proxy:
    """A proxy.

    Attributes:
        host: Its name or IP.
        port: Its port.
        authorization: Header with its user and password; empty for none.
    """

    host: str
    port: int
    authorization: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """Parse ``http://host:3128`` or ``http://user:password@host:3128``.

        Raises:
            ValueError: It is of another form; the message does not repeat it.
        """
        url, login = split_login(url.strip() if "://" in url else f"http://{url.strip()}")
        try:
            parts = parse_url(url)
        except ValueError:  # whose message repeats the URL
            parts = Url()
        if parts.scheme != "http" or not parts.host or parts.path not in (None, "", "/"):
            raise ValueError("must look like http://proxy:3128; other kinds are not supported")
        authorization = base64.b64encode(login.encode()).decode() if login else ""
        return cls(
            parts.host.strip("[]"),
            parts.port or 80,
            f"Basic {authorization}" if authorization else "",
        )

    @property
    def name(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"

    def refusal(self, reason: str) -> FetchError:
        """The error when the proxy does not let a request through."""
        return FetchError(
            f"the proxy {self.name} {reason}",
            hint="check EDGEFLOW_PROXY, or add the host to EDGEFLOW_NO_PROXY",
        )

    def tunnel(self, opened: socket.socket, host: str, port: int) -> None:
        """Ask the proxy to connect an open socket with a host (``CONNECT``).

        Raises:
            FetchError: The proxy refuses.
            OSError: The proxy does not answer.
        """
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if self.authorization:
            lines.append(f"Proxy-Authorization: {self.authorization}")
        opened.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        answer = bytearray()
        # Byte by byte: what follows the answer's head belongs to the tunnel.
        while not answer.endswith(b"\r\n\r\n") and len(answer) < MAX_ANSWER:
            byte = opened.recv(1)
            if not byte:
                break
            answer += byte
        status = _STATUS.match(answer)
        if status is None:
            raise self.refusal("does not speak HTTP")
        if status[1] != b"200":
            raise self.refusal(f"answered HTTP {status[1].decode()} for {host[:100]}")
