from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeflow.checkpoints.download import RECORDS, DownloadError, download
from edgeflow.checkpoints.published import PUBLISHED, Published
from edgeflow.cli import app
from tests.unit.edgeflow.checkpoints.convert.foreign import pdparams


@dataclass
class Publisher:
    """A publisher's server on loopback that can fail half-way."""

    url: str
    content: bytes = bytes(range(256)) * 4000
    stop_after: int | None = None
    status: int = 200
    resumable: bool = True
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    state = Publisher("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            byte_range = self.headers.get("Range")
            state.ranges.append(byte_range)
            start = int(byte_range.removeprefix("bytes=").rstrip("-")) if byte_range else 0
            if state.status != 200:
                self.send_error(state.status)
                return
            if byte_range and state.resumable and start >= len(state.content):
                self.send_error(416)
                return
            start = start if state.resumable else 0
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if state.stop_after is None else body[: state.stop_after])

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/weights/file.pdparams"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_a_file_is_fetched_whole_and_its_digest_recorded(
    publisher: Publisher, tmp_path: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    path = download(publisher.url, tmp_path, lambda have, total: seen.append((have, total)))
    assert path.read_bytes() == publisher.content
    assert seen[-1] == (len(publisher.content), len(publisher.content))
    record = json.loads((tmp_path / RECORDS).read_text())[publisher.url]
    assert record["bytes"] == len(publisher.content)
    assert {p.name for p in tmp_path.iterdir()} == {"file.pdparams", RECORDS}


@pytest.mark.slow
def test_an_interrupted_download_is_resumed(publisher: Publisher, tmp_path: Path) -> None:
    publisher.stop_after = 300_000
    with pytest.raises(DownloadError):
        download(publisher.url, tmp_path)
    assert not (tmp_path / "file.pdparams").exists()
    publisher.stop_after = None
    assert download(publisher.url, tmp_path).read_bytes() == publisher.content
    assert publisher.ranges[0] is None
    assert publisher.ranges[1] is not None


@pytest.mark.slow
def test_a_server_that_cannot_resume_is_asked_for_everything(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.resumable = False
    (tmp_path / "file.pdparams.part").write_bytes(b"old and wrong")
    assert download(publisher.url, tmp_path).read_bytes() == publisher.content


@pytest.mark.slow
def test_a_part_that_is_longer_than_the_file_starts_over(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "file.pdparams.part").write_bytes(publisher.content + b"more")
    with pytest.raises(DownloadError, match="no longer fits"):
        download(publisher.url, tmp_path)
    assert download(publisher.url, tmp_path).read_bytes() == publisher.content


@pytest.mark.slow
def test_a_file_that_changed_since_the_first_time_is_refused(
    publisher: Publisher, tmp_path: Path
) -> None:
    first = download(publisher.url, tmp_path).read_bytes()
    publisher.content = b"something else"
    with pytest.raises(DownloadError, match="another file than before") as caught:
        download(publisher.url, tmp_path)
    assert RECORDS in caught.value.hint
    assert (tmp_path / "file.pdparams").read_bytes() == first


@pytest.mark.slow
@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_http_error_is_named(publisher: Publisher, tmp_path: Path, status: int) -> None:
    publisher.status = status
    with pytest.raises(DownloadError, match=str(status)):
        download(publisher.url, tmp_path)


def test_an_unreachable_publisher_is_named(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="could not be fetched"):
        download("http://127.0.0.1:1/x.zip", tmp_path)


@pytest.mark.slow
def test_the_command_downloads_converts_and_shows_the_model(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.content = pdparams().read_bytes()
    entry = Published("tiny", publisher.url, "tiny RITM", "tests")
    monkeypatch.setitem(PUBLISHED, "tiny", entry)
    arguments = ["--models-dir", str(tmp_path)]
    result = CliRunner().invoke(app, ["download", "tiny", *arguments])
    assert result.exit_code == 0, result.output
    listed = CliRunner().invoke(app, ["models", *arguments])
    assert "tiny  (" in listed.output
    assert "ritm_hrnet, width 4" in listed.output
    assert "tiny  (present)" in listed.output


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["download", "nonsense", "--models-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "edgeflow_cocolvis" in result.output


def test_every_published_model_has_an_https_address_and_a_use() -> None:
    assert len(PUBLISHED) >= 9
    for name, entry in PUBLISHED.items():
        assert name == entry.name
        assert entry.url.startswith("https://")
        assert entry.url.endswith((".zip", ".pdparams"))
        assert entry.use
