"""An image host on loopback that stands in for Label Studio's uploads, and for broken hosts."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image

PHOTOS = Path(__file__).parents[2] / "demo" / "photos"
XMP_TURNED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
"""XMP that says what EXIF's orientation 6 says, and browsers ignore."""
TOKEN = "t".ljust(40, "0")


@cache
def photo(name: str = "astronaut", size: tuple[int, int] = (640, 480)) -> bytes:
    """A sample photograph at ``size`` = (width, height), as PNG."""
    buffer = io.BytesIO()
    Image.open(PHOTOS / f"{name}.jpg").convert("RGB").resize(size).save(buffer, "PNG")
    return buffer.getvalue()


def upright_as_exif(size: tuple[int, int] = (480, 640)) -> bytes:
    """A JPEG stored lying down whose EXIF says how to turn it to ``size`` = (width, height)."""
    image = Image.open(PHOTOS / "astronaut.jpg").resize(size).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels to speak of."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        if self.headers.get("Authorization") != f"Token {TOKEN}" or "unauthorised" in name:
            self._send(401, b'{"detail": "no"}')
        elif "missing" in name or "/presign/" in self.path:
            self._send(404, b"gone")
        elif "html" in name:
            self._send(200, b"<!DOCTYPE html><html><body>Log in</body></html>")
        elif "truncated" in name:
            self._send(200, photo()[:20_000])
        elif "huge" in name:
            self._send(200, png_header(60_000, 60_000))
        elif "large-file" in name:
            self._send(200, photo() + bytes(3_000_000))
        elif "silent" in name:
            time.sleep(4)
        elif "dripping" in name:
            self._drip()
        elif name.endswith(("-p.jpg", "-q.jpg")):  # as in the captured requests
            self._send(200, photo(size=(320, 240)))
        elif "exif" in name or name.endswith(".jpg"):
            self._send(200, upright_as_exif())
        else:
            self._send(200, photo())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            for byte in photo()[:40]:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.25)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@contextlib.contextmanager
def serve_images() -> Iterator[str]:
    """Run the host; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
