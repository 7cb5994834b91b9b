"""What lies in Redis: a value with a digest that binds it to its name.

A value under another name, of another version, or with one bit changed is refused. With a secret,
the digest is a MAC, and nobody without the secret can make a value that is accepted; without one,
it guards against damage only.
"""

from __future__ import annotations

import hashlib
import hmac

from edgeflow_backend.shared.packing import SpoiledValueError

MAGIC = b"EFs1"
"""First bytes of every value; the last one is the version of what follows."""

DIGEST_BYTES = 32
OVERHEAD_BYTES = len(MAGIC) + DIGEST_BYTES


class Seal:
    """Makes and checks digests.

    Args:
        secret: Shared by all processes that use one Redis; empty for none.
    """

    def __init__(self, secret: str = "") -> None:
        code = secret.encode()
        self._key = hashlib.blake2b(code, person=b"edgeflow secret").digest() if code else b""

    @property
    def authenticates(self) -> bool:
        """Whether values are safe from whoever can write to Redis."""
        return bool(self._key)

    def name(self, kind: str, *parts: str | bytes) -> str:
        """The name of a value: parts are hashed, since they may be URLs or tokens.

        Args:
            kind: Of the value, such as ``state``.
            parts: What identifies it.
        """
        digest = self._blake(b"edgeflow name")
        digest.update(kind.encode())
        for part in parts:
            code = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            digest.update(len(code).to_bytes(8, "little") + code)
        return f"edgeflow:1:{kind}:{digest.hexdigest()}"

    def seal(self, name: str, body: bytes) -> bytes:
        """The value to store under a name."""
        return b"".join((MAGIC, self._digest(name, body), body))

    def open(self, name: str, value: object) -> bytes:
        """The body of a value found under a name.

        Raises:
            SpoiledValueError: It was not made for this name, with this secret and version.
        """
        if not isinstance(value, bytes) or len(value) < OVERHEAD_BYTES:
            raise SpoiledValueError("no value of ours")
        if not value.startswith(MAGIC):
            raise SpoiledValueError("a value of another version")
        body = value[OVERHEAD_BYTES:]
        found = value[len(MAGIC) : OVERHEAD_BYTES]
        if not hmac.compare_digest(found, self._digest(name, body)):
            raise SpoiledValueError("a value that was changed or moved")
        return body

    def _digest(self, name: str, body: bytes) -> bytes:
        digest = self._blake(b"edgeflow value")
        code = name.encode()
        digest.update(len(code).to_bytes(8, "little") + code)
        digest.update(body)
        return digest.digest()

    def _blake(self, purpose: bytes) -> hashlib.blake2b:
        return hashlib.blake2b(digest_size=DIGEST_BYTES, key=self._key, person=purpose)
