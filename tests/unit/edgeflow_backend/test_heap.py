from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from edgeflow_backend.heap import share_one_heap

COUNT = """
import ctypes, re, sys, threading
from edgeflow_backend.heap import share_one_heap
if sys.argv[1] == "shared":
    assert share_one_heap()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fclose.argtypes = [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
together = threading.Barrier(8)
def allocate():
    together.wait()
    data = [bytearray(1000 + number) for number in range(1000)]
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
stream = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, stream)
libc.fclose(stream)
print(len(re.findall("<heap nr", open(sys.argv[2]).read())))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have one heap")
@pytest.mark.parametrize(("how", "alone"), [("shared", True), ("own", False)])
def test_threads_allocate_from_one_heap(tmp_path: object, how: str, alone: bool) -> None:
    command = [sys.executable, "-c", COUNT, how, f"{tmp_path}/heaps.xml"]
    heaps = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (heaps == 1) == alone


def test_a_c_library_that_knows_nothing_of_it_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    assert not share_one_heap()
