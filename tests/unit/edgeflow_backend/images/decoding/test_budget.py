from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgeflow.errors import ImageTooLargeError
from edgeflow_backend.errors import OverloadedError
from edgeflow_backend.images.decoding.budget import Budget

MB = 1_000_000


def budget(patience_s: float = 5.0, places: int = 4) -> Budget:
    """800 MB: 100 of them for images of up to 25, 700 for larger ones."""
    return Budget(800 * MB, places=places, patience_s=patience_s)


def test_no_more_than_the_budget_is_held_at_once() -> None:
    shares, lock = budget(), threading.Lock()
    held = peak = 0

    def decode(_: int) -> None:
        nonlocal held, peak
        with shares.share(300 * MB):
            with lock:
                held += 300
                peak = max(peak, held)
            time.sleep(0.01)
            with lock:
                held -= 300

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(decode, range(12)))
    assert peak == 600


def test_no_more_than_the_places_run_at_once() -> None:
    shares = budget(patience_s=0.05, places=1)
    with shares.share(30 * MB), pytest.raises(OverloadedError), shares.share(30 * MB):
        pass


def test_what_never_fits_is_refused_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(ImageTooLargeError, match="701 MB") as error, budget(60).share(701 * MB):
        pass
    assert "EDGEFLOW_DECODE_MEMORY_MB" in error.value.hint
    assert time.monotonic() - started < 30


def test_who_waits_too_long_is_refused_in_words() -> None:
    shares = budget(patience_s=0.05)
    with (
        shares.share(600 * MB),
        pytest.raises(OverloadedError, match="waited") as error,
        shares.share(600 * MB),
    ):
        pass
    assert error.value.http_status == 503
    with shares.share(600 * MB):  # the turn that was given up blocks nobody
        pass


def test_small_images_do_not_wait_for_large_ones() -> None:
    shares = budget(patience_s=5)
    with ThreadPoolExecutor(1) as threads, shares.share(700 * MB):
        waiting = threads.submit(lambda: shares.share(700 * MB).__enter__())
        with shares.share(20 * MB):
            assert not waiting.done()


def test_large_images_do_not_wait_for_small_ones() -> None:
    shares = budget(patience_s=0.05, places=2)
    with shares.share(20 * MB), shares.share(20 * MB), shares.share(700 * MB):
        pass


def test_turns_come_in_the_order_of_arrival() -> None:
    shares, order = budget(), list[int]()

    def decode(number: int) -> None:
        with shares.share(400 * MB if number else 600 * MB):
            order.append(number)

    with ThreadPoolExecutor(4) as threads, shares.share(400 * MB):
        for number in range(4):
            threads.submit(decode, number)
            time.sleep(0.03)
    assert order == [0, 1, 2, 3]


def test_files_that_wait_are_limited() -> None:
    with (
        pytest.raises(OverloadedError, match="fill the memory"),
        budget().share(30 * MB, file_bytes=201 * MB),
    ):
        pass


def test_an_error_inside_gives_the_share_back() -> None:
    shares = budget(patience_s=0.05)
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), shares.share(700 * MB):
            raise ValueError("x")
