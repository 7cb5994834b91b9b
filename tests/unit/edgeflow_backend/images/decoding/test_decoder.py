from __future__ import annotations

import io
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeflow.errors import ImageError, ImageTooLargeError
from edgeflow.images import decode_image, read_image
from edgeflow_backend.errors import InternalError, NotReadyError
from edgeflow_backend.images.decoding import child, decoder, wire
from edgeflow_backend.images.decoding.decoder import Decoder
from edgeflow_backend.images.decoding.pool import Pool
from edgeflow_backend.images.decoding.worker import Job, NotPlainError, SlowImageError, Worker
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.images.decoding.hostile import many_scans, tall_png

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

JOB = Job(max_pixels=80_000_000, nbytes=300_000_000, timeout_s=20.0, strips=False)


def photo(kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    ramp = np.linspace(0, 255, 60 * 90 * 3).astype(np.uint8).reshape(60, 90, 3)
    Image.fromarray(ramp).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def exif(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def in_memory(data: bytes) -> int:
    file = os.memfd_create("test")
    os.write(file, data)
    return file


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(2)
    yield pool
    pool.close()


@pytest.fixture
def make() -> Iterator[Callable[..., Decoder]]:
    made: list[Decoder] = []

    def make(**changes: Any) -> Decoder:
        made.append(Decoder(Settings(**changes)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("number", range(1, 9))
def test_strips_give_the_pixels_of_pillow(kind: str, mode: str, number: int) -> None:
    data = photo(kind, mode, exif=exif(number))
    reply, file = child.answer(in_memory(data), {"strips": True, "as_stored": False})
    assert file is not None, reply
    wanted = decode_image(data)
    assert tuple(reply["shape"]) == wanted.shape
    assert os.pread(file, wanted.nbytes, 0) == wanted.tobytes()
    os.close(file)


@pytest.mark.parametrize("data", [photo("PNG")[:40], b"", b"<html>", photo("GIF", "P")])
def test_what_cannot_be_read_in_strips_is_told(data: bytes) -> None:
    reply, file = child.answer(in_memory(data), {"strips": True, "as_stored": False})
    assert file is None
    assert reply["code"] == "defect"


def test_a_child_serves_one_image_after_the_other_until_it_is_closed() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    data = photo()
    with ThreadPoolExecutor(1) as threads:
        served = threads.submit(_serve_without_limits, theirs)
        for _ in range(2):
            wire.send(ours, {**vars(JOB)}, in_memory(data))
            reply, file = wire.receive(ours)
            assert file is not None
            assert os.fstat(file).st_size == 90 * 60 * 3
            os.close(file)
        ours.close()
        served.result(10)
    assert reply["notes"] == []


def _serve_without_limits(connection: socket.socket) -> None:
    with pytest.MonkeyPatch.context() as patch, connection:
        patch.setattr(child, "limits", lambda *_: threading.Lock())
        child.serve(connection)


def test_a_small_and_a_large_image_come_back_whole(make: Callable[..., Decoder]) -> None:
    some = make()
    large = Image.effect_noise((2400, 1800), 60).convert("RGB")
    buffer = io.BytesIO()
    large.save(buffer, "PNG", compress_level=1)
    for data in (photo(), buffer.getvalue(), photo("WEBP")):
        with some.decoded(data) as decoded:
            assert np.array_equal(decoded.pixels, decode_image(data))


def test_errors_cross_the_border_in_words(make: Callable[..., Decoder]) -> None:
    some = make()
    with pytest.raises(ImageError, match="HTML page") as error, some.decoded(b"<html>"):
        pass
    assert error.value.hint
    with pytest.raises(ImageTooLargeError), make(max_pixels=100).decoded(photo()):
        pass


@pytest.mark.parametrize(
    ("data", "words"),
    [(tall_png(), "80000000"), (many_scans(20_000), "JPEG scans")],
    ids=["tall", "scans"],
)
def test_hostile_files_are_refused_at_once(
    make: Callable[..., Decoder], data: bytes, words: str
) -> None:
    started = time.monotonic()
    with pytest.raises(ImageError, match=words), make().decoded(data):
        pass
    assert time.monotonic() - started < 1


def test_a_plain_image_that_is_damaged_inside_is_read_as_far_as_it_goes(
    make: Callable[..., Decoder],
) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((2400, 1800), 60).save(buffer, "PNG", compress_level=1)
    data = bytearray(buffer.getvalue())
    data[len(data) // 2] ^= 0xFF
    wanted = read_image(bytes(data), partial=True)
    with make().decoded(bytes(data)) as decoded:
        assert np.array_equal(decoded.pixels, wanted.pixels)
        assert decoded.notes == wanted.notes != ()


@pytest.mark.parametrize("size", [(90, 60), (2400, 1800)])
@pytest.mark.parametrize("as_stored", [False, True])
def test_an_image_is_upright_or_as_it_is_stored(
    make: Callable[..., Decoder], size: tuple[int, int], *, as_stored: bool
) -> None:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).save(buffer, "JPEG", exif=exif(6))
    data = buffer.getvalue()
    with make().decoded(data, as_stored=as_stored) as decoded:
        assert np.array_equal(decoded.pixels, decode_image(data, as_stored=as_stored))


def test_an_image_that_takes_too_long_is_ended(pool: Pool) -> None:
    slow = many_scans(20_000, (1000, 1000))
    started = time.monotonic()
    with pytest.raises(SlowImageError, match="took longer than") as error:
        pool.decode(in_memory(slow), Job(10**8, 10**9, 0.3, strips=False))
    assert "EDGEFLOW_DECODE_TIMEOUT_S" in error.value.hint
    assert time.monotonic() - started < 5
    assert pool.decode(in_memory(photo()), JOB).pixels.shape == (60, 90, 3)


def test_an_image_that_takes_too_much_memory_is_refused(pool: Pool) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (9000, 8000)).save(buffer, "PNG", compress_level=1)
    with pytest.raises(ImageTooLargeError, match="more than 50 MB"):
        pool.decode(in_memory(buffer.getvalue()), Job(10**8, 50_000_000, 20.0, strips=False))
    assert pool.decode(in_memory(photo()), JOB).pixels.shape == (60, 90, 3)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_child_that_dies_is_an_error_in_words_and_replaced(
    pool: Pool, number: signal.Signals
) -> None:
    slow = many_scans(20_000, (1000, 1000))
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(pool.decode, in_memory(slow), JOB)
        while not pool._busy:
            time.sleep(0.01)
        time.sleep(0.5)
        (worker,) = pool._busy
        os.kill(worker._process.pid, number)
        with pytest.raises(ImageError, match=number.name):
            running.result(10)
    assert pool.decode(in_memory(photo()), JOB).pixels.shape == (60, 90, 3)


def test_a_child_that_died_while_idle_costs_no_image(pool: Pool) -> None:
    pool.decode(in_memory(photo()), JOB)
    (worker,) = pool._idle
    worker.kill()
    assert pool.decode(in_memory(photo()), JOB).pixels.shape == (60, 90, 3)


class Liar(Worker):
    """A child that is sent home, and whose answers a test makes up."""

    def __init__(self, reply: wire.Message, nbytes: int | None) -> None:
        super().__init__()
        self._connection.close()
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        wire.send(theirs, reply, None if nbytes is None else in_memory(bytes(nbytes)))
        self._theirs = theirs

    def close(self) -> None:
        super().close()
        self._theirs.close()


@pytest.mark.parametrize(
    ("reply", "nbytes", "error"),
    [
        ({"shape": [2, 2, 3], "notes": []}, 11, InternalError),
        ({"shape": [2, 2, 4], "notes": []}, 16, InternalError),
        ({"shape": [0, 2, 3], "notes": []}, 0, InternalError),
        ({"shape": "abc", "notes": []}, 12, InternalError),
        ({}, 12, InternalError),
        ({"code": "defect", "message": "OSError"}, None, InternalError),
        ({"code": "image_too_large", "message": "m", "hint": "h"}, None, ImageTooLargeError),
        ({"code": "news", "message": "m"}, None, ImageError),
        ({}, None, ImageError),
    ],
    ids=str,
)
def test_answers_are_not_trusted(
    reply: wire.Message, nbytes: int | None, error: type[Exception]
) -> None:
    liar = Liar(reply, nbytes)
    with pytest.raises(error):
        liar.decode(in_memory(b""), JOB)
    liar.close()


def test_what_is_not_plain_after_all_is_told() -> None:
    liar = Liar({"code": "defect", "message": "ValueError"}, None)
    with pytest.raises(NotPlainError):
        liar.decode(in_memory(b""), Job(1, 1, 1.0, strips=True))
    liar.close()


def test_the_end_ends_all_children_and_leaves_no_zombie() -> None:
    pool = Pool(2)
    slow = many_scans(20_000, (1000, 1000))
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(pool.decode, in_memory(slow), JOB)
        while not pool._busy:
            time.sleep(0.01)
        pool.warm_up()
        children = [each._process.pid for each in (*pool._busy, *pool._idle)]
        assert len(children) == 2
        pool.close()
        with pytest.raises(ImageError):
            running.result(10)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    with pytest.raises(NotReadyError) as refused:
        pool.warm_up()
    assert refused.value.hint


def test_a_child_sees_no_token(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "secret")
    pool.warm_up()
    (worker,) = pool._idle
    assert b"secret" not in Path(f"/proc/{worker._process.pid}/environ").read_bytes()


def test_elsewhere_images_are_decoded_in_the_process(
    make: Callable[..., Decoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "can_have_children", lambda: False)
    some = make()
    some.warm_up()
    with some.decoded(photo()) as decoded:
        assert np.array_equal(decoded.pixels, decode_image(photo()))
