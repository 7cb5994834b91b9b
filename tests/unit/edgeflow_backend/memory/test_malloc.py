from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from edgeflow_backend.memory.malloc import configure_malloc, give_back_memory

START = """
import ctypes, re, sys, threading
from edgeflow_backend.memory.malloc import configure_malloc
if sys.argv[1] == "configured":
    assert configure_malloc()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fclose.argtypes = [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
def heap():
    stream = libc.fopen(sys.argv[2].encode(), b"w")
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    return open(sys.argv[2]).read()
"""

HEAPS = """
together = threading.Barrier(8)
def allocate():
    together.wait()
    data = [bytearray(1000 + number) for number in range(1000)]
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(re.findall("<heap nr", heap())))
"""

OUTSIDE = """
large = bytearray(30 << 20)  # makes the C library put arrays of up to this size into the heap ...
del large                    # ... from when it is freed
kept = [bytearray(3 << 20) for _ in range(20)]
print(re.search('type="mmap" count="([0-9]+)"', heap())[1])
"""

HOLES = """
from edgeflow_backend.memory.malloc import give_back_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
large, kept = [], []
for _ in range(2000):
    large.append(bytearray(100_000))
    kept.append(bytearray(600))
del large
before = resident()
if sys.argv[1] == "given back":
    assert give_back_memory()
print(before - resident())
"""

glibc_only = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="settings of the GNU C library"
)


def _ask(what: str, how: str, folder: Path) -> int:
    command = [sys.executable, "-c", START + what, how, str(folder / "heaps.xml")]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@glibc_only
@pytest.mark.parametrize(("how", "alone"), [("configured", True), ("by itself", False)])
def test_threads_allocate_from_one_heap(tmp_path: Path, how: str, alone: bool) -> None:
    assert (_ask(HEAPS, how, tmp_path) == 1) == alone


@glibc_only
@pytest.mark.parametrize(("how", "outside"), [("configured", True), ("by itself", False)])
def test_large_arrays_do_not_make_the_heap_grow(tmp_path: Path, how: str, outside: bool) -> None:
    assert (_ask(OUTSIDE, how, tmp_path) >= 10) == outside


@glibc_only
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("how", "given"), [("given back", True), ("left", False)])
def test_holes_between_what_is_kept_are_given_back(tmp_path: Path, how: str, given: bool) -> None:
    assert (_ask(HOLES, how, tmp_path) > 100_000_000) == given


def test_a_c_library_that_knows_nothing_of_it_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    assert not configure_malloc()
    assert not give_back_memory()
