"""By what a large picture is known again, without reading all of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

SAMPLES, SAMPLE_BYTES = 64, 1 << 14


def file_digest(path: Path) -> str:
    """Digest of a file's name, length, and parts that are spread over it; 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        length = file.seek(0, 2)
        digest.update(f"{path.name}\n{length}\n".encode("utf-8", "surrogatepass"))
        last = max(length - SAMPLE_BYTES, 0)
        for place in sorted({last * number // (SAMPLES - 1) for number in range(SAMPLES)}):
            file.seek(place)
            digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
