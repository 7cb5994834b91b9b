from __future__ import annotations

import base64
import traceback
from http.server import BaseHTTPRequestHandler

import pytest

from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.transport import PlainTransport
from edgeflow.pull.fetch import Pictures
from edgeflow.pull.locations import PictureError, TooLargeError
from tests.unit.edgeflow.data.making import image_file
from tests.unit.edgeflow_backend.loopback import (
    Host,
    Received,
    Reply,
    closed_port,
    redirect,
    serve,
)

TOKEN = "0123456789abcdef0123456789abcdef01234567"
IMAGE = image_file()
LIMIT = 10_000


def pictures(host: Host) -> Pictures:
    return Pictures(host.url, Credentials(PlainTransport(host.url), TOKEN))


def refusal(host: Host, location: str, limit: int = LIMIT) -> PictureError:
    with pytest.raises(PictureError) as caught:
        pictures(host).fetch(location, 7, limit)
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + caught.value.hint
    return caught.value


def test_an_upload_is_fetched_with_the_token(host: Host) -> None:
    host.routes["/data/upload/1/a.jpg"] = Reply(body=IMAGE)
    assert pictures(host).fetch("/data/upload/1/a.jpg", 7, LIMIT) == (IMAGE, "JPEG")
    assert host.received[0].headers["authorization"] == f"Token {TOKEN}"


def test_cloud_storage_redirects_to_a_host_that_gets_no_token(host: Host) -> None:
    with serve() as bucket:
        bucket.routes["/signed"] = Reply(body=IMAGE)
        host.routes["/tasks/7/presign/"] = redirect(f"{bucket.url}/signed?x=1")
        assert pictures(host).fetch("s3://b/a.jpg", 7, LIMIT) == (IMAGE, "JPEG")
        assert "authorization" in host.received[0].headers
        assert "authorization" not in bucket.received[0].headers


def test_other_hosts_get_no_token(host: Host) -> None:
    with serve() as other:
        other.routes["/a.jpg"] = Reply(body=IMAGE)
        assert pictures(host).fetch(f"{other.url}/a.jpg", 7, LIMIT)[0] == IMAGE
        assert "authorization" not in other.received[0].headers


def test_an_expired_token_is_renewed_once(host: Host) -> None:
    answers = [Reply(401), Reply(body=IMAGE)]

    def answer(_: Received, __: BaseHTTPRequestHandler) -> Reply:
        return answers.pop(0)

    host.routes["/a.jpg"] = answer
    assert pictures(host).fetch("/a.jpg", 7, LIMIT)[0] == IMAGE


def test_an_inline_image_asks_nobody(host: Host) -> None:
    location = "data:image/jpeg;base64," + base64.b64encode(IMAGE).decode()
    assert pictures(host).fetch(location, 7, LIMIT)[0] == IMAGE
    assert host.received == []


@pytest.mark.parametrize("announced", [True, False])
def test_more_bytes_than_the_limit_are_not_read(host: Host, announced: bool) -> None:
    length = -1 if announced else None
    host.routes["/a.jpg"] = Reply(body=IMAGE + bytes(LIMIT), length=length)
    error = refusal(host, "/a.jpg")
    assert isinstance(error, TooLargeError)
    assert "--max-image-mb" in error.hint


def test_what_is_no_image_is_refused_by_name(host: Host) -> None:
    host.routes["/a.jpg"] = Reply(body=b"<!doctype html><title>Log in</title>")
    assert "HTML page" in refusal(host, "/a.jpg").message


def test_refusals_say_who_and_what(host: Host) -> None:
    assert refusal(host, "/none.jpg").message == "Label Studio answers HTTP 404"
    host.routes["/circle.jpg"] = redirect("/circle.jpg")
    assert "circles" in refusal(host, "/circle.jpg").message
    host.routes["/file.jpg"] = redirect("file:///etc/passwd")
    assert "other than an http" in refusal(host, "/file.jpg").message
    error = refusal(host, f"http://127.0.0.1:{closed_port()}/secret/a.jpg?key=1")
    assert "127.0.0.1 does not answer" in error.message
    assert "secret" not in error.message
    refusal(host, "http://[broken/a.jpg")
