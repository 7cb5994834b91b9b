from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
import pytest

from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.geometry import Size
from edgeflow.predictor import Predictor
from edgeflow_backend.errors import DeadlineError, FetchError
from edgeflow_backend.images.provider import ImageProvider
from edgeflow_backend.settings import Settings
from tests.contract.pictures import png_header, upright_as_exif
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply
from tests.unit.edgeflow_backend.samples import SIZE, data_uri, disk_picture, disk_png

PATIENCE_S = 10.0
MakeProvider = Callable[..., ImageProvider]


def soon(seconds: float = PATIENCE_S) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def make(predictor: Predictor) -> Iterator[MakeProvider]:
    providers: list[ImageProvider] = []

    def make(**changes: Any) -> ImageProvider:
        providers.append(ImageProvider(Settings(**changes), predictor))
        return providers[-1]

    yield make
    for provider in providers:
        provider.close()


def test_a_picture_of_the_web_comes_to_the_device(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    image = make().get(f"{host.url}/a.png", deadline=soon())
    assert image.size == SIZE
    assert (image.pixels[0].permute(1, 2, 0).numpy() == disk_picture()).all()


def test_an_inline_picture_comes_to_the_device(make: MakeProvider) -> None:
    image = make().get(data_uri(disk_png()), deadline=soon())
    assert (image.pixels[0].permute(1, 2, 0).numpy() == disk_picture()).all()


def test_an_upload_is_fetched_from_label_studio_with_its_token(
    make: MakeProvider, host: Host
) -> None:
    host.routes["/data/upload/1/a.png"] = Reply(body=disk_png())
    provider = make(label_studio_url=host.url, label_studio_api_key="abc")
    assert provider.get("/data/upload/1/a.png", deadline=soon()).size == SIZE
    assert host.received[0].headers["authorization"] == "Token abc"


def test_a_picture_is_brought_upright(make: MakeProvider, host: Host) -> None:
    host.routes["/a.jpg"] = Reply(body=upright_as_exif((90, 120)))
    assert make().get(f"{host.url}/a.jpg", deadline=soon()).size == Size(120, 90)


def test_a_known_picture_is_not_fetched_again(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    provider = make()
    first = provider.get(f"{host.url}/a.png", deadline=soon())
    assert provider.get(f"{host.url}/a.png", deadline=soon()) is first
    assert len(host.received) == 1
    assert provider.cache.nbytes == first.nbytes


def test_an_equal_inline_picture_is_kept_once(make: MakeProvider) -> None:
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


def test_different_pictures_are_fetched_at_the_same_time(make: MakeProvider, host: Host) -> None:
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


def test_a_picture_is_fetched_again_after_its_time(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    provider = make(image_ttl_s=0.05)
    provider.get(f"{host.url}/a.png", deadline=soon())
    host.routes["/a.png"] = Reply(body=disk_png(Size(60, 80)))
    time.sleep(0.1)
    assert provider.get(f"{host.url}/a.png", deadline=soon()).size == Size(60, 80)
    assert len(host.received) == 2


def test_without_a_cache_pictures_are_still_served(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png())
    provider = make(image_cache_mb=0)
    for _ in range(2):
        assert provider.get(f"{host.url}/a.png", deadline=soon()).size == SIZE
    assert len(host.received) == 2
    assert provider.cache.nbytes == 0


def test_a_small_cache_keeps_the_newest_pictures(make: MakeProvider, host: Host) -> None:
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
    host.routes["/a.png"] = Reply(body=b"no picture")
    with pytest.raises(ImageError):
        provider.get(f"{host.url}/a.png", deadline=soon())
    host.routes["/a.png"] = Reply(body=disk_png())
    assert provider.get(f"{host.url}/a.png", deadline=soon()).size == SIZE


def test_all_who_wait_for_a_picture_learn_of_its_failure(make: MakeProvider, host: Host) -> None:
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


def test_a_picture_that_is_there_needs_no_time(make: MakeProvider) -> None:
    provider = make()
    provider.get(data_uri(disk_png()), deadline=soon())
    assert provider.get(data_uri(disk_png()), deadline=time.monotonic() - 1).size == SIZE


def test_a_picture_with_too_many_pixels_is_refused(make: MakeProvider) -> None:
    with pytest.raises(ImageTooLargeError):
        make(max_pixels=SIZE.height * SIZE.width - 1).get(data_uri(disk_png()), deadline=soon())
    with pytest.raises(ImageTooLargeError):
        make().get(data_uri(png_header(60_000, 60_000)), deadline=soon())


def test_a_picture_with_too_many_bytes_is_refused(make: MakeProvider, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=disk_png() + bytes(20_000))
    provider = make(max_image_mb=0.01)
    for address in (f"{host.url}/a.png", data_uri(disk_png() + bytes(20_000))):
        with pytest.raises(FetchError) as caught:
            provider.get(address, deadline=soon())
        assert "EDGEFLOW_MAX_IMAGE_MB" in caught.value.hint


def test_the_timeouts_are_those_of_the_settings(make: MakeProvider, host: Host) -> None:
    def silent(_: Received, __: BaseHTTPRequestHandler) -> None:
        host.pause()

    host.routes["/a.png"] = silent
    started = time.monotonic()
    with pytest.raises(FetchError, match="in time"):
        make(read_timeout_s=0.1).get(f"{host.url}/a.png", deadline=soon())
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("address", ["", "s3://bucket/a.png", "file:///etc/passwd", "data:"])
def test_an_address_that_leads_nowhere_is_refused_before_any_work(
    make: MakeProvider, address: str
) -> None:
    with pytest.raises(FetchError):
        make().get(address, deadline=time.monotonic() - 1)


def test_pictures_are_pure_functions_of_their_bytes(make: MakeProvider, host: Host) -> None:
    host.routes["*"] = Reply(body=disk_png())
    provider = make()
    images = [
        provider.get(address, deadline=soon())
        for address in (f"{host.url}/a.png", f"{host.url}/b.png", data_uri(disk_png()))
    ]
    assert len({image.digest for image in images}) == 1
    assert np.array_equal(images[0].overview.numpy(), images[2].overview.numpy())
