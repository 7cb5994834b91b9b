"""Download of published weights: resumable, never partial, pinned at the first success."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import requests

from edgeflow.errors import EdgeFlowError
from edgeflow.files import write_atomically

TIMEOUT_S = (10.0, 60.0)
CHUNK_BYTES = 1 << 18
MAX_BYTES = 1 << 30
RECORDS = "downloads.json"

Progress = Callable[[int, int | None], None]
"""Called with the bytes received so far, and the total if the server announced it."""


class DownloadError(EdgeFlowError):
    """A download that did not succeed."""

    code = "download"


def download(url: str, folder: Path, progress: Progress | None = None) -> Path:
    """Fetch ``url`` into ``folder``, resuming an interrupted download.

    Args:
        url: http(s) URL of the file.
        folder: Destination of the file, and of ``downloads.json`` with each URL's sha256 and size.
        progress: Called after every chunk.

    Returns:
        Path of the file.

    Raises:
        DownloadError: The file cannot be fetched, is incomplete, or differs from the one that the
            URL gave the first time.
        FileWriteError: ``downloads.json`` cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / url.rsplit("/", 1)[-1]
    part = target.with_name(f"{target.name}.part")
    try:
        _fetch(url, part, progress)
    except requests.RequestException as error:
        raise DownloadError(
            f"{url} could not be fetched ({type(error).__name__})",
            hint="check the network and run the command again; it resumes the download",
        ) from error
    except OSError as error:
        raise DownloadError(
            f"cannot write {part}: {error.strerror}", hint="check the disk and its permissions"
        ) from error
    _check_record(url, part)
    part.replace(target)
    return target


def _fetch(url: str, part: Path, progress: Progress | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    # Identity: a compressed transfer would make Content-Length and resuming meaningless.
    headers["Accept-Encoding"] = "identity"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        if have and response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            raise DownloadError(
                f"{url} no longer fits the part that was fetched before",
                hint="run the command again",
            )
        if response.status_code not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            raise DownloadError(
                f"{url} answered HTTP {response.status_code}",
                hint="the publisher may have moved the file; download it by hand and convert it",
            )
        resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
        have = have if resumed else 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        if total is not None and total > MAX_BYTES:
            raise DownloadError(
                f"{url} is larger than {MAX_BYTES} bytes", hint="these are not weights"
            )
        with part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                have += len(chunk)
                if have > MAX_BYTES:
                    raise DownloadError(
                        f"{url} is larger than {MAX_BYTES} bytes", hint="these are not weights"
                    )
                if progress is not None:
                    progress(have, total)
    if total is not None and have != total:
        raise DownloadError(
            f"{url} gave {have} of {total} bytes",
            hint="run the command again; it resumes the download",
        )


def _check_record(url: str, part: Path) -> None:
    path = part.parent / RECORDS
    records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    record = {
        "sha256": hashlib.sha256(part.read_bytes()).hexdigest(),
        "bytes": part.stat().st_size,
    }
    first = records.get(url, record)
    if record != first:
        part.unlink()
        raise DownloadError(
            f"{url} gave another file than before (sha256 {record['sha256']}, first time "
            f"{first['sha256']})",
            hint=f"if its publisher announced a new version, delete the entry in {path}",
        )
    records[url] = record
    write_atomically(path, json.dumps(records, indent=2).encode())
