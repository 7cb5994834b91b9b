"""A stand-in for what names resolve to, and for public IPs."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import pytest

LIKELY_PUBLIC = ("93.184.216.34", "2606:2800:220:1::1")


class Internet:
    """Names that resolve as a test says, and public IPs that lead to its hosts on loopback.

    ``answers[name]`` are the resolver's answers, one after the other, the last one for ever;
    ``servers[ip]`` is the loopback port behind an IP. Literals resolve as they really do.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[Sequence[str]]] = {}
        self.servers: dict[str, int] = {}
        self.asked: list[str] = []
        self.reached: list[str] = []
        self._getaddrinfo = socket.getaddrinfo
        self._connect = socket.socket.connect
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve)
        internet = self

        def connect(self: socket.socket, address: Any) -> None:
            internet.connect(self, address)

        monkeypatch.setattr(socket.socket, "connect", connect)

    def _resolve(self, host: str, port: int, **kwargs: Any) -> list[Any]:
        self.asked.append(host)
        answers = self.answers.get(host.rstrip("."), [[host]])
        ips = answers.pop(0) if len(answers) > 1 else answers[0]
        kwargs["flags"] = socket.AI_NUMERICHOST
        return [info for ip in ips for info in self._getaddrinfo(ip, port, **kwargs)]

    def connect(self, opened: socket.socket, address: Any) -> None:
        """What a socket's ``connect`` does here."""
        self.reached.append(address[0])
        server = self.servers.get(address[0])
        if server is None and address[0] in LIKELY_PUBLIC:
            raise ConnectionRefusedError
        self._connect(opened, address if server is None else ("127.0.0.1", server))
