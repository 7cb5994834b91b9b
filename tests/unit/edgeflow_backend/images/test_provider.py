from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from structlog.testing import capture_logs

from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow_backend.errors import DeadlineError, FetchError
from edgeflow_backend.images.single_flight import AHEAD_WORKERS, MAX_AHEAD
from edgeflow_backend.settings import Settings
from tests.contract.images import png_header, upright_as_exif
from tests.unit.edgeflow_backend.images.located import LocatedImages
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply, redirect
from tests.unit.edgeflow_backend.samples import SIZE, data_uri, disk_image, disk_png

PATIENCE_S = 10.0
MakeProvider = Callable[..., LocatedImages]


def soon(seconds: float = PATIENCE_S) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def make(predictor: Predictor) -> Iterator[MakeProvider]:
    providers: list[LocatedImages] = []

    def make(**changes: Any) -> LocatedImages:
        settings = Settings(**{"allowed_hosts": "127.0.0.1", **changes})  # the tests' hosts
        providers.append(LocatedImages(settings, predictor))
        return providers[-1]

    yield make
    for provider in providers:
        provider.close()


def test_an_image_of_the_web_comes_to_the_device(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    image = make().get(f"{host.url}/a.png", deadline=soon())
    assert image.size == SIZE
    assert (image.pixels[0].permute(1, 2, 0).numpy() == disk_image()).all()


def test_an_inline_image_comes_to_the_device(make: MakeProvider) -> None:
    image = make().get(data_uri(disk_png()), deadline=soon())
    assert (image.pixels[0].permute(1, 2, 0).numpy() == disk_image()).all()


def test_an_upload_is_fetched_from_label_studio_with_its_token(
    make: MakeProvider, host: Host
) -> None:
    host.routes["/data/upload/1/a.png"] = Reply(body=disk_png())
    provider = make(label_studio_url=host.url, label_studio_api_key="abc")
    assert provider.get("/data/upload/1/a.png", deadline=soon()).size == SIZE
    assert host.received[0].headers["authorization"] == "Token abc"


def test_an_image_is_brought_upright(make: MakeProvider, host: Host) -> None:
    host.routes["/a.jpg"] = Reply(body=upright_as_exif((90, 120)))
    assert make().get(f"{host.url}/a.jpg", deadline=soon()).size == Size(120, 90)


def test_a_known_image_is_not_fetched_again(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    provider = make()
    first = provider.get(f"{host.url}/a.png", deadline=soon())
    assert provider.get(f"{host.url}/a.png", deadline=soon()) is first
    assert len(host.received) == 1
    assert provider.cache.nbytes == first.nbytes


def test_an_equal_inline_image_is_kept_once(make: MakeProvider) -> None:
    provider = make()
    first = provider.get(data_uri(disk_png()), deadline=soon())
    assert provider.get(f" {data_uri(disk_png())}\n", deadline=soon()) is first
    assert len(provider.cache) == 1


def test_many_who_ask_at_once_cause_one_download(make: MakeProvider, host: Host) -> None:
    release = threading.Event()

    def slow(_: Received, __: BaseHTTPRequestHandler) -> Reply:
        release.wait(PATIENCE_S)
        return Reply(body=disk_png())

    host.routes["/a.png"] = slow
    provider = make()
    with ThreadPoolExecutor(20) as pool:
        futures = [
            pool.submit(provider.get, f"{host.url}/a.png", deadline=soon()) for _ in range(20)
        ]
        time.sleep(0.2)
        release.set()
        images = [future.result(PATIENCE_S) for future in futures]
    assert len(host.received) == 1
    assert all(image is images[0] for image in images)


def test_different_images_are_fetched_at_the_same_time(make: MakeProvider, host: Host) -> None:
    together = threading.Barrier(4, timeout=PATIENCE_S)

    def meet(_: Received, __: BaseHTTPRequestHandler) -> Reply:
        together.wait()
        return Reply(body=disk_png())

    host.routes["*"] = meet
    provider = make()
    with ThreadPoolExecutor(4) as pool:
        urls = [f"{host.url}/{number}.png" for number in range(4)]
        images = list(pool.map(lambda url: provider.get(url, deadline=soon()), urls))
    assert len({id(image) for image in images}) == 4


def test_an_image_is_fetched_again_after_its_time(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    provider = make(image_ttl_s=0.05)
    provider.get(f"{host.url}/a.png", deadline=soon())
    host.routes["/a.png"] = Reply(body=disk_png(Size(60, 80)))
    time.sleep(0.1)
    assert provider.get(f"{host.url}/a.png", deadline=soon()).size == Size(60, 80)
    assert len(host.received) == 2


def test_without_a_cache_images_are_still_served(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    provider = make(image_cache_mb=0)
    for _ in range(2):
        assert provider.get(f"{host.url}/a.png", deadline=soon()).size == SIZE
    assert len(host.received) == 2
    assert provider.cache.nbytes == 0


def test_a_small_cache_keeps_the_newest_images(make: MakeProvider, host: Host) -> None:
    host.routes["*"] = Reply(body=disk_png())
    provider = make(image_cache_mb=0.5)
    for number in range(10):
        provider.get(f"{host.url}/{number}.png", deadline=soon())
        assert provider.cache.nbytes <= 500_000
    asked = len(host.received)
    provider.get(f"{host.url}/9.png", deadline=soon())
    assert len(host.received) == asked
    provider.get(f"{host.url}/0.png", deadline=soon())
    assert len(host.received) == asked + 1


def test_a_failure_is_not_remembered(make: MakeProvider, host: Host) -> None:
    provider = make()
    with pytest.raises(FetchError, match="404"):
        provider.get(f"{host.url}/a.png", deadline=soon())
    host.routes["/a.png"] = Reply(body=b"no image")
    with pytest.raises(ImageError):
        provider.get(f"{host.url}/a.png", deadline=soon())
    host.routes["/a.png"] = Reply(body=disk_png())
    assert provider.get(f"{host.url}/a.png", deadline=soon()).size == SIZE


def test_all_who_wait_for_an_image_learn_of_its_failure(make: MakeProvider, host: Host) -> None:
    release = threading.Event()

    def slow(_: Received, __: BaseHTTPRequestHandler) -> Reply:
        release.wait(PATIENCE_S)
        return Reply(404)

    host.routes["/a.png"] = slow
    provider = make()
    with ThreadPoolExecutor(5) as pool:
        futures = [
            pool.submit(provider.get, f"{host.url}/a.png", deadline=soon()) for _ in range(5)
        ]
        time.sleep(0.1)
        release.set()
        for future in futures:
            with pytest.raises(FetchError, match="404"):
                future.result(PATIENCE_S)
    assert len(host.received) == 1


def test_who_asks_is_not_kept_beyond_the_deadline(make: MakeProvider, host: Host) -> None:
    release = threading.Event()

    def slow(_: Received, __: BaseHTTPRequestHandler) -> Reply:
        release.wait(PATIENCE_S)
        return Reply(body=disk_png())

    host.routes["/a.png"] = slow
    provider = make()
    started = time.monotonic()
    with pytest.raises(DeadlineError, match="in time") as caught:
        provider.get(f"{host.url}/a.png", deadline=soon(0.1))
    assert 0.09 < time.monotonic() - started < 2
    assert caught.value.hint
    release.set()  # what was given up still comes, for whoever asks next
    assert provider.get(f"{host.url}/a.png", deadline=soon()).size == SIZE
    assert len(host.received) == 1


def test_an_image_that_is_there_needs_no_time(make: MakeProvider) -> None:
    provider = make()
    provider.get(data_uri(disk_png()), deadline=soon())
    assert provider.get(data_uri(disk_png()), deadline=time.monotonic() - 1).size == SIZE


def test_an_image_with_too_many_pixels_is_refused(make: MakeProvider) -> None:
    with pytest.raises(ImageTooLargeError):
        make(max_pixels=SIZE.height * SIZE.width - 1).get(data_uri(disk_png()), deadline=soon())
    with pytest.raises(ImageTooLargeError):
        make().get(data_uri(png_header(60_000, 60_000)), deadline=soon())


def test_an_image_with_too_many_bytes_is_refused(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png() + bytes(20_000))
    provider = make(max_image_mb=0.01)
    for url in (f"{host.url}/a.png", data_uri(disk_png() + bytes(20_000))):
        with pytest.raises(FetchError) as caught:
            provider.get(url, deadline=soon())
        assert "EDGEFLOW_MAX_IMAGE_MB" in caught.value.hint


def test_the_timeouts_are_those_of_the_settings(make: MakeProvider, host: Host) -> None:
    def silent(_: Received, __: BaseHTTPRequestHandler) -> None:
        host.pause()

    host.routes["/a.png"] = silent
    started = time.monotonic()
    with pytest.raises(FetchError, match="in time"):
        make(read_timeout_s=0.1).get(f"{host.url}/a.png", deadline=soon())
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("url", ["", "s3://bucket/a.png", "file:///etc/passwd", "data:"])
def test_a_url_that_leads_nowhere_is_refused_before_any_work(make: MakeProvider, url: str) -> None:
    with pytest.raises(FetchError):
        make().get(url, deadline=time.monotonic() - 1)


def test_images_are_pure_functions_of_their_bytes(make: MakeProvider, host: Host) -> None:
    host.routes["*"] = Reply(body=disk_png())
    provider = make()
    images = [
        provider.get(url, deadline=soon())
        for url in (f"{host.url}/a.png", f"{host.url}/b.png", data_uri(disk_png()))
    ]
    assert len({image.digest for image in images}) == 1
    assert np.array_equal(images[0].overview.numpy(), images[2].overview.numpy())


def refusal(provider: LocatedImages, url: str, **where: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        provider.get(url, deadline=soon(), **where)
    assert caught.value.hint
    for secret in ("token-a", "token-b"):
        assert secret not in caught.value.message + caught.value.hint
    return caught.value


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


# Private IPs


def test_a_private_ip_is_refused_with_the_setting(make: MakeProvider, host: Host) -> None:
    provider = make(allowed_hosts="")
    error = refusal(provider, f"{host.url}/a.png")
    assert "127.0.0.1" in error.message
    assert "EDGEFLOW_ALLOWED_HOSTS" in error.hint
    assert host.received == []


def test_label_studio_needs_no_entry(make: MakeProvider, host: Host, other_host: Host) -> None:
    host.routes["*"] = Reply(body=disk_png())
    provider = make(label_studio_url=host.url, allowed_hosts="")
    assert provider.get("/a.png", deadline=soon()).size == SIZE
    assert provider.get(f"{host.url}/b.png", deadline=soon()).size == SIZE
    refusal(provider, f"{other_host.url}/a.png")
    assert other_host.received == []


# Several Label Studios


@pytest.fixture
def two_studios(make: MakeProvider, host: Host, other_host: Host) -> LocatedImages:
    """``host`` is the default Label Studio and ``other_host`` is team-b's."""
    hosts = {"team-b": {"url": other_host.url, "api_key": "token-b"}}
    return make(
        label_studio_url=host.url,
        label_studio_api_key="token-a",
        label_studio_hosts=hosts,
        allowed_hosts="",
    )


def tokens(host: Host) -> list[str | None]:
    return [request.headers.get("authorization") for request in host.received]


def guarded(token: str) -> Callable[[Received, BaseHTTPRequestHandler], Reply]:
    """An image that wants a token."""

    def answer(request: Received, _: BaseHTTPRequestHandler) -> Reply:
        allowed = request.headers.get("authorization") == f"Token {token}"
        return Reply(body=disk_png()) if allowed else Reply(401)

    return answer


def test_each_label_studio_is_asked_for_its_own_images_with_its_own_token(
    two_studios: LocatedImages, host: Host, other_host: Host
) -> None:
    host.routes["/data/a.png"] = guarded("token-a")
    other_host.routes["/data/a.png"] = guarded("token-b")
    assert two_studios.get("/data/a.png", deadline=soon()).size == SIZE
    assert two_studios.get("/data/a.png", deadline=soon(), host="team-b").size == SIZE
    assert tokens(host) == ["Token token-a"]
    assert tokens(other_host) == ["Token token-b"]


def test_only_configured_label_studios_are_known(two_studios: LocatedImages) -> None:
    assert two_studios.locator.knows_host("")
    assert two_studios.locator.knows_host("team-b")
    for name in ("team-a", "TEAM-B", "team-b ", "../team-b"):
        assert not two_studios.locator.knows_host(name)
        error = refusal(two_studios, "/data/a.png", host=name)
        assert name not in error.message + error.hint
        assert "EDGEFLOW_LABEL_STUDIO_HOSTS" in error.hint


def test_the_default_label_studio_is_always_known(make: MakeProvider) -> None:
    assert make().locator.knows_host("")


def test_a_token_never_goes_to_the_other_label_studio(
    two_studios: LocatedImages, host: Host, other_host: Host
) -> None:
    for server in (host, other_host):
        server.routes["*"] = Reply(body=disk_png())
    two_studios.get(f"{other_host.url}/a.png", deadline=soon())
    two_studios.get(f"{host.url}/b.png", deadline=soon(), host="team-b")
    assert tokens(host) == [None]
    assert tokens(other_host) == [None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_never_goes_along_a_redirect_to_the_other_label_studio(
    two_studios: LocatedImages, host: Host, other_host: Host, status: int
) -> None:
    for server, other in ((host, other_host), (other_host, host)):
        server.routes["/there.png"] = redirect(f"{other.url}/a.png", status)
        server.routes["/there-and-back.png"] = redirect(f"{other.url}/back.png", status)
        server.routes["/back.png"] = redirect(f"{other.url}/a.png", status)
        server.routes["/a.png"] = Reply(body=disk_png())
    two_studios.get("/there.png", deadline=soon())
    two_studios.get("/there.png", deadline=soon(), host="team-b")
    assert tokens(host) == ["Token token-a", None]
    assert tokens(other_host) == [None, "Token token-b"]
    two_studios.get("/there-and-back.png", deadline=soon())
    assert tokens(host)[2:] == ["Token token-a", "Token token-a"]
    assert tokens(other_host)[2:] == [None]


def test_each_personal_access_token_is_exchanged_at_its_own_label_studio(
    make: MakeProvider, host: Host, other_host: Host
) -> None:
    for server, name in ((host, "a"), (other_host, "b")):
        server.routes["/api/token/refresh/"] = Reply(body=json.dumps({"access": name}).encode())
        server.routes["/data/a.png"] = Reply(body=disk_png())
    provider = make(
        label_studio_url=host.url,
        label_studio_api_key="a.a.a",
        label_studio_hosts={"team-b": {"url": other_host.url, "api_key": "b.b.b"}},
    )
    provider.get("/data/a.png", deadline=soon())
    provider.get("/data/a.png", deadline=soon(), host="team-b")
    for server, name in ((host, "a"), (other_host, "b")):
        (exchange,) = server.asked("/api/token/refresh/")
        assert json.loads(exchange.body) == {"refresh": f"{name}.{name}.{name}"}
        assert server.asked("/data/a.png")[0].headers["authorization"] == f"Bearer {name}"


def test_a_refused_token_of_one_of_several_is_named(
    two_studios: LocatedImages, other_host: Host
) -> None:
    other_host.routes["*"] = Reply(401)
    hint = refusal(two_studios, "/data/a.png", host="team-b").hint
    assert "'team-b' in EDGEFLOW_LABEL_STUDIO_HOSTS" in hint


@pytest.mark.parametrize("on_disk", [False, True])
def test_what_one_label_studio_may_see_is_not_shown_to_the_other(
    make: MakeProvider, host: Host, other_host: Host, tmp_path: Path, *, on_disk: bool
) -> None:
    host.routes["*"] = guarded("token-a")
    provider = make(
        label_studio_url=host.url,
        label_studio_api_key="token-a",
        label_studio_hosts={"team-b": {"url": other_host.url, "api_key": "token-b"}},
        image_disk_cache_dir=str(tmp_path) if on_disk else "",
    )
    provider.get("/secret.png", deadline=soon())
    provider.get(f"{host.url}/secret.png", deadline=soon())
    assert "401" in refusal(provider, f"{host.url}/secret.png", host="team-b").message


# Cloud storage


class Cloud:
    """A bucket that wants a signature, and a Label Studio that signs; both on loopback."""

    def __init__(self, studio: Host, bucket: Host) -> None:
        self.signed = 0
        self._bucket = bucket
        for path in ("/tasks/7/presign/", "/tasks/8/presign/", "/tasks/7/resolve/"):
            studio.routes[path] = self._sign
        bucket.routes["/images/a.png"] = self._open

    def _sign(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        if request.headers.get("authorization") != "Token token-a":
            return Reply(401)
        (code,) = parse_qs(urlsplit(request.path).query)["fileuri"]
        if base64.urlsafe_b64decode(code.encode()) != b"s3://images/a.png":
            return Reply(404)
        self.signed += 1
        signature = f"X-Amz-Signature={self.signed}"
        return redirect(f"{self._bucket.url}/images/a.png?{signature}", 303)

    def _open(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        valid = request.path.endswith(f"?X-Amz-Signature={self.signed}")
        return Reply(body=disk_png()) if valid else Reply(403)


@pytest.fixture
def cloud(host: Host, other_host: Host) -> Cloud:
    return Cloud(host, other_host)


def test_a_cloud_image_is_fetched_through_label_studio(
    make: MakeProvider, host: Host, other_host: Host, cloud: Cloud
) -> None:
    provider = make(label_studio_url=host.url, label_studio_api_key="token-a")
    assert provider.get("s3://images/a.png", deadline=soon(), task_id=7).size == SIZE
    assert cloud.signed == 1
    assert tokens(host) == ["Token token-a"]
    assert tokens(other_host) == [None], "the signature is all that the bucket needs"


def test_a_cloud_image_is_known_by_its_uri(
    make: MakeProvider, host: Host, other_host: Host, cloud: Cloud
) -> None:
    provider = make(label_studio_url=host.url, label_studio_api_key="token-a")
    first = provider.get("s3://images/a.png", deadline=soon(), task_id=7)
    assert provider.get("s3://images/a.png", deadline=soon(), task_id=7) is first
    assert (cloud.signed, len(other_host.received)) == (1, 1)


def test_a_cloud_image_of_another_task_is_asked_for_again(
    make: MakeProvider, host: Host, cloud: Cloud
) -> None:
    provider = make(label_studio_url=host.url, label_studio_api_key="token-a")
    for task in (7, 8):  # their projects' storages may differ
        provider.get("s3://images/a.png", deadline=soon(), task_id=task)
    assert cloud.signed == 2


def test_a_cloud_image_is_signed_anew_when_it_is_fetched_again(
    make: MakeProvider, host: Host, cloud: Cloud
) -> None:
    provider = make(label_studio_url=host.url, label_studio_api_key="token-a", image_cache_mb=0)
    for _ in range(2):
        assert provider.get("s3://images/a.png", deadline=soon(), task_id=7).size == SIZE
    assert cloud.signed == 2


def test_a_resolved_url_in_the_task_works_too(
    make: MakeProvider, host: Host, other_host: Host, cloud: Cloud
) -> None:
    code = base64.urlsafe_b64encode(b"s3://images/a.png").decode()
    provider = make(label_studio_url=host.url, label_studio_api_key="token-a")
    for base in ("", host.url):
        url = f"{base}/tasks/7/resolve/?fileuri={code}"
        assert provider.get(url, deadline=soon()).size == SIZE
    assert cloud.signed == 1, "both are one image"
    assert tokens(other_host) == [None]


def test_a_storage_that_label_studio_reads_itself_works_too(make: MakeProvider, host: Host) -> None:
    host.routes["/tasks/7/presign/"] = guarded("token-a")
    provider = make(label_studio_url=host.url, label_studio_api_key="token-a", allowed_hosts="")
    assert provider.get("gs://images/a.png", deadline=soon(), task_id=7).size == SIZE


def test_a_bucket_with_a_private_ip_needs_an_entry(
    make: MakeProvider, host: Host, other_host: Host, cloud: Cloud
) -> None:
    where = {"label_studio_url": host.url, "label_studio_api_key": "token-a"}
    error = refusal(make(**where, allowed_hosts=""), "s3://images/a.png", task_id=7)
    assert "EDGEFLOW_ALLOWED_HOSTS" in error.hint
    assert "Signature" not in error.message
    assert (cloud.signed, other_host.received) == (1, [])
    provider = make(**where, allowed_hosts=f"127.0.0.1:{other_host.port}")
    assert provider.get("s3://images/a.png", deadline=soon(), task_id=7).size == SIZE


def test_a_bucket_that_label_studio_does_not_know_is_told(
    make: MakeProvider, host: Host, cloud: Cloud
) -> None:
    provider = make(label_studio_url=host.url, label_studio_api_key="token-a")
    error = refusal(provider, "s3://other/a.png", task_id=7)
    assert "404" in error.message
    assert "cloud storage" in error.hint
    assert cloud.signed == 0


def test_a_cloud_image_needs_a_task_and_a_label_studio(make: MakeProvider, host: Host) -> None:
    assert "no id" in refusal(make(label_studio_url=host.url), "s3://images/a.png").message
    assert "LABEL_STUDIO_URL" in refusal(make(), "s3://images/a.png", task_id=7).hint
    assert host.received == []


def test_each_label_studio_signs_for_its_own_tasks(
    two_studios: LocatedImages, host: Host, other_host: Host
) -> None:
    host.routes["/tasks/7/presign/"] = guarded("token-a")
    other_host.routes["/tasks/7/presign/"] = guarded("token-b")
    first = two_studios.get("s3://images/a.png", deadline=soon(), task_id=7)
    other = two_studios.get("s3://images/a.png", deadline=soon(), task_id=7, host="team-b")
    assert first is not other
    assert tokens(host) == ["Token token-a"]
    assert tokens(other_host) == ["Token token-b"]


# Loading ahead


def test_an_image_loaded_ahead_is_there_for_the_click(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    provider = make()
    provider.prefetch(f"{host.url}/a.png")
    wait_until(lambda: len(provider.cache) == 1)
    assert provider.get(f"{host.url}/a.png", deadline=time.monotonic() - 1).size == SIZE
    assert len(host.received) == 1


def test_an_image_is_loaded_ahead_from_its_own_label_studio(
    two_studios: LocatedImages, other_host: Host
) -> None:
    other_host.routes["/tasks/7/presign/"] = guarded("token-b")
    two_studios.prefetch("s3://images/a.png", host="team-b", task_id=7)
    wait_until(lambda: len(two_studios.cache) == 1)
    assert tokens(other_host) == ["Token token-b"]


def test_a_click_joins_a_download_that_runs_ahead(make: MakeProvider, host: Host) -> None:
    release = threading.Event()

    def slow(_: Received, __: BaseHTTPRequestHandler) -> Reply:
        release.wait(PATIENCE_S)
        return Reply(body=disk_png())

    host.routes["/a.png"] = slow
    provider = make()
    provider.prefetch(f"{host.url}/a.png")
    wait_until(lambda: len(host.received) == 1)
    with ThreadPoolExecutor(1) as pool:
        click = pool.submit(provider.get, f"{host.url}/a.png", deadline=soon())
        release.set()
        assert click.result(PATIENCE_S).size == SIZE
    assert len(host.received) == 1


def test_a_click_does_not_wait_for_images_loaded_ahead(make: MakeProvider, host: Host) -> None:
    release = threading.Event()

    def slow(_: Received, __: BaseHTTPRequestHandler) -> Reply:
        release.wait(6 * PATIENCE_S)
        return Reply(body=disk_png())

    host.routes["*"] = slow
    host.routes["/click.png"] = host.routes["/99.png"] = Reply(body=disk_png())
    provider = make()
    for number in (*range(MAX_AHEAD - 1), 99, *range(100, 200)):
        provider.prefetch(f"{host.url}/{number}.png")
    wait_until(lambda: len(host.received) == AHEAD_WORKERS)
    started = time.monotonic()
    for name in ("click", "99"):  # a new image, and one that waits to be loaded ahead
        assert provider.get(f"{host.url}/{name}.png", deadline=soon(6 * PATIENCE_S)).size == SIZE
    assert time.monotonic() - started < 3 * PATIENCE_S
    release.set()
    wait_until(lambda: len(provider.cache) == MAX_AHEAD + 1)
    time.sleep(0.05)
    assert len(host.received) == MAX_AHEAD + 1, "what was too much was dropped"


def test_a_download_ahead_that_fails_is_noted_without_secrets(
    make: MakeProvider, host: Host
) -> None:
    provider = make()
    with capture_logs() as logs:
        provider.prefetch(f"{host.url}/a.png?signature=secret")
        wait_until(lambda: len(logs) == 1)
    assert logs[0]["log_level"] == "debug"
    assert "404" in logs[0]["reason"]
    assert "secret" not in str(logs)
    host.routes["/a.png"] = Reply(body=disk_png())
    assert provider.get(f"{host.url}/a.png?signature=secret", deadline=soon()).size == SIZE


def test_loading_ahead_after_the_end_does_nothing(make: MakeProvider, host: Host) -> None:
    provider = make()
    provider.close()
    provider.prefetch(f"{host.url}/a.png")
    assert host.received == []


def test_loading_ahead_returns_at_once(make: MakeProvider, host: Host) -> None:
    def silent(_: Received, __: BaseHTTPRequestHandler) -> None:
        host.pause()

    host.routes["*"] = silent
    provider = make(read_timeout_s=0.3)
    started = time.monotonic()
    for number in range(100):
        provider.prefetch(f"{host.url}/{number}.png")
    assert time.monotonic() - started < 10, "each waited for the host"


# Files on disk


def test_a_restart_does_not_fetch_again(make: MakeProvider, host: Host, tmp_path: Path) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    images = [
        make(image_disk_cache_dir=str(tmp_path)).get(f"{host.url}/a.png", deadline=soon())
        for _ in range(2)
    ]
    assert len(host.received) == 1
    assert images[0].digest == images[1].digest


def test_by_default_nothing_is_kept_on_disk(
    make: MakeProvider, host: Host, empty_home: Path
) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    before = sorted(empty_home.rglob("*"))
    for _ in range(2):
        make().get(f"{host.url}/a.png", deadline=soon())
    assert len(host.received) == 2
    assert sorted(empty_home.rglob("*")) == before


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_on_disk_is_fetched_again_after_its_time(
    make: MakeProvider, host: Host, tmp_path: Path
) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    where = {"image_disk_cache_dir": str(tmp_path), "image_disk_cache_ttl_s": 0.05}
    make(**where).get(f"{host.url}/a.png", deadline=soon())
    time.sleep(0.08)
    make(**where).get(f"{host.url}/a.png", deadline=soon())
    assert len(host.received) == 2


def test_the_folders_cap_is_kept(make: MakeProvider, host: Host, tmp_path: Path) -> None:
    host.routes["*"] = Reply(body=disk_png())
    provider = make(image_disk_cache_dir=str(tmp_path), image_disk_cache_mb=0.005)
    for number in range(20):
        provider.get(f"{host.url}/{number}.png", deadline=soon())
        assert sum(path.stat().st_size for path in files(tmp_path)) <= 5000
    assert files(tmp_path)


def test_an_inline_image_is_never_kept_on_disk(make: MakeProvider, tmp_path: Path) -> None:
    provider = make(image_disk_cache_dir=str(tmp_path))
    provider.get(data_uri(disk_png()), deadline=soon())
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "body", [b"", b"<!DOCTYPE html><html>Log in</html>", disk_png()[:40], png_header(60_000, 1)]
)
def test_what_is_no_image_is_never_kept_on_disk(
    make: MakeProvider, host: Host, tmp_path: Path, body: bytes
) -> None:
    host.routes["/a.png"] = Reply(body=body)
    provider = make(image_disk_cache_dir=str(tmp_path), max_pixels=10_000_000)
    with pytest.raises(ImageError):
        provider.get(f"{host.url}/a.png", deadline=soon())
    assert files(tmp_path) == []


def test_a_damaged_file_on_disk_is_fetched_again(
    make: MakeProvider, host: Host, tmp_path: Path
) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    make(image_disk_cache_dir=str(tmp_path)).get(f"{host.url}/a.png", deadline=soon())
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    for _ in range(2):
        provider = make(image_disk_cache_dir=str(tmp_path))
        assert provider.get(f"{host.url}/a.png", deadline=soon()).size == SIZE
    assert len(host.received) == 2


def test_a_cloud_image_is_found_on_disk_by_its_uri(
    make: MakeProvider, host: Host, cloud: Cloud, tmp_path: Path
) -> None:
    where = {"label_studio_url": host.url, "label_studio_api_key": "token-a"}
    for _ in range(2):
        provider = make(**where, image_disk_cache_dir=str(tmp_path))
        assert provider.get("s3://images/a.png", deadline=soon(), task_id=7).size == SIZE
    assert cloud.signed == 1


def test_a_folder_that_does_not_work_harms_no_click(
    make: MakeProvider, host: Host, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    host.routes["*"] = Reply(body=disk_png())
    with capture_logs() as logs:
        provider = make(image_disk_cache_dir=str(tmp_path / "file" / "cache"))
        for number in range(3):
            assert provider.get(f"{host.url}/{number}.png", deadline=soon()).size == SIZE
    assert [entry["log_level"] for entry in logs] == ["warning"]
