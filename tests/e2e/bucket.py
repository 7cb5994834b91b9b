"""A bucket on loopback: as much of S3 as a real Label Studio needs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from demo.label_studio import Client
from tests.e2e.conftest import PHOTOS
from tests.e2e.serving import serving

NAME = "images"
URI = f"s3://{NAME}/the cat.jpg"
LISTING = f"""<?xml version="1.0"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{NAME}</Name>
<KeyCount>0</KeyCount><MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"""


class Bucket(ThreadingHTTPServer):
    """As much of S3 as Label Studio asks before it takes a bucket; notes who fetched images."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fetched: list[tuple[bool, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == f"/{NAME}/the%20cat.jpg":
            signed = "X-Amz-Signature" in parse_qs(parts.query) or "Signature" in parts.query
            self.server.fetched.append((signed, self.headers.get("Authorization")))
            self._send((PHOTOS / "cat.jpg").read_bytes(), "image/jpeg")
        else:
            self._send(LISTING.encode(), "application/xml")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


def serve_bucket() -> AbstractContextManager[Bucket]:
    """A bucket with one image."""
    return serving(Bucket())


def connect_bucket(client: Client, project: int, bucket: Bucket) -> None:
    """Make it a project's cloud storage, with signed URLs."""
    storage = {
        "project": project, "bucket": NAME, "prefix": "", "aws_access_key_id": "AK",
        "aws_secret_access_key": "SK", "s3_endpoint": bucket.url, "region_name": "us-east-1",
        "use_blob_urls": True, "presign": True, "title": NAME,
    }  # fmt: skip
    client.call("POST", "storages/s3", json=storage)
